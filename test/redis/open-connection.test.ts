import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { RedisError } from "../../src/model/errors.js";
import type { RedisTarget, RedisTls } from "../../src/model/redis-target.js";
import { type Connection, openConnection, openFirstConnection } from "../../src/redis/open-connection.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { findFreePort } from "../support/servers/free-port.js";
import { listen } from "../support/servers/listen.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";

const oddPassword = `q"'\\ @:/%#?&[]{}ü€😀\t~`;

async function use<T>(target: RedisTarget, work: (connection: Connection) => Promise<T> | T): Promise<T> {
  const connection = await openFirstConnection(target);
  try {
    return await work(connection);
  } finally {
    connection.client.disconnect();
  }
}

/** A refusal's kind and sentence, which shows no secret. */
async function refusalOf(target: RedisTarget): Promise<{ kind: string; message: string }> {
  try {
    await use(target, () => undefined);
  } catch (error) {
    assert(error instanceof RedisError, String(error));
    if (target.password) assert(!error.message.includes(target.password));
    assert(!("command" in error));
    return { kind: error.kind, message: error.message };
  }
  throw new Error("the connection was not refused");
}

describe("open-connection: who may come in", () => {
  let server: RedisServer;
  let open: RedisServer;
  let target: RedisTarget;
  before(async () => {
    server = await startRedis({ args: ["--databases", "4"] });
    open = await startRedis({ args: ["--databases", "4"] });
    target = { address: { host: server.host, port: server.port }, db: 0 };
    await redisCommand(server, "ACL", "SETUSER", "Ül-la", "on", `>${oddPassword}`, "~*", "+@all");
    await redisCommand(server, "ACL", "SETUSER", "empty", "on", "nopass", "~*", "+@all");
    await redisCommand(server, "ACL", "SETUSER", "noselect", "on", ">pw", "~*", "+@all", "-select");
    await redisCommand(server, "CONFIG", "SET", "requirepass", oddPassword);
  });
  after(async () => {
    await server.stop();
    await open.stop();
  });

  it("a password of odd characters", () =>
    use({ ...target, password: oddPassword }, async ({ client, warnings }) => {
      assert.equal(await client.ping(), "PONG");
      assert.deepEqual(warnings, []);
    }));

  it("a user with such a name and password", () =>
    use({ ...target, username: "Ül-la", password: oddPassword }, async ({ client }) =>
      assert.equal(await client.call("ACL", "WHOAMI"), "Ül-la"),
    ));

  it("a user without a password", () =>
    use({ ...target, username: "empty" }, async ({ client }) =>
      assert.equal(await client.call("ACL", "WHOAMI"), "empty"),
    ));

  it("a database, so named to Redis", () =>
    use({ ...target, password: oddPassword, db: 3 }, async ({ client }) =>
      assert.match(String(await client.call("CLIENT", "INFO")), / db=3 /),
    ));

  it("a Unix socket", () =>
    use({ address: { path: server.socketPath }, db: 1, password: oddPassword }, async ({ client }) =>
      assert.match(String(await client.call("CLIENT", "INFO")), / db=1 .*/),
    ));

  const refusals: readonly (readonly [name: string, change: Partial<RedisTarget>, says: RegExp])[] = [
    [
      "a wrong password",
      { password: "wrong secret" },
      /refused the user name or password: check --username, and the password/,
    ],
    [
      "a password that is but a part",
      { password: oddPassword.slice(0, -1) },
      /refused the user name or password: check --username, and the password/,
    ],
    [
      "an unknown user",
      { username: "nobody", password: oddPassword },
      /refused the user name or password: check --username, and the password/,
    ],
    [
      "a database that does not exist",
      { password: oddPassword, db: 4 },
      /no database of that number: give the one that the server uses with --db$/,
    ],
    [
      "a database that the user may not select",
      { username: "noselect", password: "pw", db: 1 },
      /the command SELECT\. It chooses the database/,
    ],
  ];
  for (const [name, change, says] of refusals) {
    it(`${name} is refused`, async () => {
      const { kind, message } = await refusalOf({ ...target, ...change });
      assert.equal(kind, "refused");
      assert.match(message, says);
      assert.match(message, /^Redis at 127\.0\.0\.1:\d+\/\d cannot be used: /);
    });
  }

  it("no password although Redis asks for one: refused, naming the settings that take one", async () => {
    await assert.rejects(openFirstConnection(target), (error) => {
      assert(error instanceof RedisError && error.kind === "refused");
      assert.match(error.message, /TELE_SESSION_REDIS_PASSWORD or --password-file/);
      return true;
    });
  });

  it("a password although none is configured: a warning, and the run goes on", () =>
    use(
      { address: { host: open.host, port: open.port }, db: 2, password: "needless secret" },
      async ({ client, warnings }) => {
        assert.deepEqual(warnings, ["a password was given, but Redis does not ask for one"]);
        assert.match(String(await client.call("CLIENT", "INFO")), / db=2 /);
      },
    ));
});

