import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisForgotError } from "../../src/model/errors.js";
import { canaryKey } from "../../src/redis/canary.js";
import { changeMark, listMarks, type Mark, type MarkScope, markKey, readMark } from "../../src/redis/marks.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { clientOf } from "./support/client-of.js";

const scope: MarkScope = { keyPrefix: "session:", directory: "/srv/tele/sessions", identity: "12 1" };

describe("marks: a key for each key prefix and directory (spec.md section 4, Marks)", () => {
  const scopes: readonly (readonly [name: string, scope: MarkScope])[] = [
    ["no prefix", scope],
    ["a prefix, documented", { ...scope, keyPrefix: "session:a:" }],
    ["the same, as the applet has it", { ...scope, keyPrefix: "session::a:" }],
    ["another prefix", { ...scope, keyPrefix: "session:null:" }],
    ["another directory at its path", { ...scope, identity: "13 1" }],
    ["another one with its inode", { ...scope, identity: "12 2" }],
    ["another directory", { ...scope, directory: "/srv/tele/sessions2" }],
    ["a directory that looks like a prefix and a directory", { ...scope, directory: 'a","/srv/tele/sessions' }],
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

describe("marks: left and read again", () => {
  const key = markKey(scope);
  const startedMs = Date.UTC(2026, 0, 10);
  const expirations = { expiration: 604_800, expirationAnonymous: 10_800 };
  const whole: Mark = {
    keyPrefix: "session:",
    beganMs: 1,
    removesMs: 2,
    complete: [
      { shard: { index: 0, count: 1 }, mark: { startedMs, renewedMs: startedMs } },
      {
        shard: { index: 1, count: 4 },
        mark: {
          startedMs: startedMs - 1,
          startedWithoutKeepMs: startedMs,
          renewedMs: startedMs,
          shortest: expirations,
          longest: expirations,
          ttl: "remaining",
        },
      },
    ],
  };

  it("everything that is noted is read again, for 90 days", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    assert.deepEqual(await readMark(client, key), {});
    await changeMark(client, key, undefined, () => whole);
    assert.deepEqual(await readMark(client, key), whole);
    const left = Number(await redisCommand(server, "PTTL", key));
    assert.ok(left > 90 * 86_400_000 - 60_000 && left <= 90 * 86_400_000);
    assert.deepEqual([...((await listMarks(client)) ?? [])], [[key, whole]]);
  });

  it("two runs that change it at once both have their word", async (t) => {
    const server = await redisOf(t);
    const [one, other] = [await clientOf(t, server), await clientOf(t, server)];
    let calls = 0;
    await changeMark(one, key, undefined, (mark) => {
      calls++;
      return { ...mark, beganMs: 7 };
    });
    const racing = Array.from({ length: 20 }, (_, round) =>
      changeMark(round % 2 === 0 ? one : other, key, undefined, (mark) => ({
        ...mark,
        removesMs: (mark.removesMs ?? 0) + 1,
      })),
    );
    await Promise.all(racing);
    assert.deepEqual(await readMark(one, key), { beganMs: 7, removesMs: 20 });
    assert.equal(calls, 1);
  });

  it("the same mark is not written", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    await changeMark(client, key, undefined, (mark) => mark);
    assert.equal(await redisCommand(server, "DBSIZE"), 0);
  });

  it("with a canary key only while it has this value", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    const change = (value: string) => changeMark(client, key, { key: canaryKey, value }, () => whole);
    await assert.rejects(change("1"), RedisForgotError);
    await redisCommand(server, "SET", canaryKey, "2");
    await assert.rejects(change("1"), RedisForgotError);
    assert.equal(await redisCommand(server, "EXISTS", key), 0);
    await change("2");
    assert.equal(await redisCommand(server, "EXISTS", key), 1);
  });

  it("marks of versions that noted the start alone, and what is no mark", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    for (const [text, started] of [
      ["1768003200000", 1_768_003_200_000],
      ["0", 0],
      ["", undefined],
      ["-1", undefined],
      ["1e12", undefined],
      ["1768003200000.5", undefined],
      ["9999999999999999", undefined],
      ["soon", undefined],
      ["{}", undefined],
      ['{"shards": {"1/1": {"started": "x"}}}', undefined],
      ['{"shards": {"0/1": {"started": 1, "renewed": 1}, "all": {"started": 1, "renewed": 1}}}', undefined],
      ['{"shards": {"3/4": {"started": 1, "renewed": 1}, "2/4": {"started": 2, "renewed": 1}}}', 2],
    ] as const) {
      await redisCommand(server, "SET", key, text);
      assert.equal((await readMark(client, key)).complete?.[0]?.mark.startedMs, started, JSON.stringify(text));
    }
  });

  it("listed, what is no text or may not be read is a mark that says nothing", async (t) => {
    const server = await redisOf(t);
    await changeMark(await clientOf(t, server), key, undefined, () => whole);
    await redisCommand(server, "RPUSH", "tele-sessions:mark:list", "x");
    await redisCommand(server, "SET", "tele-sessions:mark:theirs", "{}");
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", `~${key}`, "~tele-sessions:mark:list", "+@all");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    assert.deepEqual(
      [...((await listMarks(client)) ?? [])].sort(),
      [
        [key, whole],
        ["tele-sessions:mark:list", {}],
        ["tele-sessions:mark:theirs", {}],
      ].sort(),
    );
  });

  it("a right that is missing is thrown, for the run to say so", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~session:*", "+@all", "-scan");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    await assert.rejects(readMark(client, key), /NOPERM/);
    await assert.rejects(
      changeMark(client, key, undefined, () => whole),
      /NOPERM/,
    );
    assert.equal(await listMarks(client), undefined);
  });
});
