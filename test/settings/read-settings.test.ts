import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCommandLine } from "../../src/cli/command-line/parse-command-line.js";
import { SettingsError } from "../../src/model/errors.js";
import { describeTarget } from "../../src/model/redis-target.js";
import type { RunOptions } from "../../src/model/run-options.js";
import { settingEntries } from "../../src/settings/definitions.js";
import { resolveRunOptions, resolveStepSwitches } from "../../src/settings/resolve-options.js";
import { type ConnectedCommand, connectedCommands } from "../../src/settings/setting-definition.js";
import { memoryFiles } from "../support/memory-files.js";

const files = memoryFiles({
  "/tele.conf": "[options]\ndata_dir = /srv/from-flag\n",
  "/other.conf": "[options]\ndata_dir = /srv/from-variable\n",
  "/secret": "from-the-flag's-file\n",
  "/other-secret": "from-the-variable's-file\n",
  "/ca.pem": "CA",
  "/other-ca.pem": "OTHER CA",
});

function resolve(
  flags: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  command: ConnectedCommand = "copy",
): RunOptions {
  const invocation = parseCommandLine([command, ...flags], "0", 100);
  assert.ok(invocation.kind === command);
  const machine = { ...files, environment: { HOME: "/home/tele", ...environment } };
  return resolveRunOptions(command, invocation.typed, machine);
}

function refusalOf(flags: readonly string[], environment: Readonly<Record<string, string>> = {}): string {
  try {
    resolve(flags, environment);
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.message;
  }
  assert.fail("nothing was refused");
}

/** One row of spec.md section 3: flag over variable over default. */
interface Row {
  readonly name: string;
  readonly read: (options: RunOptions) => unknown;
  readonly flag?: readonly [arguments: readonly string[], value: unknown];
  readonly variable?: readonly [environment: Readonly<Record<string, string>>, value: unknown];
  readonly fallback: unknown;
  /** A command that takes the setting; copy by default. */
  readonly command?: ConnectedCommand;
  /** Other variables that the row needs. */
  readonly beside?: Readonly<Record<string, string>>;
}

const redis = ({ target }: RunOptions) => target.redis;
const host = (options: RunOptions) => {
  const { address } = redis(options);
  return "host" in address ? address.host : describeTarget(redis(options));
};
const port = (options: RunOptions) => {
  const { address } = redis(options);
  return "host" in address ? address.port : null;
};
/** The watched master; nothing without a Sentinel. */
const watched = (options: RunOptions) => {
  const { address } = redis(options);
  return "sentinels" in address ? address : {};
};
const TLS = { TELE_SESSION_REDIS_TLS: "on" };
const SENTINEL = { TELE_SESSION_REDIS_SENTINEL_HOST: "s", TELE_SESSION_REDIS_SENTINEL_MASTER_NAME: "m" };
const oneSentinel = { masterName: "m", sentinels: [{ host: "s", port: 26379 }] };

