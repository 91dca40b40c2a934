import { commandSets, group, type SettingDefinition, setting, toggle } from "./setting-definition.js";
import { kinds } from "./value-kinds.js";

const { all, withRedis, overSessions, confirming, removing, reporting, printing, step } = commandSets;
const { changing, overFiles, removingOrChecking, writingFiles } = commandSets;
const { anyText, count, database, durationMs, host, hostAndPort, lifetime, path, percentage } = kinds;
const { port, positiveCount, size, text, url } = kinds;
const { allowance, conflictPolicy, format, keyLayout, layout, logFormat, server: serverName, shard, ttl } = kinds;

const sessions = group("Sessions", all, {
  sessionDir: setting(
    "--session-dir <dir or glob>",
    "session directory, or a glob of several; a path that exists is taken literally",
    path,
    { variable: "TELE_SESSION_DIR", repeatable: true, defaultShown: "<data_dir>/sessions" },
  ),
  config: setting("--config <file>", "the server's tele.conf; `data_dir` is read from its [options]", path, {
    variable: "TELE_RC",
    odooVariable: "ODOO_RC",
    defaultShown: "~/.telerc, if it exists",
  }),
  formerConfig: setting("TELECMS_SERVER", "the server's tele.conf, if TELE_RC does not name it", path, {
    odooVariable: "OPENERP_SERVER",
  }),
  allowMissing: toggle(
    "--allow-missing",
    "treat a missing directory, an unmatched glob, or a directory with only other names as empty",
  ),
  shard: setting("--shard <i/n>", "take only the i-th of n parts of the sessions, i from 1 to n", shard, {
    defaultShown: "everything",
  }),
  shardCount: setting(
    "--shard-count <n>",
    "take only one of n parts of the sessions: the one that JOB_COMPLETION_INDEX gives",
    positiveCount,
  ),
  jobCompletionIndex: setting("JOB_COMPLETION_INDEX", "the part that --shard-count takes, from 0 on", count),
});

const server = group("Redis", withRedis, {
  url: setting("--url <url>", "redis:, rediss: or unix: URL, read as redis-py reads it", url, {
    variable: "TELE_SESSION_REDIS_URL",
    secret: true,
  }),
  host: setting("--host <host>", "host of the Redis server", host, {
    variable: "TELE_SESSION_REDIS_HOST",
    default: "localhost",
  }),
  port: setting("--port <n>", "port of the Redis server", port, {
    variable: "TELE_SESSION_REDIS_PORT",
    default: "6379",
  }),
  db: setting("--db <n>", "number of the Redis database", database, {
    variable: "TELE_SESSION_REDIS_DB",
    default: "0",
  }),
  username: setting("--username <name>", "Redis user name, if the server has users (ACL)", text, {
    variable: "TELE_SESSION_REDIS_USERNAME",
  }),
  password: setting(
    "TELE_SESSION_REDIS_PASSWORD",
    "Redis password; there is no flag for it, because flags show in `ps`",
    anyText,
    { secret: true },
  ),
  passwordFile: setting(
    "--password-file <file>",
    "file with the Redis password; one line break at its end is dropped",
    path,
    { variable: "TELE_SESSION_REDIS_PASSWORD_FILE" },
  ),
});

const tls = group("TLS", withRedis, {
  tls: toggle("--tls", "connect with TLS, as a rediss: URL does; certificates are verified", {
    variable: "TELE_SESSION_REDIS_TLS",
    odooVariable: "ODOO_SESSION_REDIS_SSL",
  }),
  cacert: setting("--cacert <file>", "PEM file with the certificate authorities to trust", path, {
    variable: "TELE_SESSION_REDIS_CACERT",
    defaultShown: "those that Node trusts",
  }),
  cert: setting("--cert <file>", "PEM file with the client certificate, if the server asks for one", path, {
    variable: "TELE_SESSION_REDIS_CERT",
  }),
  key: setting("--key <file>", "PEM file with the key of the client certificate", path, {
    variable: "TELE_SESSION_REDIS_KEY",
  }),
  tlsServername: setting("--tls-servername <name>", "name that the server's certificate must carry", host, {
    variable: "TELE_SESSION_REDIS_TLS_SERVERNAME",
    defaultShown: "the host",
  }),
  tlsInsecure: toggle("--tls-insecure", "do not verify the server's certificate", {
    variable: "TELE_SESSION_REDIS_TLS_INSECURE",
    odooVariable: "ODOO_SESSION_REDIS_SSL_CERT_REQS",
    odooInverted: true,
  }),
});

