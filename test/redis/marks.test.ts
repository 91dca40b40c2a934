import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { leaveMark, type MarkScope, markKey, readMark } from "../../src/redis/marks.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { redisCommand } from "../support/redis-command.js";
import { clientOf } from "./support/client-of.js";

const scope: MarkScope = { keyPrefix: "session:", directory: "/srv/tele/sessions", inode: "12", shard: null };

describe("marks: a key for each key prefix, directory and shard (spec.md section 4, Logouts)", () => {
  const scopes: readonly (readonly [name: string, scope: MarkScope])[] = [
    ["no prefix, no shard", scope],
    ["a prefix, documented", { ...scope, keyPrefix: "session:a:" }],
    ["the same, as the applet has it", { ...scope, keyPrefix: "session::a:" }],
    ["another prefix", { ...scope, keyPrefix: "session:null:" }],
    ["another directory at its path", { ...scope, inode: "13" }],
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

describe("marks: left and read again (Logouts)", () => {
  const key = markKey(scope);
  const startedMs = Date.UTC(2026, 0, 10);

  it("the start of the main pass, until its instant; sent again nothing changes; a later one replaces it", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    const endMs = Date.now() + 604_800_000;
    assert.equal(await readMark(client, key), undefined);
    for (let round = 0; round < 2; round++) {
      await leaveMark(client, key, startedMs, endMs, 0);
      assert.equal(await readMark(client, key), startedMs);
      assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs);
    }
    await leaveMark(client, key, startedMs + 1, endMs + 5.75, 0);
    assert.equal(await readMark(client, key), startedMs + 1);
    assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs + 5);
    for (const lead of [70_000, -70_000]) {
      await leaveMark(client, key, startedMs + 1, endMs, lead);
      assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs + lead, "on Redis's clock");
    }
    assert.equal(await readMark(client, markKey({ ...scope, keyPrefix: "session:a:" })), undefined);
  });

  it("an earlier start takes no later one's place, but that of one in the future", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    const endMs = Date.now() + 604_800_000;
    await leaveMark(client, key, startedMs, endMs, 0);
    await leaveMark(client, key, startedMs - 1, endMs + 5, 0);
    assert.equal(await readMark(client, key), startedMs);
    assert.equal(await redisCommand(server, "PEXPIRETIME", key), endMs);
    await leaveMark(client, key, Date.now() + 3_600_000, endMs, 0);
    await leaveMark(client, key, startedMs, endMs, 0);
    assert.equal(await readMark(client, key), startedMs);
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
    await assert.rejects(leaveMark(client, key, startedMs, Date.now() + 1000, 0), /NOPERM/);
  });
});