const rows: readonly Row[] = [
  {
    name: "--session-dir",
    read: ({ source }) => source.names,
    flag: [
      ["--session-dir", "/a", "--session-dir", "/b/*"],
      ["/a", "/b/*"],
    ],
    variable: [{ TELE_SESSION_DIR: "/c" }, ["/c"]],
    fallback: ["/home/tele/.local/share/Tele/sessions"],
  },
  {
    name: "--config",
    read: ({ source }) => source.names,
    flag: [["--config", "/tele.conf"], ["/srv/from-flag/sessions"]],
    variable: [{ TELE_RC: "/other.conf" }, ["/srv/from-variable/sessions"]],
    fallback: ["/home/tele/.local/share/Tele/sessions"],
  },
  {
    name: "TELECMS_SERVER",
    read: ({ source }) => source.names,
    flag: [["--config", "/tele.conf"], ["/srv/from-flag/sessions"]],
    variable: [{ TELECMS_SERVER: "/other.conf" }, ["/srv/from-variable/sessions"]],
    fallback: ["/home/tele/.local/share/Tele/sessions"],
  },
  {
    name: "--allow-missing",
    read: ({ source }) => source.allowMissing,
    flag: [["--allow-missing"], true],
    fallback: false,
  },
  {
    name: "--url",
    read: redis,
    flag: [["--url", "redis://f:1/1"], { address: { host: "f", port: 1 }, db: 1 }],
    variable: [{ TELE_SESSION_REDIS_URL: "unix:///v?db=2" }, { address: { path: "/v" }, db: 2 }],
    fallback: { address: { host: "localhost", port: 6379 }, db: 0 },
  },
  {
    name: "--host",
    read: host,
    flag: [["--host", "f"], "f"],
    variable: [{ TELE_SESSION_REDIS_HOST: "[::1]" }, "::1"],
    fallback: "localhost",
  },
  {
    name: "--port",
    read: port,
    flag: [["--port", "1"], 1],
    variable: [{ TELE_SESSION_REDIS_PORT: "65535" }, 65535],
    fallback: 6379,
  },
  {
    name: "--db",
    read: (options) => redis(options).db,
    flag: [["--db", "1"], 1],
    variable: [{ TELE_SESSION_REDIS_DB: "02" }, 2],
    fallback: 0,
  },
  {
    name: "--username",
    read: (options) => redis(options).username,
    flag: [["--username", "f"], "f"],
    variable: [{ TELE_SESSION_REDIS_USERNAME: "v" }, "v"],
    fallback: undefined,
  },
  {
    name: "TELE_SESSION_REDIS_PASSWORD",
    read: (options) => redis(options).password,
    flag: [["--password-file", "/secret"], "from-the-flag's-file"],
    variable: [{ TELE_SESSION_REDIS_PASSWORD: " p\n" }, " p\n"],
    fallback: undefined,
  },
  {
    name: "--password-file",
    read: (options) => redis(options).password,
    flag: [["--password-file", "/secret"], "from-the-flag's-file"],
    variable: [{ TELE_SESSION_REDIS_PASSWORD_FILE: "/other-secret" }, "from-the-variable's-file"],
    fallback: undefined,
  },
  {
    name: "--tls",
    read: (options) => redis(options).tls,
    flag: [["--tls"], { insecure: false, checkHostname: true }],
    variable: [TLS, { insecure: false, checkHostname: true }],
    fallback: undefined,
  },
  {
    name: "--cluster",
    read: (options) => redis(options).isCluster,
    flag: [["--cluster"], true],
    variable: [{ TELE_SESSION_REDIS_CLUSTER: "1" }, true],
    fallback: undefined,
  },
  {
    name: "--cacert",
    read: (options) => redis(options).tls?.ca,
    flag: [["--cacert", "/ca.pem"], "CA"],
    variable: [{ TELE_SESSION_REDIS_CACERT: "/other-ca.pem" }, "OTHER CA"],
    fallback: undefined,
    beside: TLS,
  },
  {
    name: "--cert",
    read: (options) => redis(options).tls?.cert,
    flag: [["--cert", "/ca.pem", "--key", "/ca.pem"], "CA"],
    variable: [{ TELE_SESSION_REDIS_CERT: "/other-ca.pem", TELE_SESSION_REDIS_KEY: "/ca.pem" }, "OTHER CA"],
    fallback: undefined,
    beside: TLS,
  },
  {
    name: "--key",
    read: (options) => redis(options).tls?.key,
    flag: [["--cert", "/ca.pem", "--key", "/ca.pem"], "CA"],
    variable: [{ TELE_SESSION_REDIS_CERT: "/ca.pem", TELE_SESSION_REDIS_KEY: "/other-ca.pem" }, "OTHER CA"],
    fallback: undefined,
    beside: TLS,
  },
  {
    name: "--tls-servername",
    read: (options) => redis(options).tls?.servername,
    flag: [["--tls-servername", "f"], "f"],
    variable: [{ TELE_SESSION_REDIS_TLS_SERVERNAME: "v" }, "v"],
    fallback: undefined,
    beside: TLS,
  },
  {
    name: "--tls-insecure",
    read: (options) => redis(options).tls,
    flag: [["--tls-insecure"], { insecure: true, checkHostname: false }],
    variable: [{ TELE_SESSION_REDIS_TLS_INSECURE: "yes" }, { insecure: true, checkHostname: false }],
    fallback: { insecure: false, checkHostname: true },
    beside: TLS,
  },
  {
    name: "--prefix",
    read: ({ target }) => target.prefix,
    flag: [["--prefix", "f:*"], "f:*"],
    variable: [{ TELE_SESSION_REDIS_PREFIX: "vé" }, "vé"],
    fallback: null,
  },
  {
    name: "--key-layout",
    read: ({ target }) => target.keyLayout,
    flag: [["--key-layout", "applet"], "applet"],
    variable: [{ TELE_SESSION_REDIS_KEY_LAYOUT: "documented" }, "documented"],
    fallback: "auto",
  },
  {
    name: "--expiration",
    read: ({ conversion }) => conversion.expiration,
    flag: [["--expiration", "1"], 1],
    variable: [{ TELE_SESSION_REDIS_EXPIRATION: "9999999999" }, 9999999999],
    fallback: 604800,
  },
  {
    name: "--expiration-anonymous",
    read: ({ conversion }) => conversion.expirationAnonymous,
    flag: [["--expiration-anonymous", "2"], 2],
    variable: [{ TELE_SESSION_REDIS_EXPIRATION_ANONYMOUS: "0003" }, 3],
    fallback: 10800,
  },
  {
    name: "--ttl",
    read: ({ conversion }) => conversion.ttl,
    flag: [["--ttl", "full"], "full"],
    variable: [{ TELE_SESSION_REDIS_TTL: "remaining" }, "remaining"],
    fallback: "full",
  },
  {
    name: "--layout",
    read: ({ files }) => files.layout,
    flag: [["--layout", "scattered"], "scattered"],
    fallback: null,
    command: "export",
  },
  {
    name: "--format",
    read: ({ files }) => files.format,
    flag: [["--format", "json"], "json"],
    fallback: null,
    command: "export",
  },
  {
    name: "--server",
    read: ({ files }) => files.server,
    flag: [["--server", "tele-1.0"], "tele-1.0"],
    fallback: null,
    command: "export",
  },
  {
    name: "--reverse",
    read: ({ files }) => files.reverse,
    flag: [["--reverse"], true],
    fallback: false,
    command: "verify",
  },
  {
    name: "--on-conflict",
    read: ({ conflicts }) => conflicts.policy,
    flag: [["--on-conflict", "keep"], "keep"],
    fallback: "newest",
  },
  { name: "--dry-run", read: ({ run }) => run.dryRun, flag: [["--dry-run"], true], fallback: false },
  {
    name: "--alone",
    read: ({ removal }) => removal.alone,
    flag: [["--alone"], true],
    fallback: false,
  },
  {
    name: "--max-ended",
    read: ({ conflicts }) => conflicts.maxEnded,
    flag: [["--max-ended", "5%"], 5],
    variable: [{ TELE_SESSION_REDIS_MAX_ENDED: "7.5%" }, 7.5],
    fallback: 20,
  },
  {
    name: "--max-failed",
    read: ({ run }) => run.maxFailed,
    flag: [["--max-failed", "0.5%"], { percent: 0.5 }],
    variable: [{ TELE_SESSION_REDIS_MAX_FAILED: "10" }, { count: 10 }],
    fallback: { count: 0 },
  },
  {
    name: "--max-session-size",
    read: ({ conversion }) => conversion.maxSessionSize,
    flag: [["--max-session-size", "64KiB"], 65536],
    fallback: 16 * 1024 * 1024,
  },
  {
    name: "--retry-for",
    read: ({ run }) => run.retryForMs,
    flag: [["--retry-for", "1h30m"], 5_400_000],
    fallback: 300_000,
  },
  {
    name: "--again",
    read: ({ conflicts }) => conflicts.again,
    flag: [["--again"], true],
    fallback: false,
  },
  { name: "--purge", read: ({ removal }) => removal.purge, flag: [["--purge"], true], fallback: false },
  { name: "--in-use", read: ({ removal }) => removal.inUse, flag: [["--in-use"], true], fallback: false },
  {
    name: "--unverified",
    command: "purge",
    read: ({ removal }) => removal.unverified,
    flag: [["--unverified"], true],
    fallback: false,
  },
  {
    name: "--yes",
    command: "purge",
    read: ({ removal }) => removal.yes,
    flag: [["--yes"], true],
    fallback: false,
  },
  {
    name: "--sentinel",
    read: watched,
    flag: [["--sentinel", "s:1"], { ...oneSentinel, sentinels: [{ host: "s", port: 1 }] }],
    fallback: {},
    beside: { TELE_SESSION_REDIS_SENTINEL_MASTER_NAME: "m" },
  },
  {
    name: "TELE_SESSION_REDIS_SENTINEL_HOST",
    read: watched,
    variable: [{ TELE_SESSION_REDIS_SENTINEL_HOST: "s" }, oneSentinel],
    fallback: {},
    beside: { TELE_SESSION_REDIS_SENTINEL_MASTER_NAME: "m" },
  },
  {
    name: "TELE_SESSION_REDIS_SENTINEL_PORT",
    read: watched,
    variable: [{ TELE_SESSION_REDIS_SENTINEL_PORT: "7" }, { ...oneSentinel, sentinels: [{ host: "s", port: 7 }] }],
    fallback: oneSentinel,
    beside: SENTINEL,
  },
  {
    name: "--sentinel-master",
    read: watched,
    flag: [["--sentinel", "s:26379", "--sentinel-master", "f"], { ...oneSentinel, masterName: "f" }],
    variable: [
      { ...SENTINEL, TELE_SESSION_REDIS_SENTINEL_MASTER_NAME: "v" },
      { ...oneSentinel, masterName: "v" },
    ],
    fallback: {},
  },
  {
    name: "--sentinel-password-file",
    read: watched,
    flag: [["--sentinel-password-file", "/secret"], { ...oneSentinel, password: "from-the-flag's-file" }],
    fallback: oneSentinel,
    beside: SENTINEL,
  },
  {
    name: "TELE_SESSION_REDIS_SENTINEL_PASSWORD",
    read: watched,
    variable: [{ TELE_SESSION_REDIS_SENTINEL_PASSWORD: "p" }, { ...oneSentinel, password: "p" }],
    fallback: oneSentinel,
    beside: SENTINEL,
  },
  {
    name: "TELE_SESSION_REDIS_SENTINEL_USERNAME",
    read: watched,
    variable: [{ TELE_SESSION_REDIS_SENTINEL_USERNAME: "u" }, { ...oneSentinel, username: "u" }],
    fallback: oneSentinel,
    beside: SENTINEL,
  },
  {
    name: "TELE_SESSION_REDIS_SENTINEL_TLS",
    read: watched,
    variable: [
      { TELE_SESSION_REDIS_SENTINEL_TLS: "1" },
      { ...oneSentinel, tls: { insecure: false, checkHostname: true } },
    ],
    fallback: oneSentinel,
    beside: SENTINEL,
  },
  { name: "--max-rate", read: ({ run }) => run.maxRate, flag: [["--max-rate", "50"], 50], fallback: null },
  { name: "--lanes", read: ({ run }) => run.lanes, flag: [["--lanes", "3"], 3], fallback: null },
  {
    name: "--max-duration",
    read: ({ run }) => run.maxDurationMs,
    flag: [["--max-duration", "2m"], 120_000],
    fallback: null,
  },
  {
    name: "--wait-replicas",
    read: ({ removal }) => removal.waitReplicas,
    flag: [["--wait-replicas", "2"], 2],
    fallback: 0,
  },
  {
    name: "--sample",
    command: "verify",
    read: ({ source }) => source.sample,
    flag: [["--sample", "5%"], 5],
    fallback: null,
  },
  {
    name: "--shard",
    read: ({ source }) => source.shard,
    flag: [["--shard", "2/4"], { index: 1, count: 4 }],
    fallback: null,
  },
  {
    name: "--shard-count",
    read: ({ source }) => source.shard,
    flag: [["--shard-count", "4"], { index: 0, count: 4 }],
    fallback: null,
    beside: { JOB_COMPLETION_INDEX: "0" },
  },
  {
    name: "JOB_COMPLETION_INDEX",
    read: ({ source }) => source.shard,
    flag: [["--shard-count", "4"], { index: 3, count: 4 }],
    fallback: null,
    beside: { JOB_COMPLETION_INDEX: "3" },
  },
  { name: "--json", read: ({ output }) => output.json, flag: [["--json"], true], fallback: false },
  {
    name: "--report",
    read: ({ output }) => output.report,
    flag: [["--report", "r.json"], "r.json"],
    fallback: null,
  },
  { name: "--quiet", read: ({ output }) => output.quiet, flag: [["--quiet"], true], fallback: false },
  {
    name: "--html",
    read: ({ output }) => output.html,
    flag: [["--html", "r.html"], "r.html"],
    fallback: null,
  },
  {
    name: "--metrics-file",
    read: ({ output }) => output.metricsFile,
    flag: [["--metrics-file", "copy.prom"], "copy.prom"],
    fallback: null,
  },
  {
    name: "--termination-log",
    read: ({ output }) => output.terminationLog,
    flag: [["--termination-log", "/dev/termination-log"], "/dev/termination-log"],
    fallback: null,
  },
  {
    name: "--log-format",
    read: ({ output }) => output.logFormat,
    flag: [["--log-format", "json"], "json"],
    fallback: "text",
  },
  { name: "--list", read: ({ output }) => output.list, flag: [["--list"], true], fallback: false },
  { name: "--skip-check", read: ({ run }) => run.skipCheck, flag: [["--skip-check"], true], fallback: false },
  { name: "--verbose", read: ({ output }) => output.verbose, flag: [["--verbose"], true], fallback: false },
  {
    name: "--no-progress",
    read: ({ output }) => output.progress,
    flag: [["--no-progress"], false],
    fallback: true,
  },
  { name: "--show-ids", read: ({ output }) => output.showIds, flag: [["--show-ids"], true], fallback: false },
  {
    name: "NO_COLOR",
    read: ({ output }) => output.color,
    variable: [{ NO_COLOR: "0", FORCE_COLOR: "1" }, "never"],
    fallback: "auto",
  },
  {
    name: "FORCE_COLOR",
    read: ({ output }) => output.color,
    variable: [{ FORCE_COLOR: "3" }, "always"],
    fallback: "auto",
  },
  {
    name: "CI",
    read: ({ output }) => output.continuousIntegration,
    variable: [{ CI: "true" }, true],
    fallback: false,
  },
  {
    name: "COLUMNS",
    read: ({ shown }) => shown.find(({ name }) => name === "COLUMNS")?.value,
    variable: [{ COLUMNS: "100" }, "100"],
    fallback: undefined,
  },
];

