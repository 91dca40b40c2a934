import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Redis } from "ioredis";
import { leaveMark, type MarkScope, markKey, readMark } from "../../src/redis/marks.js";
import { joinWitness, removeWitness, witnessKey, witnessStands } from "../../src/redis/witness.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { redisCommand } from "../support/redis-command.js";
import { clientOf } from "./support/client-of.js";

const scope: MarkScope = {
  keyPrefix: "session:",
  directory: "/srv/tele/sessions",
  identity: "12 1",
  shard: null,
};

describe("marks: a key for each key prefix, directory and shard (spec.md section 4, Logouts)", () => {
  const scopes: readonly (readonly [name: string, scope: MarkScope])[] = [
    ["no prefix, no shard", scope],
    ["a prefix, documented", { ...scope, keyPrefix: "session:a:" }],
    ["the same, as the applet has it", { ...scope, keyPrefix: "session::a:" }],
    ["another prefix", { ...scope, keyPrefix: "session:null:" }],
    ["another directory at its path", { ...scope, identity: "13 1" }],
    ["another one with its inode", { ...scope, identity: "12 2" }],
    ["another directory", { ...scope, directory: "/srv/tele/sessions2" }],
    [
      "a directory that looks like a prefix and a directory",
      { ...scope, directory: 'a","/srv/tele/sessions' },
    ],
    ["the first shard of two", { ...scope, shard: { index: 0, count: 2 } }],
    ["the second shard of two", { ...scope, shard: { index: 1, count: 2 } }],
    ["the first shard of three", { ...scope, shard: { index: 0, count: 3 } }],
  ];
  it("no two scopes share one", () =>
    assert.equal(new Set(scopes.map(([, each]) => markKey(each))).size, scopes.length));

  for (const [name, each] of scopes) {
    it(`${name}: tele-sessions:mark:<hash>, the same each time, without the directory's name`, () => {
      assert.match(markKey(each), /^tele-sessions:mark:[0-9a-f]{32}$/);
      assert.equal(markKey({ ...each }), markKey(each));
    });
  }
});

async function witnessOf(client: Redis): Promise<string> {
  const value = await joinWitness(client);
  assert(value !== undefined);
  return value;
}

describe("marks: left and read again (Logouts)", () => {
  const key = markKey(scope);
  const startedMs = Date.UTC(2026, 0, 10);

  it("the start of the main pass, until its instant; sent again nothing changes; a later one replaces it", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    const witness = await witnessOf(client);
    const endMs = Date.now() + 604_800_000;
    assert.equal(await readMark(client, key), undefined);
    for (let round = 0; round < 2; round++) {
      await leaveMark(client, key, witness, { startedMs, expiresAtMs: endMs }, 0);
      assert.equal(await readMark(client, key), startedMs);
      assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs);
    }
    await leaveMark(client, key, witness, { startedMs: startedMs + 1, expiresAtMs: endMs + 5.75 }, 0);
    assert.equal(await readMark(client, key), startedMs + 1);
    assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs + 5);
    for (const lead of [70_000, -70_000]) {
      await leaveMark(client, key, witness, { startedMs: startedMs + 1, expiresAtMs: endMs }, lead);
      assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs + lead, "on Redis's clock");
    }
    assert.equal(await readMark(client, markKey({ ...scope, keyPrefix: "session:a:" })), undefined);
  });

  it("an earlier start takes no later one's place, but that of one in the future", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    const witness = await witnessOf(client);
    const endMs = Date.now() + 604_800_000;
    await leaveMark(client, key, witness, { startedMs, expiresAtMs: endMs }, 0);
    await leaveMark(client, key, witness, { startedMs: startedMs - 1, expiresAtMs: endMs + 5 }, 0);
    assert.equal(await readMark(client, key), startedMs);
    assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs);
    await leaveMark(client, key, witness, { startedMs: Date.now() + 3_600_000, expiresAtMs: endMs }, 0);
    await leaveMark(client, key, witness, { startedMs, expiresAtMs: endMs }, 0);
    assert.equal(await readMark(client, key), startedMs);
  });

  it("only while its witness stands", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    const mark = { startedMs, expiresAtMs: Date.now() + 1000 };
    assert.equal(await leaveMark(client, key, "1", mark, 0), false);
    assert.equal(await redisCommand(server, "DBSIZE"), 0);
    const witness = await witnessOf(client);
    assert.equal(await joinWitness(client), witness, "all share the first one");
    assert.equal(await witnessStands(client, witness), true);
    assert.equal(await leaveMark(client, key, "1", mark, 0), false, "another one");
    assert.ok(Number(await redisCommand(server, "PTTL", witnessKey)) > 0, "it ends by itself");
    assert.equal(await leaveMark(client, key, witness, mark, 0), true);
    await removeWitness(client, "1");
    assert.equal(await witnessStands(client, witness), true);
    await removeWitness(client, witness);
    assert.equal(await witnessStands(client, witness), false);
    assert.equal(String(await redisCommand(server, "KEYS", "*")), key);
  });

  it("there is no witness where Redis is full, holds something else there, or lacks the right; else what is wrong is thrown", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    await redisCommand(server, "LPUSH", witnessKey, "1");
    assert.equal(await joinWitness(client), undefined);
    await redisCommand(server, "DEL", witnessKey);
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "1");
    assert.equal(await joinWitness(client), undefined);
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "0");
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-eval");
    assert.equal(
      await joinWitness(await clientOf(t, { ...server, username: "u", password: "pw" })),
      undefined,
    );
    await redisCommand(server, "CONFIG", "SET", "min-replicas-to-write", "1");
    await assert.rejects(joinWitness(client), /^ReplyError: NOREPLICAS/);
  });

  it("what is no mark counts as none", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    for (const [text, mark] of [
      ["1768003200000", 1_768_003_200_000],
      ["0", 0],
      ["", undefined],
      ["-1", undefined],
      ["1e12", undefined],
      ["1768003200000.5", undefined],
      ["1768003200000\n", undefined],
      ["9999999999999999", undefined],
      ["soon", undefined],
    ] as const) {
      await redisCommand(server, "SET", key, text);
      assert.equal(await readMark(client, key), mark, JSON.stringify(text));
    }
  });

  it("a right that is missing is thrown, for the run to say so", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~session:*", "+@all");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    await assert.rejects(readMark(client, key), /NOPERM/);
    await assert.rejects(
      leaveMark(client, key, "1", { startedMs, expiresAtMs: Date.now() + 1000 }, 0),
      /NOPERM/,
    );
  });
});
