import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunOptions } from "../../src/model/run-options.js";
import { resolveRunOptions } from "../../src/settings/resolve-options.js";
import type { Environment, TypedFlags } from "../../src/settings/setting-sources.js";
import { memoryFiles } from "../support/memory-files.js";

const password = Array.from({ length: 0x17f }, (_, code) => String.fromCodePoint(code + 1)).join("");
const files = memoryFiles({
  "/plain": "pw\n",
  "/windows": "pw\r\n",
  "/two-ends": "pw\n\n",
  "/any": `${password}\n`,
  "/marked": "\ufeffpw",
  "/empty": "\n",
  "/latin-1": Buffer.from([0x70, 0xe9]),
  "/ca.pem": "CA",
});

function resolve(typed: TypedFlags, environment: Environment = {}): RunOptions {
  return resolveRunOptions("copy", typed, { ...files, environment: { HOME: "/home/tele", ...environment } });
}

const URL = "TELE_SESSION_REDIS_URL";
const HOST = "TELE_SESSION_REDIS_HOST";
const PORT = "TELE_SESSION_REDIS_PORT";
const DB = "TELE_SESSION_REDIS_DB";
const USERNAME = "TELE_SESSION_REDIS_USERNAME";
const PASSWORD = "TELE_SESSION_REDIS_PASSWORD";
const PASSWORD_FILE = "TELE_SESSION_REDIS_PASSWORD_FILE";
const SENTINEL_HOST = "TELE_SESSION_REDIS_SENTINEL_HOST";
const SENTINEL_PORT = "TELE_SESSION_REDIS_SENTINEL_PORT";
const SENTINEL_MASTER = "TELE_SESSION_REDIS_SENTINEL_MASTER_NAME";
const SENTINEL_USERNAME = "TELE_SESSION_REDIS_SENTINEL_USERNAME";
const SENTINEL_PASSWORD = "TELE_SESSION_REDIS_SENTINEL_PASSWORD";
const SENTINEL_TLS = "TELE_SESSION_REDIS_SENTINEL_TLS";
const byVariables = { [SENTINEL_HOST]: "s", [SENTINEL_MASTER]: "m" };
const one = (host: string, port = 26379) => ({ masterName: "m", sentinels: [{ host, port }] });