describe("settings: flag over variable over default (spec.md section 3)", () => {
  for (const { name, read, flag, variable, fallback, command, beside = {} } of rows) {
    it(name, () => {
      assert.deepEqual(read(resolve([], beside, command)), fallback, "default");
      if (variable) {
        assert.deepEqual(read(resolve([], { ...beside, ...variable[0] }, command)), variable[1], "variable");
        const empty = Object.fromEntries(Object.keys(variable[0]).map((key) => [key, ""]));
        assert.deepEqual(read(resolve([], { ...beside, ...empty }, command)), fallback, "empty variable");
      }
      if (flag) {
        assert.deepEqual(
          read(resolve(flag[0], { ...beside, ...variable?.[0] }, command)),
          flag[1],
          "flag over variable",
        );
        assert.deepEqual(read(resolve(flag[0], beside, command)), flag[1], "flag");
      }
    });
  }

  it("every setting of this version has its row", () => {
    const covered = new Set(rows.map(({ name }) => name));
    const missing = settingEntries
      .filter(([, { commands }]) => connectedCommands.some((command) => commands.includes(command)))
      .map(([, { flag, variable }]) => flag ?? variable)
      .filter((name) => name !== undefined && !covered.has(name));
    assert.deepEqual(missing, []);
  });
});

