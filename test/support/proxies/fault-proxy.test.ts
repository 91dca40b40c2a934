import assert from "node:assert/strict";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { connectRedis, type RedisReply, RedisReplyError } from "../servers/redis-client.js";
import { redisCommand, redisPipeline } from "../servers/redis-command.js";
import { startRedis } from "../servers/redis-server.js";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.js";
import type { Fault } from "./fault-schedule.js";

const redis = await startRedis();
test.after(() => redis.stop());

async function proxyOf(t: TestContext, faults: readonly Fault[] = []): Promise<FaultProxy> {
  await redisCommand(redis, "FLUSHALL");
  const proxy = await startFaultProxy(redis.port, faults);
  t.after(() => proxy.stop());
  return proxy;
}

/** So many pipelined INCRs of one key: what they gave, and what the key came to. */
async function count(
  proxy: FaultProxy,
  commands: number,
): Promise<{ replies: RedisReply[] | "lost"; counter: number }> {
  const increments = Array.from({ length: commands }, () => ["INCR", "counter"]);
  const replies = await redisPipeline(proxy, increments).catch((): "lost" => "lost");
  return { replies, counter: Number(await redisCommand(redis, "GET", "counter")) };
}

test("without faults every kind of reply comes through, whole and in order, and is counted", async (t) => {
  const proxy = await proxyOf(t);
  const long = "x".repeat(1_000_000);
  const commands = [
    ["SET", "text", long],
    ["GET", "text"],
    ["GET", "nothing"],
    ["INCR", "text"],
    ["RPUSH", "list", "a", "", "b\r\n"],
    ["LRANGE", "list", 0, -1],
    ["EVAL", "return {1, {}, {2, {false, 'x'}}}", 0],
    ["GET", "text"],
  ];
  const client = await connectRedis(proxy);
  const direct = await connectRedis(redis);
  const replies = await client.pipeline(commands);
  await direct.pipeline([["DEL", "list"]]);
  assert.deepEqual(replies, await direct.pipeline(commands));
  assert.deepEqual(
    proxy.replies(),
    commands.map(([name, key]) => ({ name, key: String(key).slice(0, 64) })),
  );
  assert.deepEqual(proxy.happened(), []);
  client.close();
  direct.close();
});

test("replies are counted over every connection", async (t) => {
  const proxy = await proxyOf(t, [
    { kind: "cut-before", at: 12 },
    { kind: "answer", at: 16, error: "OOM no" },
  ]);
  assert.equal((await count(proxy, 10)).replies.length, 10);
  assert.equal((await count(proxy, 10)).replies, "lost");
  // Of the second connection nine commands reached Redis, and two replies were due: the answer to
  // the sixth was not heard.
  assert.equal(proxy.replies().length, 12);
  const { replies } = await count(proxy, 5);
  assert.deepEqual(replies, [20, 21, 22, oom, 23]);
  assert.deepEqual(
    proxy.happened().map(({ fault: { kind }, command, number }) => [kind, command.name, command.key, number]),
    [
      ["cut-before", "INCR", "counter", 12],
      ["answer", "INCR", "counter", 16],
    ],
  );
  assert.equal(proxy.connections(), 3);
});

const oom = new RedisReplyError("OOM no");

const rows: readonly {
  readonly name: string;
  readonly fault: Fault;
  /** What ten pipelined INCRs give, and then five of a new connection. */
  readonly replies: readonly (RedisReply[] | "lost")[];
  readonly counters: readonly number[];
}[] = [
  {
    name: "cut-before",
    fault: { kind: "cut-before", at: 3 },
    replies: ["lost", [11, 12, 13, 14, 15]],
    counters: [10, 15],
  },
  {
    name: "cut-after the last reply",
    fault: { kind: "cut-after", at: 10 },
    replies: [
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      [11, 12, 13, 14, 15],
    ],
    counters: [10, 15],
  },
  {
    name: "reset",
    fault: { kind: "reset", at: 3 },
    replies: ["lost", [11, 12, 13, 14, 15]],
    counters: [10, 15],
  },
  {
    name: "truncate",
    fault: { kind: "truncate", at: 10 },
    replies: ["lost", [11, 12, 13, 14, 15]],
    counters: [10, 15],
  },
  {
    name: "cut-command",
    fault: { kind: "cut-command", at: 4 },
    replies: ["lost", [4, 5, 6, 7, 8]],
    counters: [3, 8],
  },
  {
    name: "refuse one connection",
    fault: { kind: "refuse", at: 3, connections: 1 },
    replies: ["lost", "lost", [11, 12, 13, 14, 15]],
    counters: [10, 10, 15],
  },
  {
    name: "delay",
    fault: { kind: "delay", at: 3, milliseconds: 30 },
    replies: [
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      [11, 12, 13, 14, 15],
    ],
    counters: [10, 15],
  },
  {
    name: "answer, once",
    fault: { kind: "answer", at: 10, error: "LOADING wait" },
    replies: [
      [1, 2, 3, 4, 5, 6, 7, 8, 9, new RedisReplyError("LOADING wait")],
      [10, 11, 12, 13, 14],
    ],
    counters: [9, 14],
  },
  {
    name: "answer, until the second connection after it",
    fault: { kind: "answer", at: 9, error: "OOM no", connections: 2 },
    replies: [
      [1, 2, 3, 4, 5, 6, 7, 8, oom, oom],
      [oom, oom, oom, oom, oom],
      [9, 10, 11, 12, 13],
    ],
    counters: [8, 8, 13],
  },
];