const topology = group("Sentinel and Cluster", withRedis, {
  sentinel: setting("--sentinel <host:port>", "Sentinel to ask for the master", hostAndPort, { repeatable: true }),
  sentinelHost: setting("TELE_SESSION_REDIS_SENTINEL_HOST", "Sentinel to ask for the master", host),
  sentinelPort: setting("TELE_SESSION_REDIS_SENTINEL_PORT", "port of that Sentinel", port, { default: "26379" }),
  sentinelMaster: setting("--sentinel-master <name>", "name of the master; required with a Sentinel", text, {
    variable: "TELE_SESSION_REDIS_SENTINEL_MASTER_NAME",
  }),
  sentinelPasswordFile: setting("--sentinel-password-file <file>", "file with the Sentinels' own password", path),
  sentinelPassword: setting("TELE_SESSION_REDIS_SENTINEL_PASSWORD", "the Sentinels' own password", anyText, {
    secret: true,
  }),
  sentinelUsername: setting("TELE_SESSION_REDIS_SENTINEL_USERNAME", "the Sentinels' user name", text),
  sentinelTls: toggle("TELE_SESSION_REDIS_SENTINEL_TLS", "connect to the Sentinels with TLS"),
  cluster: toggle("--cluster", "the server is a node of a Redis Cluster", { variable: "TELE_SESSION_REDIS_CLUSTER" }),
});

/** How Redis is reached. */
export const redisSettings = { ...server, ...tls, ...topology };

const keys = group("Keys and lifetimes", all, {
  prefix: setting("--prefix <text>", "prefix of the applet's keys", text, {
    variable: "TELE_SESSION_REDIS_PREFIX",
  }),
  keyLayout: setting(
    "--key-layout <layout>",
    "with a prefix: `documented` (session:<prefix>:<sid>), `applet` (session::<prefix>:<sid>), " +
      "or what Redis already holds (`auto`)",
    keyLayout,
    { variable: "TELE_SESSION_REDIS_KEY_LAYOUT", default: "auto", commands: withRedis },
  ),
  expiration: setting("--expiration <seconds>", "full lifetime of an authenticated session", lifetime, {
    variable: "TELE_SESSION_REDIS_EXPIRATION",
    default: "604800",
  }),
  expirationAnonymous: setting("--expiration-anonymous <seconds>", "full lifetime of an anonymous session", lifetime, {
    variable: "TELE_SESSION_REDIS_EXPIRATION_ANONYMOUS",
    default: "10800",
  }),
  ttl: setting(
    "--ttl <full|remaining>",
    "count lifetimes from now (full), or from the file's last modification (remaining)",
    ttl,
    { variable: "TELE_SESSION_REDIS_TTL", default: "full", commands: overFiles },
  ),
});

const files = group("Session files", writingFiles, {
  layout: setting("--layout <layout>", "where session files lie in the directory", layout, {
    defaultShown: "as there, or as --server has it",
  }),
  format: setting("--format <format>", "how session files are written", format, {
    defaultShown: "as there, or as --server has it",
  }),
  server: setting("--server <version>", "the server that is to read the session files", serverName),
  reverse: toggle("--reverse", "compare every key in Redis with its session file", { commands: ["verify"] }),
});

const run = group("Run", removing, {
  onConflict: setting(
    "--on-conflict <policy>",
    "which value wins if the place of a session holds a different one: the newest, the one that is there (keep) " +
      "or the one that comes (overwrite)",
    conflictPolicy,
    { default: "newest", commands: [...confirming, "check"] },
  ),
  again: toggle("--again", "also write sessions that an earlier run wrote and that have ended in Redis since", {
    commands: ["copy", "check"],
  }),
  dryRun: toggle("-n, --dry-run", "read, decode and report everything; write and remove nothing", {
    commands: changing,
  }),
  purge: toggle("--purge", "then remove the originals that Redis is proven to hold", { commands: ["copy", "check"] }),
  inUse: toggle("--in-use", "remove originals even if a server still uses the directory", {
    commands: removingOrChecking,
  }),
  unverified: toggle("--unverified", "remove session files without asking Redis", { commands: ["purge"] }),
  yes: toggle("--yes", "answer yes to the confirmation"),
  alone: toggle("--alone", "promise that no other run is copying this directory, if Redis cannot tell", {
    commands: removingOrChecking,
  }),
  skipCheck: toggle("--skip-check", "skip the checks that can only warn", { commands: changing }),
  probe: toggle("--probe", "let `check` write one short-lived key, to see whether Redis takes writes", {
    commands: ["check"],
  }),
});