describe("settings: what a value may be", () => {
  const booleans: readonly (readonly [word: string, value: boolean])[] = [
    ...["1", "true", "yes", "y", "t", "on", "TRUE", "Yes", "oN", "T"].map((word) => [word, true] as const),
    ...["0", "false", "no", "n", "f", "off", "FALSE", "No", "oFf", "F"].map((word) => [word, false] as const),
  ];
  for (const [word, value] of booleans) {
    it(`boolean ${word}`, () => {
      assert.equal(redis(resolve([], { TELE_SESSION_REDIS_TLS: word })).tls !== undefined, value);
    });
  }

  const accepted: readonly (readonly [flags: string, read: (options: RunOptions) => unknown, value: unknown])[] = [
    ["--max-session-size 1", ({ conversion }) => conversion.maxSessionSize, 1],
    ["--max-session-size 2k", ({ conversion }) => conversion.maxSessionSize, 2048],
    ["--max-session-size 3Mi", ({ conversion }) => conversion.maxSessionSize, 3 * 1024 ** 2],
    ["--max-session-size 100B", ({ conversion }) => conversion.maxSessionSize, 100],
    ["--max-session-size 512mib", ({ conversion }) => conversion.maxSessionSize, 512 * 1024 ** 2],
    ["--retry-for 90", ({ run }) => run.retryForMs, 90_000],
    ["--retry-for 90s", ({ run }) => run.retryForMs, 90_000],
    ["--retry-for 5m", ({ run }) => run.retryForMs, 300_000],
    ["--retry-for 2h", ({ run }) => run.retryForMs, 7_200_000],
    ["--retry-for 1h0m3s", ({ run }) => run.retryForMs, 3_603_000],
    ["--retry-for 0", ({ run }) => run.retryForMs, 0],
    ["--max-failed 100%", ({ run }) => run.maxFailed, { percent: 100 }],
    ["--host 10.0.0.1", host, "10.0.0.1"],
    ["--host fe80::1%eth0", host, "fe80::1%eth0"],
    ["--host redis_1.example", host, "redis_1.example"],
    ["--prefix=-x", ({ target }) => target.prefix, "-x"],
    ["--prefix=", ({ target }) => target.prefix, null],
  ];
  for (const [flags, read, value] of accepted) {
    it(flags, () => assert.deepEqual(read(resolve(flags.split(" "), { TELE_SESSION_REDIS_PREFIX: "other" })), value));
  }

  it("an empty flag hides its variable", () => {
    assert.equal(redis(resolve(["--username", ""], { TELE_SESSION_REDIS_USERNAME: "v" })).username, undefined);
  });
});