for (const { name, fault, replies, counters } of rows) {
  test(`${name}: what the client and Redis see of it`, async (t) => {
    const proxy = await proxyOf(t, [fault]);
    for (const [index, expected] of replies.entries()) {
      const seen = await count(proxy, index === 0 ? 10 : 5);
      assert.deepEqual(seen, { replies: expected, counter: counters[index] });
    }
    assert.equal(proxy.happened().length, 1);
  });
}

test("a truncated reply has half of its bytes", async (t) => {
  const proxy = await proxyOf(t, [{ kind: "truncate", at: 2 }]);
  const socket = connect(proxy.port, "127.0.0.1");
  socket.write("PING\r\nPING\r\n");
  let text = "";
  for await (const chunk of socket) text += chunk;
  assert.equal(text, "+PONG\r\n+PO");
});

test("stall: nothing more is answered and nothing more is done, the connection stays, others work", async (t) => {
  const proxy = await proxyOf(t, [{ kind: "stall", at: 2 }]);
  const client = await connectRedis(proxy);
  let lost = false;
  const first = client
    .pipeline([
      ["INCR", "counter"],
      ["INCR", "counter"],
    ])
    .catch(() => {
      lost = true;
    });
  while (proxy.happened().length === 0) await new Promise(setImmediate);
  const second = client.pipeline([["INCR", "counter"]]).catch(() => undefined);
  assert.deepEqual(await count(proxy, 1), { replies: [3], counter: 3 });
  assert.equal(lost, false);
  client.close();
  await Promise.all([first, second]);
  assert.equal(Number(await redisCommand(redis, "GET", "counter")), 3);
});

test("late: what the client had sent is done after it has gone", async (t) => {
  const proxy = await proxyOf(t, [{ kind: "late", at: 4 }]);
  const client = await connectRedis(proxy);
  const sent = client.pipeline(Array.from({ length: 10 }, () => ["INCR", "counter"])).catch(() => "lost");
  while (proxy.happened().length === 0) await new Promise(setImmediate);
  assert.deepEqual(await count(proxy, 1), { replies: [4], counter: 4 });
  client.close();
  assert.equal(await sent, "lost");
  await proxy.stop();
  assert.equal(Number(await redisCommand(redis, "GET", "counter")), 11);
});

test("act: something is done while the reply waits, which is forwarded or lost", async (t) => {
  const seen: RedisReply[] = [];
  const act = async (): Promise<void> => {
    seen.push(await redisCommand(redis, "GET", "counter"));
    await redisCommand(redis, "SET", "counter", 100);
  };
  const proxy = await proxyOf(t, [
    { kind: "act", at: 1, act, reply: "forwarded" },
    { kind: "act", at: 2, act, reply: "lost" },
  ]);
  assert.deepEqual((await count(proxy, 1)).replies, [1]);
  assert.equal((await count(proxy, 1)).replies, "lost");
  assert.deepEqual(seen.map(String), ["1", "101"]);
});

test("what an act fails with is told at the end", async () => {
  const act = async (): Promise<void> => {
    throw new Error("told");
  };
  const proxy = await startFaultProxy(redis.port, [{ kind: "act", at: 1, act, reply: "forwarded" }]);
  await count(proxy, 1);
  await assert.rejects(proxy.stop(), /told/);
});

test("refuse for good: every new connection is reset", async (t) => {
  const proxy = await proxyOf(t, [{ kind: "refuse", at: 1, connections: Number.POSITIVE_INFINITY }]);
  assert.equal((await count(proxy, 1)).replies, "lost");
  for (let connections = 0; connections < 3; connections++) {
    await assert.rejects(redisCommand(proxy, "PING"), { code: "ECONNRESET" });
  }
});

test("redirect: old connections end, new ones go to the other Redis", async (t) => {
  const proxy = await proxyOf(t);
  const other = await startRedis();
  t.after(() => other.stop());
  const client = await connectRedis(proxy);
  await client.pipeline([["SET", "where", "first"]]);
  proxy.redirect(other.port);
  await assert.rejects(client.pipeline([["GET", "where"]]));
  await redisCommand(other, "SET", "where", "second");
  assert.equal(String(await redisCommand(proxy, "GET", "where")), "second");
});

test("expect nobody: connections stay, new ones find no Redis", async (t) => {
  const proxy = await proxyOf(t);
  const client = await connectRedis(proxy);
  proxy.expectNobody();
  await client.pipeline([["PING"]]);
  await assert.rejects(redisCommand(proxy, "PING"));
});

test("a Redis that is gone: the connection ends", async (t) => {
  const proxy = await proxyOf(t);
  const gone = await startRedis();
  await gone.stop();
  proxy.redirect(gone.port);
  await assert.rejects(redisCommand(proxy, "PING"));
});
