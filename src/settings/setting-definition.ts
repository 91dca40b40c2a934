import { kinds, type ValueKind } from "./value-kinds.js";

/** The commands that compare sessions with Redis, and give every session an outcome. */
export const connectedCommands = ["copy", "purge", "verify", "export"] as const;
export type ConnectedCommand = (typeof connectedCommands)[number];

/** The commands that look at session directories. */
export const directoryCommands = ["inspect", "check", ...connectedCommands] as const;
export type DirectoryCommand = (typeof directoryCommands)[number];

/** What can be asked for; `stop-after-init` is the pre-deploy step, which takes no command. */
export type Command = DirectoryCommand | "report" | "stop-after-init";

/** Which commands a setting means something to. */
export const commandSets = {
  all: ["copy", "purge", "verify", "export", "inspect", "check"],
  withRedis: ["copy", "purge", "verify", "export", "check"],
  overFiles: ["copy", "purge", "verify", "inspect", "check"],
  overSessions: ["copy", "purge", "verify", "inspect"],
  confirming: ["copy", "purge", "verify", "export"],
  changing: ["copy", "purge", "export"],
  removing: ["copy", "purge"],
  writingFiles: ["export", "verify"],
  removingOrChecking: ["copy", "purge", "check"],
  reporting: ["copy", "purge", "verify", "export", "report"],
  printing: ["copy", "purge", "verify", "export", "inspect", "check", "report"],
  step: ["stop-after-init"],
} as const satisfies Record<string, readonly Command[]>;

/** A setting as the table of definitions writes it. */
export interface SettingRow<Value = unknown> {
  /** Long flag; absent if only a variable sets it. */
  readonly flag?: string | undefined;
  /** The flag as help shows it ("--host <host>", "-n, --dry-run"); absent without a flag. */
  readonly usage?: string | undefined;
  /** Environment variable; absent if only a flag sets it. */
  readonly variable?: string | undefined;
  /** What Odoo's session_redis calls the variable; read if Tele's group of variables is unset. */
  readonly odooVariable?: string | undefined;
  /** Whether Odoo's variable, a switch, means the opposite. */
  readonly odooInverted?: true;
  readonly kind: ValueKind<Value>;
  /** One sentence without its full stop. */
  readonly help: string;
  /** As it would be typed; absent if there is none. */
  readonly default?: string;
  /** What docs and help call a default that cannot be typed. */
  readonly defaultShown?: string;
  /** Whether the flag may be given several times; the value is then a list. */
  readonly repeatable?: true;
  /** Whether messages must never show the value. */
  readonly secret?: true;
  /** Absent if they are those of the group. */
  readonly commands?: readonly Command[];
}

interface Grouped {
  /** The heading in help. */
  readonly group: string;
  /** The commands that the setting means something to. */
  readonly commands: readonly Command[];
}

/** All that is known of a setting except its value. */
export type SettingDefinition = SettingRow & Grouped;

/** Gives every row its heading in help, its commands if it names none, and Odoo's variable. */
export function group<const Rows extends Record<string, SettingRow>>(
  heading: string,
  commands: readonly Command[],
  rows: Rows,
) {
  const definitions = Object.entries(rows).map(([name, row]) => {
    // session_redis's names differ from Tele's in the first word; a row gives the others itself.
    const ofRedis = row.variable?.startsWith("TELE_SESSION_REDIS");
    const odooVariable = ofRedis ? row.variable?.replace("TELE", "ODOO") : undefined;
    return [name, { commands, odooVariable, ...row, group: heading }];
  });
  // `Object.fromEntries` forgets which name has which type.
  return Object.fromEntries(definitions) as { readonly [Name in keyof Rows]: Rows[Name] & Grouped };
}

type More = Partial<SettingRow>;

/**
 * A row. `name` is the flag as help shows it ("--host <host>", "-n, --dry-run"), or the variable if
 * there is no flag.
 */
export function setting<Value, const Rest extends More = object>(
  name: string,
  help: string,
  kind: ValueKind<Value>,
  more?: Rest,
): SettingRow<Value> & NoInfer<Rest> {
  const flag = /--[\w-]+/.exec(name)?.[0];
  const named = flag === undefined ? { variable: name } : { flag, usage: name };
  // If `more` is left out, it has no members either.
  return { ...named, help, kind, ...(more as Rest) };
}

/** A row whose value is on or off, and off unless it is set. */
export function toggle<const Rest extends More = object>(name: string, help: string, more?: Rest) {
  return { ...setting(name, help, kinds.switch, more), default: "off" } as const;
}