describe("settings: a bad value is refused and its origin named", () => {
  const bad: readonly (readonly [flag: string, variable: string | null, values: readonly string[], takes: string])[] = [
    [
      "--port",
      "TELE_SESSION_REDIS_PORT",
      ["0", "65536", "0x10", "1e3", " 1", "-1", "1.0", "abc", "٣"],
      "a port, 1 to 65535",
    ],
    ["--db", "TELE_SESSION_REDIS_DB", ["-1", "1.5", "x", "99999999999"], "a database number"],
    ["--host", "TELE_SESSION_REDIS_HOST", ["a b", "h:1", "h/1", "[h]", "[::1", "\u001b[31m", "a\\b"], "a host name"],
    ["--tls-servername", "TELE_SESSION_REDIS_TLS_SERVERNAME", ["a b"], "a host name"],
    ["--username", "TELE_SESSION_REDIS_USERNAME", ["a\nb"], "text without control characters"],
    ["--prefix", "TELE_SESSION_REDIS_PREFIX", ["a\nb", "\u0085", "\u007f"], "text without control characters"],
    ["--key-layout", "TELE_SESSION_REDIS_KEY_LAYOUT", ["AUTO", "x"], "documented, applet, auto"],
    ["--ttl", "TELE_SESSION_REDIS_TTL", ["Full", "3600"], "full, remaining"],
    [
      "--expiration",
      "TELE_SESSION_REDIS_EXPIRATION",
      ["0", "-5", "12345678901", "1h", "1.0", "0x10"],
      "of at most 10 digits",
    ],
    ["--expiration-anonymous", "TELE_SESSION_REDIS_EXPIRATION_ANONYMOUS", ["0", "ten"], "of at most 10 digits"],
    ["--max-failed", "TELE_SESSION_REDIS_MAX_FAILED", ["-1", "101%", "%", "1.5", "x"], "as in 10 or 1%"],
    ["--max-session-size", null, ["0", "513MiB", "1MB", "1TiB", "1.5KiB", "-1"], "512 MiB"],
    ["--retry-for", null, ["5 m", "m", "1h30", "30s1h", "1d", "-1", "1.5h"], "1h30m"],
    ["--on-conflict", null, ["x"], "newest, keep, overwrite"],
    ["--shard", null, ["0/4", "5/4", "1", "1/0"], "i/n, with i from 1 to n"],
    ["--lanes", null, ["0", "x"], "1 or more"],
    ["--sentinel", null, ["h", "h:0", "a:b@h:1", "::1:26379"], "as in sentinel-1:26379"],
  ];
  for (const [flag, variable, values, takes] of bad) {
    for (const value of values) {
      it(`${flag} ${JSON.stringify(value)}`, () => {
        const message = refusalOf([`${flag}=${value}`]);
        assert.ok(message.startsWith(`${flag}: `) && message.includes(takes), message);
        assert.ok(!/\p{Cc}/u.test(message), "control characters are escaped");
        if (variable === null) return;
        const fromVariable = refusalOf([], { [variable]: value });
        assert.ok(fromVariable.startsWith(`${variable}: `) && fromVariable.includes(takes), fromVariable);
      });
    }
  }
  for (const flag of [
    "--host",
    "--session-dir",
    "--config",
    "--report",
    "--password-file",
    "--cacert",
    "--url",
    "--port",
  ]) {
    it(`${flag} without text`, () => assert.ok(refusalOf([`${flag}=`]).startsWith(`${flag}: `)));
  }
  for (const variable of ["TELE_SESSION_REDIS_TLS", "TELE_SESSION_REDIS_TLS_INSECURE", "TELE_SESSION_REDIS_CLUSTER"]) {
    it(`${variable} takes booleans only`, () => {
      for (const word of ["2", "enabled", " true", "ja"]) {
        assert.match(refusalOf([], { [variable]: word }), new RegExp(`^${variable}: .*1 true yes y t on`));
      }
    });
  }

  it("all of them are named at once", () => {
    const message = refusalOf(["--port", "x", "--db", "y"], { TELE_SESSION_REDIS_TTL: "z" });
    assert.match(message, /^--port: "x".*\n--db: "y".*\nTELE_SESSION_REDIS_TTL: "z"/);
  });

  it("problems of different parts are named at once", () => {
    const message = refusalOf(["--config", "/no", "--password-file", "/none"]);
    assert.match(message, /^--config: .*\/no.*ENOENT\)\n--password-file: .*\/none.*ENOENT\)$/);
  });
});

