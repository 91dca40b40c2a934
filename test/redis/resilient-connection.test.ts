import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Redis } from "ioredis";
import { RedisError, RedisForgotError } from "../../src/model/errors.js";
import { encodeCommand } from "../../src/redis/encode-command.js";
import { ResilientConnection } from "../../src/redis/resilient-connection.js";
import { sendBatch } from "../../src/redis/send-batch.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { findFreePort } from "../support/servers/free-port.js";
import { connectRedis } from "../support/servers/redis-client.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";

const instant = Date.now() + 1_000_000;

/** Writes so many keys in one batch. Throws the first error among the replies. */
async function write(client: Redis, count: number, head = "session:k"): Promise<number> {
  const commands = Array.from({ length: count }, (_, index) =>
    encodeCommand("SET", `${head}${index}`, "{}", "PXAT", String(instant)),
  );
  const replies = await sendBatch(client, commands);
  const error = replies.find((reply) => reply instanceof Error);
  if (error !== undefined) throw error;
  return replies.length;
}

async function open(port: number, { retryForMs = 60_000, stop = new AbortController().signal, password = "" } = {}) {
  const warnings: string[] = [];
  const target = { address: { host: "127.0.0.1", port }, db: 0, ...(password === "" ? {} : { password }) };
  const connection = await ResilientConnection.open({
    target,
    retryForMs,
    stop,
    onWarning: (text) => warnings.push(text),
  });
  return { connection, warnings };
}

/** Kills every client but the one that asks. */
async function killClients(server: RedisServer, password: string): Promise<void> {
  await redisCommand({ ...server, password }, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
}

describe("resilient-connection: lost connections (hazards.md, Redis)", () => {
  it("a connection killed in the middle of every batch: every batch ends written, once and exactly", async () => {
    const server = await startRedis();
    const { connection } = await open(server.port);
    const killer = await connectRedis(server);
    const kills: Promise<unknown>[] = [];
    const lanes = Array.from({ length: 3 }, async (_, lane) => {
      for (let round = 0; round < 3; round++) {
        let tries = 0;
        const written = await connection.run((client) => {
          const writing = write(client, 2000, `session:${lane}-`);
          if (tries++ === 0) {
            kills.push(killer.pipeline([["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]]));
          }
          return writing;
        });
        assert.equal(written, 2000);
      }
    });
    await Promise.all(lanes);
    await Promise.all(kills);
    killer.close();
    assert.equal(await redisCommand(server, "DBSIZE"), 6000);
    assert.equal(await redisCommand(server, "PEXPIRETIME", "session:1-7"), instant);
    await connection.close();
    await server.stop();
  });

  it("a server that comes back on its port is used again", async () => {
    const port = await findFreePort();
    const first = await startRedis({ port });
    const { connection } = await open(port);
    await connection.run((client) => write(client, 10));
    await first.stop();
    let tries = 0;
    const written = connection.run((client) => {
      tries++;
      return write(client, 10);
    });
    const forgotten = assert.rejects(written, RedisForgotError);
    while (tries === 0) await wait(5);
    const second = await startRedis({ port });
    // It lost what the first had confirmed: work begun with the first sees that, new work goes on.
    await forgotten;
    assert.equal(await redisCommand(second, "DBSIZE"), 0);
    const again = await connection.run((client) => write(client, 10));
    assert.equal(again, 10);
    assert.equal(await redisCommand(second, "DBSIZE"), 10);
    await connection.close();
    await second.stop();
  });

  it("a server that stays away: unavailable after the time that is allowed, in one sentence", async () => {
    const server = await startRedis();
    const { connection } = await open(server.port, { retryForMs: 300, password: "a secret" });
    await server.stop();
    const began = performance.now();
    await assert.rejects(
      connection.run((client) => client.ping()),
      (error) => {
        assert(error instanceof RedisError && error.kind === "unavailable");
        assert.match(
          error.message,
          /^Redis at 127\.0\.0\.1:\d+\/0 was lost: (connection refused|the connection was (closed|reset))/,
        );
        return true;
      },
    );
    assert(performance.now() - began >= 300);
    await connection.close();
  });

  it("a stop ends the wait at once", async () => {
    const server = await startRedis();
    const controller = new AbortController();
    const { connection } = await open(server.port, { stop: controller.signal });
    await server.stop();
    let tries = 0;
    const lost = connection.run((client) => {
      tries++;
      return client.ping();
    });
    const refused = assert.rejects(lost, { name: "RedisError", kind: "unavailable" });
    while (tries === 0) await wait(5);
    controller.abort();
    const began = performance.now();
    await refused;
    assert(performance.now() - began < 5000);
    await connection.close();
  });

  it("a refusal in mid-run is thrown at once, and work that fails for its own reasons is not repeated", async () => {
    const server = await startRedis();
    const { connection } = await open(server.port);
    await redisCommand(server, "CONFIG", "SET", "requirepass", "later");
    await killClients(server, "later");
    await assert.rejects(
      connection.run((client) => client.ping()),
      { name: "RedisError", kind: "refused", message: /password/ },
    );
    await connection.close();
    await server.stop();
  });

  it("a bug in the work is thrown as it is, at once", async () => {
    const server = await startRedis();
    const { connection } = await open(server.port);
    let tries = 0;
    const bug = connection.run(async () => {
      tries++;
      throw new TypeError("a bug");
    });
    await assert.rejects(bug, TypeError);
    assert.equal(tries, 1);
    await connection.close();
    await server.stop();
  });

  it("LOADING is waited for", async () => {
    const port = await findFreePort();
    const directory = makeTemporaryDirectory();
    const args = ["--appendonly", "yes", "--appendfsync", "no"];
    const first = await startRedis({ port, directory, args });
    const { connection } = await open(port);
    await connection.run((client) => write(client, 20_000, "seed:"));
    await first.stop();
    // The server answers LOADING for as long as this makes it sleep between keys.
    const starting = startRedis({
      port,
      directory,
      args: [
        ...args,
        "--key-load-delay",
        "100",
        "--loading-process-events-interval-bytes",
        "1024",
        "--enable-debug-command",
        "yes",
      ],
    });
    let loadings = 0;
    await assert.rejects(
      connection.run((client) => client.ping()),
      RedisForgotError,
    );
    const written = connection.run(async (client) => {
      try {
        await client.ping();
      } catch (error) {
        if (String(error).includes("LOADING")) loadings++;
        throw error;
      }
      return write(client, 5);
    });
    assert.equal(await written, 5);
    assert(loadings > 0, "the server loaded too quickly to say LOADING");
    await connection.close();
    await (await starting).stop();
  });

  it("a password that was not asked for is a warning", async () => {
    const server = await startRedis();
    const { connection, warnings } = await open(server.port, { password: "needless" });
    assert.equal(warnings.length, 1);
    await connection.close();
    await server.stop();
  });

  it("no Redis at the start: RedisError at once, not after the time that is allowed", async () => {
    const began = performance.now();
    await assert.rejects(open(await findFreePort()), { name: "RedisError", kind: "unavailable" });
    assert(performance.now() - began < 4000);
  });
});
