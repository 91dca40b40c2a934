import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { RedisError } from "../../../src/model/errors.js";
import type { HostAndPort, WatchedMaster } from "../../../src/model/redis-target.js";
import { openFirstConnection } from "../../../src/redis/open-connection.js";
import { redisFault } from "../../../src/redis/redis-fault.js";
import { findMaster } from "../../../src/redis/sentinel/find-master.js";
import { MasterCheck } from "../../../src/redis/sentinel/master-check.js";
import { makeCertificates } from "../../end-to-end/field/set-ups/make-certificates.js";
import { startMuteServer } from "../../end-to-end/support/mute-server.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";

const secret = "NotToBeShown";

let master: RedisServer;
let replica: RedisServer;
/** Each watches `sessions` on the master, and the last one `others` on the replica too. */
let sentinels: readonly RedisServer[];
let misled: RedisServer;
let guarded: RedisServer;
let encrypted: RedisServer;
let unused: HostAndPort;
const certificates = makeCertificates();

async function startSentinel(lines: readonly string[], args: readonly string[] = []): Promise<RedisServer> {
  const file = join(makeTemporaryDirectory(), "sentinel.conf");
  writeFileSync(file, `${lines.join("\n")}\n`);
  return startRedis({ sentinel: file, args });
}

before(async () => {
  master = await startRedis();
  replica = await startRedis({ args: ["--replicaof", `127.0.0.1 ${master.port}`] });
  const sessions = `sentinel monitor sessions 127.0.0.1 ${master.port} 9`;
  const others = `sentinel monitor others 127.0.0.1 ${replica.port} 9`;
  const users = [
    `user default on >${secret} ~* &* +@all`,
    "user asker on >pw -@all +auth +sentinel|get-master-addr-by-name",
    "user nobody on >pw -@all +auth",
  ];
  const tlsPort = await findFreePort();
  const file = (name: string) => join(certificates, name);
  const keys = ["--tls-cert-file", file("redis.pem"), "--tls-key-file", file("redis.key")];
  const tls = ["--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "no", ...keys];
  [sentinels, misled, guarded, encrypted] = await Promise.all([
    Promise.all([startSentinel([sessions]), startSentinel([sessions, others])]),
    startSentinel([`sentinel monitor sessions 127.0.0.1 ${replica.port} 9`]),
    startSentinel([sessions, ...users]),
    startSentinel([sessions], ["--tls-port", String(tlsPort), "--port", "0", ...tls]).then((server) => ({
      ...server,
      port: tlsPort,
    })),
  ]);
  unused = { host: "127.0.0.1", port: await findFreePort() };
});
after(async () => {
  const all = [master, replica, misled, guarded, encrypted, ...sentinels];
  await Promise.all(all.map((server) => server.stop()));
});

function watched(asked: readonly HostAndPort[], more: Partial<WatchedMaster> = {}): WatchedMaster {
  return { masterName: "sessions", sentinels: asked, ...more };
}

async function faultOf(asked: WatchedMaster) {
  return findMaster(asked).then(
    () => assert.fail("a master was found"),
    (error) => redisFault(error),
  );
}

describe("the master that Sentinels name", () => {
  const namesMaster = async (asked: WatchedMaster, withinMs: number) => {
    const beganMs = Date.now();
    const { address } = await findMaster(asked);
    assert.deepEqual(address, { host: "127.0.0.1", port: master.port });
    assert.ok(Date.now() - beganMs < withinMs, `${Date.now() - beganMs} ms`);
  };
  it("by one Sentinel", () => namesMaster(watched(sentinels.slice(0, 1)), 1000));
  it("by the second, if nobody listens on the first address", () =>
    namesMaster(watched([unused, ...sentinels.slice(0, 1)]), 1000));
  it("by two of three at once, if the first is silent", async (t) => {
    const mute = { host: "127.0.0.1", ...(await startMuteServer(t)) };
    await namesMaster(watched([mute, ...sentinels]), 1000);
  });
  it("by the second soon, if the first of two is silent", async (t) => {
    const mute = { host: "127.0.0.1", ...(await startMuteServer(t)) };
    await namesMaster(watched([mute, ...sentinels.slice(0, 1)]), 1000);
  });
  it("by most of them, if the first names another server", () => namesMaster(watched([misled, ...sentinels]), 1000));
  it("for a user who may ask for nothing else", () =>
    namesMaster(watched([guarded], { username: "asker", password: "pw" }), 1000));
  it("with TLS, and the certificate's authority and name", () => {
    const ca = readText("ca.pem");
    return namesMaster(
      watched([encrypted], { tls: { ca, servername: "localhost", insecure: false, checkHostname: true } }),
      1000,
    );
  });
  it("a password that they do not ask for is a warning", async () => {
    const { warnings } = await findMaster(watched(sentinels, { password: secret }));
    assert.deepEqual(warnings, ["a Sentinel password was given, but the Sentinels do not ask for one"]);
  });
});

describe("why Sentinels name no master", () => {
  interface Row {
    readonly asked: () => WatchedMaster;
    readonly kind: "unavailable" | "refused";
    readonly found: RegExp;
    readonly remedy: RegExp;
  }
  const verify = { insecure: false, checkHostname: true };
  const rows: Readonly<Record<string, Row>> = {
    "nobody listens there": {
      asked: () => watched([unused]),
      kind: "unavailable",
      found: /^no Sentinel names the master \(127\.0\.0\.1:\d+: connection refused\)$/,
      remedy: /^check --sentinel, and that it runs$/,
    },
    "an unknown master": {
      asked: () => watched(sentinels, { masterName: "session" }),
      kind: "refused",
      found: /^Sentinels 127\.0\.0\.1:\d+, 127\.0\.0\.1:\d+ know no master named session$/,
      remedy: /^name one that it knows: --sentinel-master others, --sentinel-master sessions$/,
    },
    "an unknown master, and the names may not be asked for": {
      asked: () => watched([guarded], { masterName: "x", username: "asker", password: "pw" }),
      kind: "refused",
      found: /knows no master named x$/,
      remedy: /^see SENTINEL MASTERS there for its name$/,
    },
    "no password": {
      asked: () => watched([guarded]),
      kind: "refused",
      found: /: it asks for a password of its own\)$/,
      remedy: /^give it with --sentinel-password-file or TELE_SESSION_REDIS_SENTINEL_PASSWORD$/,
    },
    "a wrong password": {
      asked: () => watched([guarded, unused], { password: `${secret}2` }),
      kind: "refused",
      found: /it refused the user name or password; 127\.0\.0\.1:\d+: connection refused\)$/,
      remedy: /^check --sentinel-password-file or .*_PASSWORD, and TELE_SESSION_REDIS_SENTINEL_USERNAME$/,
    },
    "a user who may not ask": {
      asked: () => watched([guarded], { username: "nobody", password: "pw" }),
      kind: "refused",
      found: /does not allow this user SENTINEL GET-MASTER-ADDR-BY-NAME\)$/,
      remedy: /ACL SETUSER NAME \+sentinel\|get-master-addr-by-name$/,
    },
    "a Redis in place of a Sentinel": {
      asked: () => watched([master]),
      kind: "refused",
      found: /it is no Sentinel\)$/,
      remedy: /most often 26379; a Redis without Sentinel is named by --host and --port$/,
    },
    "a Sentinel without TLS, asked with TLS": {
      asked: () => watched(sentinels, { tls: verify }),
      kind: "unavailable",
      found: /: the port does not speak TLS\)$/,
      remedy: /^leave out TELE_SESSION_REDIS_SENTINEL_TLS$/,
    },
    "a Sentinel with TLS, asked without": {
      asked: () => watched([encrypted]),
      kind: "unavailable",
      found: /: the port wants TLS\)$/,
      remedy: /^set TELE_SESSION_REDIS_SENTINEL_TLS=1$/,
    },
    "a certificate of an unknown authority": {
      asked: () => watched([encrypted], { tls: verify }),
      kind: "refused",
      found: /certificate was not accepted, because its authority is unknown/,
      remedy: /--cacert FILE/,
    },
    "a certificate of another name": {
      asked: () => watched([encrypted], { tls: { ...verify, ca: readText("ca.pem") } }),
      kind: "refused",
      found: /it carries another name/,
      remedy: /--tls-servername NAME/,
    },
  };
  for (const [name, { asked, kind, found, remedy }] of Object.entries(rows)) {
    it(name, async () => {
      const error = await openFirstConnection({ address: asked(), db: 0 }).catch((reason) => reason);
      assert.ok(error instanceof RedisError, String(error));
      const { explanation, message } = error;
      assert.equal(error.kind, kind, message);
      assert.match(explanation?.found ?? "", found);
      assert.match(explanation?.remedy ?? "", remedy);
      assert.match(message, /^Redis at \w+\/0 of Sentinels? 127\.0\.0\.1:\d+.* cannot be used: /);
      assert.ok(!message.includes(secret), message);
    });
  }

  it("during a run, an unknown master passes: a Sentinel may have lost its configuration", async () => {
    assert.equal((await faultOf(watched(sentinels, { masterName: "x" }))).kind, "transient");
    assert.equal((await faultOf(watched([unused]))).kind, "transient");
    assert.equal((await faultOf(watched([guarded]))).kind, "refused");
  });
});