describe("settings: a shard is refused by name (spec.md section 3)", () => {
  const rows: readonly (readonly [flags: readonly string[], index: string | undefined, says: RegExp])[] = [
    [["--shard", "1/4", "--shard-count", "4"], "0", /^--shard and --shard-count cannot be used together$/],
    [["--shard-count", "4"], undefined, /^--shard-count needs JOB_COMPLETION_INDEX, from 0 to/],
    [["--shard-count", "4"], "", /^--shard-count needs JOB_COMPLETION_INDEX/],
    [["--shard-count", "4"], "4", /^--shard-count needs JOB_COMPLETION_INDEX/],
    [["--shard-count", "4"], "-1", /^JOB_COMPLETION_INDEX: "-1" is not usable/],
    [["--shard-count", "0"], "0", /^--shard-count: "0" is not usable/],
    [["--shard", "5/4"], undefined, /^--shard: "5\/4" is not usable; it takes i\/n, with i from 1 to n$/],
  ];
  for (const [flags, index, says] of rows) {
    it(`${flags.join(" ")}${index === undefined ? "" : `, index ${JSON.stringify(index)}`}`, () =>
      assert.match(refusalOf(flags, index === undefined ? {} : { JOB_COMPLETION_INDEX: index }), says));
  }

  it("without --shard-count the variable of any other job means nothing", () =>
    assert.equal(resolve([], { JOB_COMPLETION_INDEX: "x" }).source.shard, null));
});