describe("connection: which Redis is meant (spec.md section 3)", () => {
  const rows: readonly (readonly [
    name: string,
    typed: TypedFlags,
    environment: Environment,
    address: object,
    db: number,
  ])[] = [
    [
      "a URL over host and port",
      {},
      { [URL]: "redis://u/1", [HOST]: "h", [PORT]: "1", [DB]: "2" },
      { host: "u", port: 6379 },
      1,
    ],
    ["a URL without a host is localhost", {}, { [URL]: "redis://", [HOST]: "h" }, { host: "localhost", port: 6379 }, 0],
    ["--host hides the URL variable", { host: "f" }, { [URL]: "redis://u/1" }, { host: "f", port: 6379 }, 0],
    ["--host keeps port and database variables", { host: "f" }, { [PORT]: "1", [DB]: "2" }, { host: "f", port: 1 }, 2],
    ["--host hides Sentinel variables", { host: "f" }, { [SENTINEL_HOST]: "s" }, { host: "f", port: 6379 }, 0],
    [
      "--url hides host, port and database variables",
      { url: "redis://f" },
      { [HOST]: "h", [PORT]: "x", [DB]: "y" },
      { host: "f", port: 6379 },
      0,
    ],
    ["--url hides Sentinel variables", { url: "redis://f" }, { [SENTINEL_HOST]: "s" }, { host: "f", port: 6379 }, 0],
    ["--url hides the URL variable", { url: "redis://f" }, { [URL]: "nonsense" }, { host: "f", port: 6379 }, 0],
    ["--host hides a bad URL variable", { host: "f" }, { [URL]: "nonsense" }, { host: "f", port: 6379 }, 0],
    ["a Unix socket", {}, { [URL]: "unix:///run/r?db=3" }, { path: "/run/r" }, 3],
    [
      "a Sentinel over URL, host and port",
      {},
      { ...byVariables, [URL]: "redis://u/1", [HOST]: "h", [PORT]: "1", [DB]: "2" },
      one("s"),
      2,
    ],
    ["the Sentinel's port", {}, { ...byVariables, [SENTINEL_PORT]: "7" }, one("s", 7), 0],
    [
      "--sentinel, repeated, hides the other connection variables",
      { sentinel: ["a:1", "[::1]:2"], sentinelMaster: "m" },
      { ...byVariables, [SENTINEL_PORT]: "x", [URL]: "nonsense", [HOST]: "h", [PORT]: "y" },
      {
        masterName: "m",
        sentinels: [
          { host: "a", port: 1 },
          { host: "::1", port: 2 },
        ],
      },
      0,
    ],
    [
      "--sentinel takes the master's name from the variable",
      { sentinel: ["a:1"] },
      { [SENTINEL_MASTER]: "m" },
      one("a", 1),
      0,
    ],
    [
      "the Sentinels' own login",
      {},
      { ...byVariables, [SENTINEL_USERNAME]: "u", [SENTINEL_PASSWORD]: "p" },
      { ...one("s"), username: "u", password: "p" },
      0,
    ],
    [
      "--sentinel-password-file over the variable",
      { sentinelPasswordFile: "/plain" },
      { ...byVariables, [SENTINEL_PASSWORD]: "p" },
      { ...one("s"), password: "pw" },
      0,
    ],
    ["the master's login is not the Sentinels'", { passwordFile: "/plain", username: "u" }, byVariables, one("s"), 0],
    [
      "Odoo's names",
      {},
      { ODOO_SESSION_REDIS_SENTINEL_HOST: "s", ODOO_SESSION_REDIS_SENTINEL_MASTER_NAME: "m" },
      one("s"),
      0,
    ],
  ];
  for (const [name, typed, environment, address, db] of rows) {
    it(name, () => {
      const { redis } = resolve(typed, environment).target;
      assert.deepEqual({ address: redis.address, db: redis.db }, { address, db });
    });
  }

  const refused: readonly (readonly [name: string, typed: TypedFlags, environment: Environment, message: RegExp])[] = [
    [
      "--url and --host",
      { url: "redis://u", host: "h" },
      {},
      /^SettingsError: --url and --host cannot be used together/,
    ],
    [
      "--port with a URL",
      { port: "1" },
      { [URL]: "redis://u" },
      /--port and TELE_SESSION_REDIS_URL cannot be used together: the URL gives the port/,
    ],
    [
      "--db with a URL",
      { url: "redis://u", db: "1" },
      {},
      /--db and --url cannot be used together: the URL gives the database/,
    ],
    [
      "a Sentinel without the master's name",
      {},
      { [URL]: "redis://u", [SENTINEL_HOST]: "s" },
      /^SettingsError: TELE_SESSION_REDIS_SENTINEL_HOST needs the master's name: --sentinel-master or/,
    ],
    ["--sentinel without it", { sentinel: ["s:1"] }, {}, /^SettingsError: --sentinel needs the master's name/],
    [
      "--sentinel and --url",
      { sentinel: ["s:1"], sentinelMaster: "m", url: "redis://u" },
      {},
      /^SettingsError: --url and --sentinel cannot be used together/,
    ],
    [
      "--port with a Sentinel",
      { port: "1" },
      byVariables,
      /^SettingsError: --port and TELE_SESSION_REDIS_SENTINEL_HOST cannot be used together/,
    ],
    [
      "--sentinel-master without a Sentinel",
      { sentinelMaster: "m" },
      {},
      /^SettingsError: --sentinel-master needs a Sentinel: --sentinel or TELE_SESSION_REDIS_SENTINEL_HOST/,
    ],
    [
      "an empty Sentinel password file",
      { sentinelPasswordFile: "/empty" },
      byVariables,
      /--sentinel-password-file: the file "\/empty" is empty/,
    ],
    ["a certificate authority without TLS to either", { cacert: "/ca.pem" }, byVariables, /--cacert needs TLS/],
    ["both passwords", {}, { [PASSWORD]: "a", [PASSWORD_FILE]: "/plain" }, /PASSWORD and .*PASSWORD_FILE both give/],
    [
      "both passwords beside a URL",
      {},
      { [URL]: "redis://h", [PASSWORD]: "a", [PASSWORD_FILE]: "/plain" },
      /both give/,
    ],
    [
      "two flags for one password",
      { url: "redis://:x@h", passwordFile: "/plain" },
      {},
      /--url and --password-file give the same thing/,
    ],
    [
      "two flags for one user name",
      { url: "redis://x@h", username: "y" },
      {},
      /--url and --username give the same thing/,
    ],
    ["an empty password file", { passwordFile: "/empty" }, {}, /--password-file: the file "\/empty" is empty/],
    ["a password file that is not UTF-8", { passwordFile: "/latin-1" }, {}, /it is not UTF-8 text/],
    ["a missing password file", {}, { [PASSWORD_FILE]: "/none" }, /TELE_SESSION_REDIS_PASSWORD_FILE: .*ENOENT/],
    ["TLS on a Unix socket", { tls: true, url: "unix:///r" }, {}, /--tls: there is no TLS on a Unix socket/],
    ["--cacert without TLS", { cacert: "/ca.pem" }, {}, /--cacert needs TLS/],
    ["--tls-insecure without TLS", { tlsInsecure: true, url: "redis://h" }, {}, /--tls-insecure needs TLS/],
    [
      "--cert without --key",
      { tls: true, cert: "/ca.pem" },
      {},
      /^SettingsError: --cert needs the certificate's key: --key/,
    ],
    [
      "--cert beside a URL without a key",
      { cert: "/ca.pem", url: "rediss://h" },
      {},
      /--cert needs the certificate's key/,
    ],
    ["--key without --cert", { tls: true, key: "/ca.pem" }, {}, /--key: a key needs its certificate/],
    ["--key without TLS", { key: "/ca.pem", cert: "/ca.pem" }, {}, /--cert needs TLS/],
    [
      "the address of a Kubernetes Service as port",
      {},
      { [PORT]: "tcp://10.0.0.7:6379" },
      /^SettingsError: TELE_SESSION_REDIS_PORT is not a port: Kubernetes set it for .* tele-session-redis/,
    ],
    [
      "the address of a Kubernetes Service in Odoo's variable",
      {},
      { ODOO_SESSION_REDIS_PORT: "udp://10.0.0.7:6379" },
      /ODOO_SESSION_REDIS_PORT is not a port: Kubernetes set it for a Service called odoo-session-redis/,
    ],
    ["--json with --report -", { json: true, report: "-" }, {}, /--json and --report - both print the report/],
    ["--tls-servername without TLS", { tlsServername: "n" }, {}, /--tls-servername needs TLS/],
    [
      "a URL's missing certificate",
      {},
      { [URL]: "rediss://h?ssl_ca_certs=/none" },
      /TELE_SESSION_REDIS_URL: .*"\/none".*ENOENT/,
    ],
  ];
  for (const [name, typed, environment, message] of refused) {
    it(`refused: ${name}`, () => assert.throws(() => resolve(typed, environment), message));
  }
});

describe("connection: credentials", () => {
  const rows: readonly (readonly [
    name: string,
    typed: TypedFlags,
    environment: Environment,
    credentials: readonly [username: string | undefined, password: string | undefined],
  ])[] = [
    ["none", {}, {}, [undefined, undefined]],
    ["any character in the variable", {}, { [PASSWORD]: password }, [undefined, password]],
    ["any character in the file", { passwordFile: "/any" }, {}, [undefined, password]],
    ["one line end is dropped", { passwordFile: "/plain" }, {}, [undefined, "pw"]],
    ["one Windows line end is dropped", { passwordFile: "/windows" }, {}, [undefined, "pw"]],
    ["one of two", { passwordFile: "/two-ends" }, {}, [undefined, "pw\n"]],
    ["a byte order mark stays", { passwordFile: "/marked" }, {}, [undefined, "\ufeffpw"]],
    [
      "--password-file over both variables",
      { passwordFile: "/plain" },
      { [PASSWORD]: "x", [PASSWORD_FILE]: "/any" },
      [undefined, "pw"],
    ],
    ["a URL's own", {}, { [URL]: "redis://u:p@h", [USERNAME]: "v", [PASSWORD]: "x" }, ["u", "p"]],
    ["a URL without a password takes the variable's", {}, { [URL]: "redis://u@h", [PASSWORD]: "x" }, ["u", "x"]],
    ["so does one typed", { url: "redis://h" }, { [USERNAME]: "v", [PASSWORD]: "x" }, ["v", "x"]],
    ["a URL without a user name takes the variable's", {}, { [URL]: "redis://:p@h", [USERNAME]: "v" }, ["v", "p"]],
    [
      "flags over a URL in the variable",
      { username: "f", passwordFile: "/plain" },
      { [URL]: "redis://u:p@h" },
      ["f", "pw"],
    ],
    ["a typed URL over variables", { url: "redis://u:p@h" }, { [USERNAME]: "v", [PASSWORD]: "x" }, ["u", "p"]],
    ["on a Unix socket", { url: "unix://u:p@/r" }, {}, ["u", "p"]],
  ];
  for (const [name, typed, environment, expected] of rows) {
    it(name, () => {
      const { redis } = resolve(typed, environment).target;
      assert.deepEqual([redis.username, redis.password], expected);
    });
  }
});

describe("connection: TLS", () => {
  const rows: readonly (readonly [name: string, typed: TypedFlags, tls: object | undefined])[] = [
    ["a redis: URL is plain text", { url: "redis://h" }, undefined],
    ["a rediss: URL verifies", { url: "rediss://h" }, { insecure: false, checkHostname: true }],
    ["upper case is no way to plain text", { url: "REDISS://h" }, { insecure: false, checkHostname: true }],
    [
      "--tls makes a redis: URL a rediss: one",
      { url: "redis://h", tls: true },
      { insecure: false, checkHostname: true },
    ],
    ["ssl_cert_reqs=none", { url: "rediss://h?ssl_cert_reqs=none" }, { insecure: true, checkHostname: false }],
    [
      "ssl_cert_reqs=optional verifies",
      { url: "rediss://h?ssl_cert_reqs=optional" },
      { insecure: false, checkHostname: true },
    ],
    ["ssl_check_hostname=no", { url: "rediss://h?ssl_check_hostname=no" }, { insecure: false, checkHostname: false }],
    ["ssl_ca_certs", { url: "rediss://h?ssl_ca_certs=/ca.pem" }, { ca: "CA", insecure: false, checkHostname: true }],
    ["--tls-insecure with a URL", { url: "rediss://h", tlsInsecure: true }, { insecure: true, checkHostname: false }],
  ];
  for (const [name, typed, tls] of rows) {
    it(name, () => assert.deepEqual(resolve(typed).target.redis.tls, tls));
  }
});

describe("connection: TLS to Sentinels and to the master", () => {
  const verified = { ca: "CA", insecure: false, checkHostname: true };
  const rows: readonly (readonly [
    name: string,
    typed: TypedFlags,
    environment: Environment,
    master: object | undefined,
    sentinels: object | undefined,
  ])[] = [
    ["to neither", {}, {}, undefined, undefined],
    ["to the master", { tls: true, cacert: "/ca.pem" }, {}, verified, undefined],
    ["to the Sentinels", { cacert: "/ca.pem" }, { [SENTINEL_TLS]: "1" }, undefined, verified],
    ["to both", { tls: true, cacert: "/ca.pem" }, { [SENTINEL_TLS]: "1" }, verified, verified],
  ];
  for (const [name, typed, environment, master, sentinels] of rows) {
    it(name, () => {
      const { redis } = resolve(typed, { ...byVariables, ...environment }).target;
      const { address } = redis;
      assert.ok("sentinels" in address);
      assert.deepEqual([redis.tls, address.tls], [master, sentinels]);
    });
  }
});

describe("connection: warnings", () => {
  const rows: readonly (readonly [
    name: string,
    typed: TypedFlags,
    environment: Environment,
    warnings: readonly RegExp[],
  ])[] = [
    ["none", {}, {}, []],
    ["none for what the applet reads", {}, { [HOST]: "h", [PORT]: "1", [PASSWORD]: "x", [DB]: "0" }, []],
    ["none for what stands in a URL", {}, { [URL]: "rediss://u:p@h/1" }, []],
    ["database", { db: "1" }, {}, [/^--db: session_redis before 18.0 does not read/]],
    ["database variable", {}, { [DB]: "1" }, [/^TELE_SESSION_REDIS_DB: session_redis before/]],
    ["user name", {}, { [USERNAME]: "v" }, [/^TELE_SESSION_REDIS_USERNAME: session_redis before/]],
    ["TLS", { tls: true }, {}, [/^--tls: session_redis before/]],
    ["none with a Sentinel", {}, byVariables, []],
    ["a database with a Sentinel", { db: "1" }, byVariables, [/^--db: session_redis before 18\.0 does not read/]],
    [
      "a URL beside a Sentinel",
      {},
      { ...byVariables, [URL]: "redis://u" },
      [/^TELE_SESSION_REDIS_URL is ignored: a Sentinel is set$/],
    ],
    ["a password in --url", { url: "redis://:hunter2@h" }, {}, [/^--url holds a password, which shows in `ps`/]],
    ["a URL beside another host", {}, { [URL]: "redis://u", [HOST]: "h" }, [/^TELE_SESSION_REDIS_HOST is ignored/]],
    ["a URL beside the same host", {}, { [URL]: "redis://u:1", [HOST]: "u", [PORT]: "1" }, []],
    [
      "a URL whose path is no database",
      {},
      { [URL]: "redis://h/hunter2" },
      [/^TELE_SESSION_REDIS_URL: .*database 0 is used/],
    ],
  ];
  for (const [name, typed, environment, expected] of rows) {
    it(name, () => {
      const options = resolve(typed, environment);
      const missed = options.missedByOldApplets.map(({ name, found }) => `${name}: ${found}`);
      const warnings = [...missed, ...options.warnings];
      assert.equal(warnings.length, expected.length, warnings.join("\n"));
      for (const [index, pattern] of expected.entries()) assert.match(warnings[index] ?? "", pattern);
      assert.ok(!warnings.join().includes("hunter2"));
    });
  }
});

describe("connection: hints for a login that is refused (spec.md section 3)", () => {
  const rows: readonly (readonly [
    name: string,
    typed: TypedFlags,
    environment: Environment,
    hint: RegExp | undefined,
  ])[] = [
    ["none for a plain password", {}, { [PASSWORD]: "hunter2" }, undefined],
    ["a newline", {}, { [PASSWORD]: "hunter2\n" }, /of TELE_SESSION_REDIS_PASSWORD ends in a newline/],
    ["a Windows line end", {}, { [PASSWORD]: "hunter2\r\n" }, /ends in a newline/],
    ["a blank at the end", {}, { [PASSWORD]: "hunter2 " }, /ends in white space/],
    ["a blank at the start", {}, { [PASSWORD]: "\thunter2" }, /begins with white space/],
    ["quotation marks", {}, { [PASSWORD]: '"hunter2"' }, /is in quotation marks/],
    ["none for one line end of a file", { passwordFile: "/plain" }, {}, undefined],
    ["the second line end of a file", { passwordFile: "/two-ends" }, {}, /--password-file ends in a newline/],
    ["in a URL", {}, { [URL]: "redis://:hunter2%0A@h" }, /TELE_SESSION_REDIS_URL ends in a newline/],
    ["in Odoo's variable", {}, { ODOO_SESSION_REDIS_PASSWORD: "hunter2\n" }, /ODOO_SESSION_REDIS_PASSWORD/],
    ["in a user name", {}, { [USERNAME]: "hunter2 ", [PASSWORD]: "x" }, /REDIS_USERNAME ends in white space/],
    ["none for a variable that the URL overrides", {}, { [URL]: "redis://:p@h", [PASSWORD]: "hunter2\n" }, undefined],
  ];
  for (const [name, typed, environment, expected] of rows) {
    it(name, () => {
      const hint = resolve(typed, environment).target.redis.hints?.login;
      if (expected === undefined) assert.equal(hint, undefined);
      else assert.match(hint ?? "", expected);
      assert.ok(!hint?.includes("hunter2"));
    });
  }
});
