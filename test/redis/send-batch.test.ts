import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeCommand, protocolText } from "../../src/redis/encode-command.js";
import { sendBatch, sendEncoded } from "../../src/redis/send-batch.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { startFaultProxy } from "../support/proxies/fault-proxy.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { clientOf } from "./support/client-of.js";

describe("send-batch: commands encoded beforehand, all at once, and their replies in the same order", () => {
  it("texts as buffers, numbers, nothing, errors as errors; none goes to another's place", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    const list = protocolText("a list");
    const replies = await sendBatch(client, [
      encodeCommand("SET", "a", "value", "NX", "PXAT", "9999999999000"),
      encodeCommand("SET", "a", "other", "NX", "PXAT", "9999999999000"),
      encodeCommand("RPUSH", list, "x"),
      encodeCommand("GET", list),
      encodeCommand("GET", "a"),
      encodeCommand("NOSUCH"),
      encodeCommand("PEXPIRETIME", "a"),
    ]);
    const plain = replies.map((reply) => {
      if (Buffer.isBuffer(reply)) return reply.toString();
      return reply instanceof Error ? reply.message.split(" ")[0] : reply;
    });
    assert.deepEqual(plain, ["OK", null, 1, "WRONGTYPE", "value", "ERR", 9_999_999_999_000]);
  });

  it("an error carries nothing of what was sent", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    const [reply] = await sendBatch(client, [encodeCommand("GETRANGE", "the-key", "a-value", "1")]);
    assert(reply instanceof Error);
    assert.doesNotMatch(JSON.stringify([reply, Object.entries(reply), reply.stack]), /the-key|a-value/);
  });

  it("batches and single commands beside each other, in any order", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    const echo = (text: string) => encodeCommand("ECHO", text);
    const [one, two, three] = await Promise.all([
      sendBatch(client, [echo("1"), echo("2")]),
      client.echo("3"),
      sendBatch(client, [echo("4")]),
    ]);
    assert.deepEqual([one, two, three].flat().map(String), ["1", "2", "3", "4"]);
  });

  it("keys of any characters, and values of megabytes", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    for (const key of ["session:ü:\u{1f600}", 'session:a b\r\n*"', "session:"]) {
      const value = "x".repeat(3_000_000);
      await sendBatch(client, [encodeCommand("SET", protocolText(key), value)]);
      assert.equal(String(await redisCommand(server, "GET", key)), value);
    }
  });

  it("finished SET commands in one buffer: a reply for each, and errors name SET", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    const commands = ["9999999999000", "9999999999000", "x"].map((expiry) =>
      Buffer.from(encodeCommand("SET", "the-key", "a-value", "NX", "PXAT", expiry)),
    );
    const [created, exists, refused] = await sendEncoded(client, encodedOf(commands));
    assert.deepEqual([String(created), exists], ["OK", null]);
    assert(refused instanceof Error);
    assert.deepEqual(Object.entries(refused).slice(-1), [["command", { name: "SET" }]]);
    assert.doesNotMatch(JSON.stringify([refused.message, Object.entries(refused)]), /the-key|a-value/);
  });

  it("none: nothing is sent", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    assert.deepEqual(await sendBatch(client, []), []);
    assert.deepEqual(await sendEncoded(client, encodedOf([])), []);
  });

  it("a connection that is cut: an error for each that has no reply", async (t) => {
    const server = await redisOf(t);
    const opened = await startFaultProxy(server.port);
    await clientOf(t, { ...server, port: opened.port });
    const before = opened.replies().length;
    await opened.stop();
    const proxy = await startFaultProxy(server.port, [{ kind: "cut-before", at: before + 3 }]);
    t.after(() => proxy.stop());
    const client = await clientOf(t, { ...server, port: proxy.port });
    const replies = await sendBatch(
      client,
      Array.from({ length: 10 }, (_, index) => encodeCommand("SET", `k${index}`, "v")),
    );
    assert.deepEqual(
      replies.map((reply) => reply instanceof Error),
      Array.from({ length: 10 }, (_, index) => index >= 2),
    );
    const late = await sendBatch(client, [encodeCommand("PING"), encodeCommand("PING")]);
    assert(late.length === 2 && late.every((reply) => reply instanceof Error));
  });
});

function encodedOf(commands: readonly Buffer[]): Parameters<typeof sendEncoded>[1] {
  const commandAt = (index: number) => commands[index] ?? Buffer.alloc(0);
  return { count: commands.length, commands: Buffer.concat(commands), commandAt };
}
