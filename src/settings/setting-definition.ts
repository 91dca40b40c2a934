/** What can be asked for; `stop-after-init` is the step without a command. */
export type Command = "copy" | "purge" | "verify" | "inspect" | "check" | "stop-after-init";

/** The commands that compare sessions with Redis. */
export const connectedCommands = ["copy", "purge", "verify"] as const;
export type ConnectedCommand = (typeof connectedCommands)[number];

/** How a value is read and what it becomes: `settings.ts` has one reader for each. */
export type ValueKind =
  | "switch"
  | "text"
  | "anyText"
  | "path"
  | "url"
  | "host"
  | "hostAndPort"
  | "port"
  | "database"
  | "lifetime"
  | "size"
  | "duration"
  | "count"
  | "positiveCount"
  | "percentage"
  | "allowance"
  | "shard"
  | "keyLayout"
  | "ttl"
  | "conflictPolicy";

/** One setting: everything that is known of it but its value. */
export interface SettingDefinition {
  /** Long flag; absent where only a variable sets it. */
  readonly flag?: `--${string}`;
  /** One-letter form of the flag. */
  readonly short?: `-${string}`;
  /** What help calls the flag's value; absent for a switch. */
  readonly placeholder?: string;
  /** Whether the flag may be given several times; its value is then a list. */
  readonly repeatable?: true;
  /** Environment variable; absent where only a flag sets it. */
  readonly variable?: string;
  /** What Odoo's session_redis calls the variable; it counts if Tele's group of variables is unset. */
  readonly odooVariable?: string;
  /** Whether Odoo's variable, a switch, means the opposite. */
  readonly odooInverted?: true;
  readonly kind: ValueKind;
  /** As it would be typed; absent where there is none. */
  readonly default?: string;
  /** What tables and help call the default, where no text of it could be typed. */
  readonly defaultShown?: string;
  /** One sentence without its full stop. */
  readonly help: string;
  readonly group: SettingGroup;
  readonly commands: readonly Command[];
  /** Whether no part of the value may ever be shown. */
  readonly secret?: true;
}

/** Help's headings, in its order. */
export const settingGroups = [
  "Sessions",
  "Redis",
  "TLS",
  "Sentinel and Cluster",
  "Keys and lifetimes",
  "Run",
  "Limits",
  "Output",
] as const;
export type SettingGroup = (typeof settingGroups)[number];

/** The commands that a group of settings means something to. */
export const commandSets = {
  all: ["copy", "purge", "verify", "inspect", "check"],
  withRedis: ["copy", "purge", "verify", "check"],
  overSessions: ["copy", "purge", "verify", "inspect"],
  confirming: ["copy", "purge", "verify"],
  removing: ["copy", "purge"],
  step: ["stop-after-init"],
} as const satisfies Record<string, readonly Command[]>;
