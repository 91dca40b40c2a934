import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RunOptions } from "../../src/model/run-options.js";
import { resolveRunOptions, resolveStepSwitches } from "../../src/settings/resolve-options.js";
import type { Environment, TypedFlags } from "../../src/settings/setting-sources.js";
import { memoryFiles } from "../support/memory-files.js";

const machine = {
  "/odoo.conf": "[options]\ndata_dir = /srv/odoo\n",
  "/tele.conf": "[options]\ndata_dir = /srv/tele\n",
  "/empty.conf": "[options]\n",
  "/ca.pem": "CA",
};
const teleDefault = "/home/tele/.local/share/Tele/sessions";
const odooDefault = "/home/tele/.local/share/Odoo/sessions";

function resolve(environment: Environment, typed: TypedFlags = {}, files = memoryFiles(machine)): RunOptions {
  return resolveRunOptions("copy", typed, { ...files, environment: { HOME: "/home/tele", ...environment } });
}

describe("Odoo's variables: the connection as a whole (spec.md section 3)", () => {
  const verified = { insecure: false, checkHostname: true };
  const rows: readonly (readonly [name: string, environment: Environment, typed: TypedFlags, target: object])[] = [
    [
      "host, port and database",
      {
        ODOO_SESSION_REDIS_HOST: "o",
        ODOO_SESSION_REDIS_PORT: "1",
        ODOO_SESSION_REDIS_DB: "2",
        ODOO_SESSION_REDIS_SSL: "0",
      },
      {},
      { address: { host: "o", port: 1 }, db: 2 },
    ],
    [
      "a URL; the switch for TLS means host and port only",
      { ODOO_SESSION_REDIS_URL: "redis://o/3", ODOO_SESSION_REDIS_SSL: "1" },
      {},
      { address: { host: "o", port: 6379 }, db: 3 },
    ],
    [
      "TLS",
      { ODOO_SESSION_REDIS_HOST: "o", ODOO_SESSION_REDIS_SSL: "True" },
      {},
      { address: { host: "o", port: 6379 }, db: 0, tls: verified },
    ],
    [
      "certificates that are not verified",
      { ODOO_SESSION_REDIS_SSL: "1", ODOO_SESSION_REDIS_SSL_CERT_REQS: "off" },
      {},
      { address: { host: "localhost", port: 6379 }, db: 0, tls: { insecure: true, checkHostname: false } },
    ],
    [
      "certificates that are verified by name",
      { ODOO_SESSION_REDIS_SSL: "1", ODOO_SESSION_REDIS_SSL_CERT_REQS: "on" },
      {},
      { address: { host: "localhost", port: 6379 }, db: 0, tls: verified },
    ],
    [
      "both connections, the same after parsing",
      {
        TELE_SESSION_REDIS_URL: "redis://u:p@o:1/2",
        ODOO_SESSION_REDIS_HOST: "o",
        ODOO_SESSION_REDIS_PORT: "1",
        ODOO_SESSION_REDIS_DB: "2",
        ODOO_SESSION_REDIS_USERNAME: "u",
        ODOO_SESSION_REDIS_PASSWORD: "p",
      },
      {},
      { address: { host: "o", port: 1 }, db: 2, username: "u", password: "p" },
    ],
    [
      "a flag ends the comparison; Tele's connection counts",
      { TELE_SESSION_REDIS_PORT: "1", ODOO_SESSION_REDIS_HOST: "o" },
      { host: "f" },
      { address: { host: "f", port: 1 }, db: 0 },
    ],
    [
      "a flag completes Odoo's connection",
      { ODOO_SESSION_REDIS_HOST: "o", ODOO_SESSION_REDIS_SSL: "no" },
      { port: "9" },
      { address: { host: "o", port: 9 }, db: 0 },
    ],
  ];
  for (const [name, environment, typed, target] of rows) {
    it(name, () => assert.deepEqual(resolve(environment, typed).target.redis, target));
  }

  it("TLS that nobody asked for is a hint of a failed connection", () => {
    const hint = (environment: Environment) => resolve(environment).target.redis.hints?.connection;
    assert.match(hint({ ODOO_SESSION_REDIS_HOST: "o" }) ?? "", /SSL is unset: session_redis 18\.0/);
    assert.match(hint({ ODOO_SESSION_REDIS_PORT: "1" }) ?? "", /SSL is unset/);
    assert.equal(hint({ ODOO_SESSION_REDIS_HOST: "o", ODOO_SESSION_REDIS_SSL: "0" }), undefined);
    assert.equal(hint({ ODOO_SESSION_REDIS_URL: "redis://o" }), undefined);
    assert.equal(hint({ TELE_SESSION_REDIS_HOST: "o" }), undefined);
  });

  const differing: readonly (readonly [name: string, environment: Environment, says: RegExp])[] = [
    [
      "another host",
      { TELE_SESSION_REDIS_HOST: "t", ODOO_SESSION_REDIS_HOST: "o" },
      /different servers: single t:6379\/0 and single o:6379\/0/,
    ],
    ["another database", { TELE_SESSION_REDIS_URL: "redis://h/1", ODOO_SESSION_REDIS_HOST: "h" }, /different servers/],
    [
      "another password",
      { TELE_SESSION_REDIS_PASSWORD: "hunter2", ODOO_SESSION_REDIS_PASSWORD: "hunter3" },
      /differ in the credentials or TLS/,
    ],
    [
      "TLS on one side",
      { TELE_SESSION_REDIS_HOST: "h", ODOO_SESSION_REDIS_HOST: "h", ODOO_SESSION_REDIS_SSL: "1" },
      /differ in the credentials or TLS/,
    ],
    [
      "a Sentinel on one side",
      {
        TELE_SESSION_REDIS_HOST: "h",
        ODOO_SESSION_REDIS_SENTINEL_HOST: "s",
        ODOO_SESSION_REDIS_SENTINEL_MASTER_NAME: "m",
      },
      /single h:6379\/0 and m\/0 of Sentinel s:26379/,
    ],
  ];
  for (const [name, environment, says] of differing) {
    it(`refused: ${name}`, () => {
      assert.throws(
        () => resolve(environment),
        (error) =>
          error instanceof Error &&
          error.name === "SettingsError" &&
          says.test(error.message) &&
          !error.message.includes("hunter"),
      );
    });
  }

  it("a Cluster by Odoo's name", () => {
    const resolved = resolve({ ODOO_SESSION_REDIS_HOST: "h", ODOO_SESSION_REDIS_CLUSTER: "1" });
    assert.equal(resolved.target.redis.isCluster, true);
    assert.throws(
      () => resolve({ ODOO_SESSION_REDIS_URL: "redis://h/2", ODOO_SESSION_REDIS_CLUSTER: "1" }),
      /^SettingsError: ODOO_SESSION_REDIS_CLUSTER: a Cluster has only database 0, not 2/,
    );
  });

  it("a bad value is refused by Odoo's name", () => {
    assert.throws(
      () => resolve({ ODOO_SESSION_REDIS_SSL_CERT_REQS: "none" }),
      /^SettingsError: ODOO_SESSION_REDIS_SSL_CERT_REQS: "none" is not usable/,
    );
  });
});