describe("the first connection to a master that Sentinels name", () => {
  it("a replica is asked about again, and is not used", async () => {
    const error = await openFirstConnection({ address: watched([misled]), db: 0 }).catch((reason) => reason);
    assert.ok(error instanceof RedisError);
    assert.equal(error.kind, "unavailable");
    assert.match(
      error.message,
      /^Redis at 127\.0\.0\.1:\d+\/0, which is sessions\/0 of Sentinel 127\.0\.0\.1:\d+, cannot be used: the/,
    );
    assert.match(
      error.message,
      /: the Sentinels name it as the master, but it is a read-only replica: a failover may be under way/,
    );
  });

  it("that is gone: says that it may be unreachable from here", async (t) => {
    const gone = await startSentinel([`sentinel monitor sessions 127.0.0.1 ${unused.port} 9`]);
    t.after(() => gone.stop());
    const error = await openFirstConnection({ address: watched([gone]), db: 0 }).catch((reason) => reason);
    assert.ok(error instanceof RedisError);
    assert.equal(error.kind, "unavailable");
    assert.match(error.message, /connection refused.*The Sentinels name this address: .*announce-ip/);
  });
});

describe("whether the connected server is still the master", () => {
  it("notices that the Sentinels name another, and asks at most once a second", async () => {
    const target = { address: watched(sentinels), db: 0 };
    const check = new MasterCheck(target);
    await check.check({ host: "127.0.0.1", port: master.port });
    await check.check({ host: "127.0.0.1", port: replica.port });
    await assert.rejects(
      new MasterCheck(target).check({ host: "127.0.0.1", port: replica.port }),
      (error) => redisFault(error).kind === "transient",
    );
  });

  it("asks nobody about a Redis without Sentinels", async () => {
    const address = { host: "127.0.0.1", port: master.port };
    await new MasterCheck({ address, db: 0 }).check(address);
    assert.equal(Number(await redisCommand(master, "DBSIZE")), 0);
  });
});

function readText(name: string): string {
  return readFileSync(join(certificates, name), "utf8");
}