describe("settings: no message shows a secret", () => {
  const secret = "hunter2";
  const attempts: readonly (readonly [name: string, flags: readonly string[], environment?: Record<string, string>])[] =
    [
      ["a URL of another scheme", ["--url", `http://u:${secret}@h`]],
      ["a URL of another scheme in the variable", [], { TELE_SESSION_REDIS_URL: `http://u:${secret}@h` }],
      ["a URL cut short by its password", ["--url", `redis://u:${secret}#@h`]],
      ["a URL as host", ["--host", `redis://:${secret}@h`]],
      ["a URL as port", ["--port", `redis://:${secret}@h`]],
      ["credentials as host", ["--host", `u:${secret}@h`]],
      ["credentials with a Sentinel", ["--sentinel", `:${secret}@h:1`]],
      ["an option of a URL", ["--url", `redis://h?${secret}=1`]],
      ["a URL's password beside another problem", ["--url", `redis://:${secret}@h`, "--db", "1"]],
      ["two passwords", [], { TELE_SESSION_REDIS_PASSWORD: secret, TELE_SESSION_REDIS_PASSWORD_FILE: "/secret" }],
      ["the password beside another problem", ["--port", "x"], { TELE_SESSION_REDIS_PASSWORD: secret }],
    ];
  for (const [name, flags, environment] of attempts) {
    it(name, () => assert.ok(!refusalOf(flags, environment).includes(secret)));
  }

  it("a sid in a path is cut", () => {
    assert.ok(!refusalOf(["--config", `/${"a1".repeat(20)}`]).includes("a1".repeat(20)));
  });
});

