import { redisSettingDefinitions } from "./redis-definitions.js";
import { runSettingDefinitions } from "./run-definitions.js";
import { commandSets, type SettingDefinition } from "./setting-definition.js";

const { all, withRedis, overSessions } = commandSets;

const sessions = {
  sessionDir: {
    flag: "--session-dir",
    placeholder: "<dir or glob>",
    repeatable: true,
    variable: "TELE_SESSION_DIR",
    kind: "path",
    defaultShown: "<data_dir>/sessions",
    help: "session directory, or a glob of several; a path that exists is taken literally",
    group: "Sessions",
    commands: all,
  },
  config: {
    flag: "--config",
    placeholder: "<file>",
    variable: "TELE_RC",
    odooVariable: "ODOO_RC",
    kind: "path",
    defaultShown: "~/.telerc, if there is one",
    help: "the server's tele.conf; `data_dir` of its [options] is read",
    group: "Sessions",
    commands: all,
  },
  formerConfig: {
    variable: "TELECMS_SERVER",
    odooVariable: "OPENERP_SERVER",
    kind: "path",
    help: "the server's tele.conf, where TELE_RC does not name it",
    group: "Sessions",
    commands: all,
  },
  allowMissing: {
    flag: "--allow-missing",
    kind: "switch",
    default: "off",
    help: "treat a missing directory, an unmatched glob, or a directory with only other names as empty",
    group: "Sessions",
    commands: all,
  },
  shard: {
    flag: "--shard",
    placeholder: "<i/n>",
    kind: "shard",
    defaultShown: "everything",
    help: "only the i-th of n parts of the sessions, i from 1 to n",
    group: "Sessions",
    commands: overSessions,
  },
  shardCount: {
    flag: "--shard-count",
    placeholder: "<n>",
    kind: "positiveCount",
    help: "only one of n parts: the one that JOB_COMPLETION_INDEX says",
    group: "Sessions",
    commands: overSessions,
  },
  jobCompletionIndex: {
    variable: "JOB_COMPLETION_INDEX",
    kind: "count",
    help: "the part, from 0 on, beside --shard-count",
    group: "Sessions",
    commands: overSessions,
  },
} as const satisfies Record<string, SettingDefinition>;

const keys = {
  prefix: {
    flag: "--prefix",
    placeholder: "<text>",
    variable: "TELE_SESSION_REDIS_PREFIX",
    odooVariable: "ODOO_SESSION_REDIS_PREFIX",
    kind: "text",
    help: "prefix of the applet's keys",
    group: "Keys and lifetimes",
    commands: withRedis,
  },
  keyLayout: {
    flag: "--key-layout",
    placeholder: "<layout>",
    variable: "TELE_SESSION_REDIS_KEY_LAYOUT",
    odooVariable: "ODOO_SESSION_REDIS_KEY_LAYOUT",
    kind: "keyLayout",
    default: "auto",
    help: "with a prefix: `documented` (session:<prefix>:<sid>), `applet` (session::<prefix>:<sid>), or what Redis already holds",
    group: "Keys and lifetimes",
    commands: withRedis,
  },
  expiration: {
    flag: "--expiration",
    placeholder: "<seconds>",
    variable: "TELE_SESSION_REDIS_EXPIRATION",
    odooVariable: "ODOO_SESSION_REDIS_EXPIRATION",
    kind: "lifetime",
    default: "604800",
    help: "full lifetime of an authenticated session",
    group: "Keys and lifetimes",
    commands: overSessions,
  },
  expirationAnonymous: {
    flag: "--expiration-anonymous",
    placeholder: "<seconds>",
    variable: "TELE_SESSION_REDIS_EXPIRATION_ANONYMOUS",
    odooVariable: "ODOO_SESSION_REDIS_EXPIRATION_ANONYMOUS",
    kind: "lifetime",
    default: "10800",
    help: "full lifetime of an anonymous session",
    group: "Keys and lifetimes",
    commands: overSessions,
  },
  ttl: {
    flag: "--ttl",
    placeholder: "<full|remaining>",
    variable: "TELE_SESSION_REDIS_TTL",
    odooVariable: "ODOO_SESSION_REDIS_TTL",
    kind: "ttl",
    default: "full",
    help: "count lifetimes from now, or from a file's last modification",
    group: "Keys and lifetimes",
    commands: overSessions,
  },
} as const satisfies Record<string, SettingDefinition>;

/** Every setting there is: names, help, the table in the docs and error messages come from here. */
export const settingDefinitions = {
  ...sessions,
  ...redisSettingDefinitions,
  ...keys,
  ...runSettingDefinitions,
} as const satisfies Record<string, SettingDefinition>;

export type SettingDefinitions = typeof settingDefinitions;
export type SettingName = keyof SettingDefinitions;

/** Every setting with its name, in the table's order. */
export const settingEntries: readonly (readonly [SettingName, SettingDefinition])[] = Object.entries(
  settingDefinitions,
) as [SettingName, SettingDefinition][];

/** The default as it would be typed. */
export function defaultOf(name: SettingName): string | undefined {
  const definition: SettingDefinition = settingDefinitions[name];
  return definition.default;
}
