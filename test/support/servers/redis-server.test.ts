import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryVariable } from "../process/temporary-directory.js";
import { findFreePort } from "./free-port.js";
import { RedisReplyError } from "./redis-client.js";
import { redisCommand, redisPipeline } from "./redis-command.js";
import { startRedis } from "./redis-server.js";

async function isUp(port: number): Promise<boolean> {
  return redisCommand({ port }, "PING").then(
    () => true,
    () => false,
  );
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 20_000;
  while (!(await condition())) {
    assert.ok(Date.now() < giveUpAt, `never came: ${what}`);
    await sleep(10);
  }
}

test("a server answers on its port and on its socket, keeps nothing on disk, and leaves nothing behind", async () => {
  const server = await startRedis({ args: ["--maxmemory", "50mb"] });
  assert.deepEqual(await redisCommand(server, "PING"), Buffer.from("PONG"));
  assert.deepEqual(await redisCommand({ path: server.socketPath }, "PING"), Buffer.from("PONG"));
  assert.deepEqual(
    await redisPipeline(server, [
      ["CONFIG", "GET", "save"],
      ["CONFIG", "GET", "appendonly"],
      ["CONFIG", "GET", "maxmemory"],
    ]),
    [
      [Buffer.from("save"), Buffer.from("")],
      [Buffer.from("appendonly"), Buffer.from("no")],
      [Buffer.from("maxmemory"), Buffer.from("52428800")],
    ],
  );
  await Promise.all([server.stop(), server.stop()]);
  await server.waitForEnd();
  assert.ok(!(await isUp(server.port)));
  assert.ok(!existsSync(server.directory));
});

test("two servers at once have ports, sockets and keys of their own", async () => {
  const [one, two] = await Promise.all([startRedis(), startRedis()]);
  await redisCommand(one, "SET", "key", "one");
  assert.equal(await redisCommand(two, "GET", "key"), null);
  await Promise.all([one.stop(), two.stop()]);
});

test("a port that another process took in between is given up for the next", async () => {
  const taken = createServer();
  const port = await findFreePort();
  await new Promise<void>((resolve) => taken.listen(port, "127.0.0.1", resolve));
  let asked = 0;
  const server = await startRedis({
    findPort: async () => {
      asked += 1;
      return asked === 1 ? port : findFreePort();
    },
  });
  assert.equal(asked, 2);
  assert.notEqual(server.port, port);
  await server.stop();
  await assert.rejects(startRedis({ port }), /in use/);
  taken.close();
});

test("a server that refuses its switches is an error that shows why", async () => {
  await assert.rejects(
    startRedis({ args: ["--no-such-switch", "1"] }),
    /as soon as it was started[\s\S]*no-such-switch/,
  );
});

test("a server that wants a password counts as started", async () => {
  const server = await startRedis({ args: ["--requirepass", "swordfish"] });
  await assert.rejects(redisCommand(server, "PING"), RedisReplyError);
  await assert.rejects(redisCommand({ ...server, password: "wrong" }, "PING"), /WRONGPASS/);
  assert.deepEqual(await redisCommand({ ...server, password: "swordfish", db: 3 }, "DBSIZE"), 0);
  await server.stop();
});

test("a server that hangs is stopped all the same", async () => {
  const server = await startRedis();
  process.kill(server.pid, "SIGSTOP");
  await server.stop();
  assert.ok(!(await isUp(server.port)));
});

test("a server that was killed can be started again on its port", async () => {
  const first = await startRedis();
  process.kill(first.pid, "SIGKILL");
  await first.waitForEnd();
  const second = await startRedis({ port: first.port });
  assert.equal(await redisCommand(second, "DBSIZE"), 0);
  await Promise.all([first.stop(), second.stop()]);
});

test("the client reads every kind of reply, and 100,000 of them in order", async () => {
  const server = await startRedis();
  const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const large = Buffer.alloc(20 * 1024 * 1024, "\r\n$1");
  const replies = await redisPipeline(server, [
    ["SET", "binary", binary],
    ["GET", "binary"],
    ["SET", "large", large],
    ["GET", "large"],
    ["GET", "absent"],
    ["STRLEN", "binary"],
    ["NOSUCH"],
    ["EVAL", "return {1, {'a', {}}, redis.error_reply('MY err'), false}", 0],
  ]);
  assert.deepEqual(replies.slice(0, 6), [Buffer.from("OK"), binary, Buffer.from("OK"), large, null, 256]);
  assert.match(String(replies[6]), /unknown command/);
  assert.deepEqual(replies[7], [1, [Buffer.from("a"), []], new RedisReplyError("MY err"), null]);

  const keys = Array.from({ length: 100_000 }, (_, index) => `key:${index}`);
  await redisPipeline(
    server,
    keys.map((key) => ["SET", key, `value of ${key}`, "PX", 60_000]),
  );
  const read = await redisPipeline(
    server,
    keys.flatMap((key) => [
      ["GET", key],
      ["PTTL", key],
    ]),
  );
  assert.equal(read.length, 200_000);
  assert.ok(keys.every((key, index) => String(read[2 * index]) === `value of ${key}`));
  assert.ok(keys.every((_, index) => Number(read[2 * index + 1]) > 0));
  await server.stop();
});

test("a connection that ends fails the commands that wait on it", async () => {
  const server = await startRedis();
  await assert.rejects(redisPipeline(server, [["SHUTDOWN", "NOSAVE"], ["PING"]]), /closed/);
  await server.waitForEnd();
  await server.stop();
});

const here = dirname(fileURLToPath(import.meta.url));
/** Whoever starts these programs leaves the removal of their directories to them. */
const ownRemoval = { ...process.env, [temporaryVariable]: undefined };
const program = `
  import { startRedis } from ${JSON.stringify(join(here, "redis-server.js"))};
  const server = await startRedis();
  console.log(JSON.stringify(server));
  const [, end] = process.argv;
  if (end === "exit") process.exit(0);
  if (end === "throw") throw new Error("expected");
  if (end !== "return") setInterval(() => undefined, 1000);
`;

for (const end of ["return", "exit", "throw", "SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"] as const) {
  test(`no server and no directory is left when its test process ends by ${end}`, async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, end], {
      env: ownRemoval,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const over = new Promise((resolve) => child.once("exit", resolve));
    const line = await new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data))));
    const { port, directory } = JSON.parse(line);
    if (end.startsWith("SIG")) process.kill(child.pid ?? 0, end);
    await over;
    await until("the server's end", async () => !(await isUp(port)));
    await until("the directory's end", () => !existsSync(directory));
  });
}

test("a test process that stopped its server leaves no helper behind", async () => {
  const stopping = `
    import { startRedis } from ${JSON.stringify(join(here, "redis-server.js"))};
    const server = await startRedis();
    await server.stop();
    console.log(dirname(server.directory));
    import { dirname } from "node:path";
  `;
  const args = ["--input-type=module", "-e", stopping];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: ownRemoval });
  await until("the end of the temporary directory", () => !existsSync(stdout.trim()));
});