describe("open-connection: no Redis there", () => {
  it("connection refused: one sentence, in a few seconds", async () => {
    const port = await findFreePort();
    const began = performance.now();
    assert.deepEqual(await refusalOf({ address: { host: "127.0.0.1", port }, db: 0, password: "a secret" }), {
      kind: "unavailable",
      message:
        `Redis at 127.0.0.1:${port}/0 cannot be used: connection refused: ` +
        "check that Redis listens on this host and port (ECONNREFUSED)",
    });
    assert(performance.now() - began < 4000);
  });

  it("a socket that does not exist", async () => {
    const { kind, message } = await refusalOf({
      address: { path: join(makeTemporaryDirectory(), "s") },
      db: 0,
    });
    assert.equal(kind, "unavailable");
    assert.match(message, /the socket does not exist: check its path \(ENOENT\)$/);
  });

  it("a host that does not exist", async () => {
    const { kind, message } = await refusalOf({
      address: { host: "no-such-host.invalid", port: 6379 },
      db: 0,
    });
    assert.equal(kind, "unavailable");
    assert.match(message, /the host is unknown|looked up/);
  });

  it("a server that hangs up", async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await listen(server);
    const { kind } = await refusalOf({
      address: { host: "127.0.0.1", port },
      db: 0,
      password: "a secret",
    });
    server.close();
    assert.equal(kind, "unavailable");
  });

  it("a server that takes the connection and stalls is given up", { timeout: 40_000 }, async () => {
    const server = await startRedis();
    // The kernel goes on to accept connections for a process that stands still.
    process.kill(server.pid, "SIGSTOP");
    try {
      const refused = refusalOf({
        address: { host: server.host, port: server.port },
        db: 0,
        password: "a secret",
      });
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<string>((resolve) => {
        timer = setTimeout(() => resolve("still waiting for the answer to AUTH"), 15_000);
      });
      const outcome = await Promise.race([refused.then(({ kind }) => kind), late]);
      clearTimeout(timer);
      assert.equal(outcome, "unavailable");
    } finally {
      process.kill(server.pid, "SIGCONT");
      await server.stop();
    }
  });

  it("the maximum of clients", async () => {
    const server = await startRedis({ args: ["--maxclients", "1"] });
    const target = { address: { host: server.host, port: server.port }, db: 0 };
    await use(target, async ({ client }) => {
      await client.ping();
      assert.equal((await refusalOf({ ...target, password: "a secret" })).kind, "unavailable");
    });
    await server.stop();
  });
});

describe("open-connection: TLS", () => {
  const directory = makeTemporaryDirectory();
  const path = (name: string): string => join(directory, name);
  let server: RedisServer;
  let port: number;
  let ca: string;
  const tls = (part: Partial<RedisTls>): RedisTls => ({ insecure: false, checkHostname: true, ...part });
  const target = (part: Partial<RedisTls>): RedisTarget => ({
    address: { host: "127.0.0.1", port },
    db: 0,
    tls: tls(part),
  });

  before(async () => {
    const subject = ["-subj", "/CN=redis.test", "-addext", "subjectAltName=DNS:redis.test"];
    try {
      const files = ["-keyout", path("key.pem"), "-out", path("cert.pem")];
      execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...subject], {
        stdio: "pipe",
      });
    } catch (error) {
      throw new Error("openssl is needed: install it (Debian: apt-get install openssl)", { cause: error });
    }
    ca = readFileSync(path("cert.pem"), "utf8");
    port = await findFreePort();
    const files = [
      "--tls-cert-file",
      path("cert.pem"),
      "--tls-key-file",
      path("key.pem"),
      "--tls-ca-cert-file",
      path("cert.pem"),
    ];
    server = await startRedis({ args: ["--tls-port", String(port), ...files, "--tls-auth-clients", "no"] });
  });
  after(() => server.stop());

  const accepted: readonly (readonly [name: string, part: Partial<RedisTls>])[] = [
    ["its authority and its name", { servername: "redis.test" }],
    ["its authority, the name unchecked", { checkHostname: false }],
  ];
  for (const [name, part] of accepted) {
    it(`accepted: ${name}`, () =>
      use(target({ ...part, ca }), async ({ client }) => assert.equal(await client.ping(), "PONG")));
  }
  it("accepted: unverified", () =>
    use(target({ insecure: true }), async ({ client }) => assert.equal(await client.ping(), "PONG")));

  it("refused: an unknown authority", async () => {
    const { kind, message } = await refusalOf(target({ servername: "redis.test" }));
    assert.equal(kind, "refused");
    assert.match(
      message,
      /server's certificate was not accepted.*self-signed.*--cacert FILE \([A-Z_]*SELF_SIGNED[A-Z_]*\)$/,
    );
  });
  it("refused: an unknown authority, though the name goes unchecked", async () => {
    assert.equal((await refusalOf(target({ checkHostname: false }))).kind, "refused");
  });
  it("refused: another name", async () => {
    const { kind, message } = await refusalOf(target({ ca, servername: "other.test" }));
    assert.equal(kind, "refused");
    assert.match(message, /ALTNAME/);
  });
  it("refused: the address is not in the certificate", async () => {
    assert.equal((await refusalOf(target({ ca }))).kind, "refused");
  });
  it("TLS spoken to a plain port is unavailable", async () => {
    const { kind } = await refusalOf({
      ...target({ ca }),
      address: { host: "127.0.0.1", port: server.port },
    });
    assert.equal(kind, "unavailable");
  });
  it("plain text spoken to a TLS port is unavailable", async () => {
    const plain: RedisTarget = { address: { host: "127.0.0.1", port }, db: 0, password: "a secret" };
    assert.equal((await refusalOf(plain)).kind, "unavailable");
  });
  it("a key that is none is a fault of ours, told as a value", async () => {
    const broken = target({ ca, servername: "redis.test", cert: "no certificate", key: "no key" });
    await assert.rejects(openConnection(broken));
  });
});