/** Read by `--stop-after-init` only. */
export const stepSettings = group("Run", step, {
  redisSwitch: toggle("TELE_SESSION_REDIS", "with --stop-after-init: do nothing unless this is on"),
  copyExistingSwitch: toggle("TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS", "with --stop-after-init: copy"),
  purgeExistingSwitch: toggle(
    "TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS",
    "with --stop-after-init: remove the session files",
  ),
});

const limits = group("Limits", confirming, {
  maxFailed: setting("--max-failed <n or n%>", "how many sessions may fail before the exit code says so", allowance, {
    variable: "TELE_SESSION_REDIS_MAX_FAILED",
    default: "0",
  }),
  maxEnded: setting(
    "--max-ended <n%>",
    "share of the sessions of a copy or an export that may have ended since; if more have, Redis may have lost them",
    percentage,
    { variable: "TELE_SESSION_REDIS_MAX_ENDED", default: "20%" },
  ),
  maxSessionSize: setting(
    "--max-session-size <bytes>",
    "bytes of JSON that a session may take; a larger one fails",
    size,
    { default: "16 MiB", commands: all },
  ),
  maxRate: setting("--max-rate <sessions/s>", "limit to this many sessions per second", positiveCount),
  maxDurationMs: setting("--max-duration <time>", "stop after this long; run again to continue", durationMs),
  retryForMs: setting(
    "--retry-for <time>",
    "how long to keep trying to reach Redis after the connection is lost",
    durationMs,
    { default: "5m" },
  ),
  waitReplicas: setting(
    "--wait-replicas <n>",
    "replicas that must have a session before its original is removed",
    count,
    { default: "0", commands: removingOrChecking },
  ),
  sample: setting("--sample <n%>", "look at only this share of the sessions", percentage, {
    defaultShown: "all",
    commands: ["verify", "inspect"],
  }),
  lanes: setting("--lanes <n>", "threads that read and convert, the main one counted", positiveCount, {
    defaultShown: "by processors and files",
    commands: overSessions,
  }),
});

/** What a run shows, and the files it writes beside. */
export const outputSettings = group("Output", all, {
  json: toggle("--json", "print the result as one JSON object on stdout", { commands: printing }),
  report: setting("--report <file>", "write the report, with every failure, to this file; - is stdout", path, {
    commands: confirming,
  }),
  html: setting("--html <file>", "write the report to this file as one HTML page", path, { commands: reporting }),
  metricsFile: setting(
    "--metrics-file <file>",
    "write metrics of the run to this file, as node_exporter reads them",
    path,
  ),
  terminationLog: setting(
    "--termination-log <file>",
    "write the closing words to this file, as Kubernetes reads them: /dev/termination-log",
    path,
  ),
  logFormat: setting("--log-format <text|json>", "plain lines on stderr, or one JSON object a line", logFormat, {
    default: "text",
    commands: confirming,
  }),
  quiet: toggle("-q, --quiet", "print only errors and the warnings that matter", { commands: printing }),
  verbose: toggle("-v, --verbose", "also print what the run decided, and why"),
  list: toggle("--list", "print a line for each session", { commands: confirming }),
  noProgress: toggle("--no-progress", "hide the progress bar"),
  showIds: toggle("--show-ids", "show session ids in full; each is a credential"),
  noColor: setting("NO_COLOR", "no colours", anyText),
  forceColor: setting("FORCE_COLOR", "colours even without a terminal, unless 0 or false", anyText),
  continuousIntegration: setting("CI", "plain lines even on a terminal, unless 0 or false", anyText),
  columns: setting("COLUMNS", "how wide text is, in characters", anyText, {
    defaultShown: "the terminal's width, or 80",
  }),
});

/** Every setting: flags, help, docs and messages are made from this table. */
export const settingDefinitions = {
  ...sessions,
  ...redisSettings,
  ...keys,
  ...files,
  ...run,
  ...stepSettings,
  ...limits,
  ...outputSettings,
};

export type SettingDefinitions = typeof settingDefinitions;
export type SettingName = keyof SettingDefinitions;

/** Every setting with its name, in the table's order. */
export const settingEntries = Object.entries(settingDefinitions) as readonly (readonly [
  SettingName,
  SettingDefinition,
])[];