describe("settings: what completes another setting", () => {
  it("is passed over while that is unset", () => {
    resolve([], {
      TELE_SESSION_REDIS_SENTINEL_PORT: "x",
      TELE_SESSION_REDIS_SENTINEL_MASTER_NAME: "m",
      TELE_SESSION_REDIS_SENTINEL_PASSWORD: "p",
      TELE_SESSION_REDIS_CLUSTER: "off",
      JOB_COMPLETION_INDEX: "3",
      TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1",
    });
  });
});

describe("settings: the switches of --stop-after-init", () => {
  const on = { TELE_SESSION_REDIS: "1" };
  const copyOn = { TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "True" };
  const purgeOn = { TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "y" };
  const off = { redis: false, copyExisting: false, purgeExisting: false };

  it("unset: off", () => assert.deepEqual(resolveStepSwitches({}), off));
  it("off, whatever the others say", () => assert.deepEqual(resolveStepSwitches({ ...copyOn, ...purgeOn }), off));
  it("on alone", () => assert.deepEqual(resolveStepSwitches(on), { ...off, redis: true }));
  it("copy", () =>
    assert.deepEqual(resolveStepSwitches({ ...on, ...copyOn }), { ...off, redis: true, copyExisting: true }));
  it("purge, alone and after a copy", () => {
    const purge = { ...off, redis: true, purgeExisting: true };
    assert.deepEqual(resolveStepSwitches({ ...on, ...purgeOn }), purge);
    assert.deepEqual(resolveStepSwitches({ ...on, ...copyOn, ...purgeOn }), { ...purge, copyExisting: true });
  });
  it("a word that is not a boolean", () => {
    assert.throws(
      () => resolveStepSwitches({ TELE_SESSION_REDIS: "maybe" }),
      /^SettingsError: TELE_SESSION_REDIS: "maybe"/,
    );
  });
  it("other settings are not its business", () => {
    assert.deepEqual(resolveStepSwitches({ TELE_SESSION_REDIS_PORT: "x" }), off);
  });
});