describe("Odoo's variables: each other setting by itself", () => {
  it("counts if Tele's is absent", () => {
    const { target, conversion } = resolve({
      ODOO_SESSION_REDIS_PREFIX: "o",
      ODOO_SESSION_REDIS_EXPIRATION: "1",
      TELE_SESSION_REDIS_EXPIRATION: "2",
      ODOO_SESSION_REDIS_EXPIRATION_ANONYMOUS: "3",
    });
    assert.deepEqual([target.prefix, conversion.expiration, conversion.expirationAnonymous], ["o", 2, 3]);
  });
});

describe("Odoo's variables: the three switches together", () => {
  const off = { redis: false, copyExisting: false, purgeExisting: false };
  const odoo = { ODOO_SESSION_REDIS: "1", ODOO_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1" };
  it("Odoo's", () => assert.deepEqual(resolveStepSwitches(odoo), { ...off, redis: true, copyExisting: true }));
  it("one of Tele's, even off, and Odoo's do not count", () => {
    assert.deepEqual(resolveStepSwitches({ ...odoo, TELE_SESSION_REDIS: "0" }), off);
    const purge = { ...odoo, TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1" };
    assert.deepEqual(resolveStepSwitches(purge), off);
  });
});

describe("Odoo's names: configuration file and default directories", () => {
  const withDirectories = (directories: readonly string[], files: Record<string, string> = {}) =>
    memoryFiles({ ...machine, ...files }, { directories });
  const rows: readonly (readonly [
    name: string,
    environment: Environment,
    files: ReturnType<typeof memoryFiles>,
    directory: string,
  ])[] = [
    ["ODOO_RC", { ODOO_RC: "/odoo.conf" }, memoryFiles(machine), "/srv/odoo/sessions"],
    ["OPENERP_SERVER", { OPENERP_SERVER: "/odoo.conf" }, memoryFiles(machine), "/srv/odoo/sessions"],
    ["~/.odoorc", {}, withDirectories([], { "/home/tele/.odoorc": "[options]\ndata_dir=/rc\n" }), "/rc/sessions"],
    ["TELE_RC over ODOO_RC", { TELE_RC: "/tele.conf", ODOO_RC: "/none" }, memoryFiles(machine), "/srv/tele/sessions"],
    [
      "~/.telerc over ODOO_RC",
      { ODOO_RC: "/odoo.conf" },
      withDirectories([], { "/home/tele/.telerc": "[options]\ndata_dir=/rc\n" }),
      "/rc/sessions",
    ],
    ["a file of Odoo's without data_dir", { ODOO_RC: "/empty.conf" }, withDirectories([teleDefault]), odooDefault],
    [
      "a file of Tele's without data_dir",
      { TELE_RC: "/empty.conf", ODOO_SESSION_REDIS_HOST: "o" },
      withDirectories([odooDefault]),
      teleDefault,
    ],
    ["no Tele variable, and only Odoo's is there", {}, withDirectories([odooDefault]), odooDefault],
    ["no variable, and both are there", {}, withDirectories([odooDefault, teleDefault]), teleDefault],
    [
      "an Odoo variable, and both are there",
      { ODOO_SESSION_REDIS_PREFIX: "p" },
      withDirectories([odooDefault, teleDefault]),
      odooDefault,
    ],
    ["a Tele variable", { TELE_SESSION_REDIS_PORT: "1" }, withDirectories([odooDefault]), teleDefault],
    [
      "no home",
      { HOME: "", ODOO_RC: "/empty.conf" },
      memoryFiles(machine, { accountHome: null }),
      "/var/lib/odoo/sessions",
    ],
  ];
  for (const [name, environment, files, directory] of rows) {
    it(name, () => assert.deepEqual(resolve(environment, {}, files).source.names, [directory]));
  }

  it("says where the name comes from", () => {
    const from = (environment: Environment) => resolve(environment).source.comesFrom ?? "";
    assert.match(from({ ODOO_RC: "/odoo.conf" }), /^It comes from data_dir in ODOO_RC: the file "\/odoo.conf"$/);
    assert.match(from({}), /none of --session-dir, TELE_SESSION_DIR and --config was given/);
    assert.equal(resolve({ TELE_SESSION_DIR: "/a" }).source.comesFrom, null);
  });
});

describe("a working directory that is gone", () => {
  const gone = memoryFiles(machine, { hasWorkingDirectory: false });
  for (const [flag, typed] of [
    ["--session-dir", { sessionDir: ["s"] }],
    ["--session-dir", { sessionDir: ["/a", "*/s"] }],
    ["--report", { report: "r.json" }],
    ["--config", { config: "tele.conf" }],
    ["--password-file", { passwordFile: "p" }],
    ["--cacert", { tls: true, cacert: "ca.pem" }],
  ] as const) {
    it(`${flag} ${JSON.stringify(typed)}`, () => {
      assert.throws(() => resolve({}, typed, gone), new RegExp(`^SettingsError: ${flag}: .*no longer exists`));
    });
  }
  it("absolute paths do not need one", () => {
    assert.deepEqual(resolve({}, { sessionDir: ["/a"] }, gone).source.names, ["/a"]);
    assert.deepEqual(resolve({}, {}, gone).source.names, [teleDefault]);
  });
});
