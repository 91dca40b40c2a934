import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Entry } from "../../src/model/entry.js";
import { RedisSessionStore } from "../../src/redis/redis-session-store.js";
import { type SessionStore, unaccepted } from "../../src/redis/session-store.js";
import { sha1 } from "../../src/redis/sha1.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { startFaultProxy } from "../support/fault-proxy.js";
import type { Fault } from "../support/fault-schedule.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import { type Account, resilientOf } from "./support/client-of.js";
import { encodedEntries } from "./support/encoded-entries.js";
import { storeOptions } from "./support/store-options.js";

const later = Date.now() + 1_000_000;
const entries: readonly Entry[] = ["a", "b", "c"].map((sid, index) => ({
  key: `session:${sid}`,
  value: `{"a": ${index}}`,
  expiresAtMs: later + index,
}));
const [first, second, third] = entries as readonly [Entry, Entry, Entry];
const keys = entries.map(({ key }) => key);
const held = { kind: "text", value: Buffer.from("{}"), expiresAtMs: later } as const;
const fillCommands = keys.map((key) => ["SET", key, "{}", "PXAT", later]);
const replacements = entries.map((entry) => ({ entry, held }));
const seen = { sid: "a", digest: sha1("{}"), expiresAtMs: later };
const create = (store: SessionStore) => store.create(entries);
const createEncoded = (store: SessionStore) => store.createEncoded(encodedEntries(entries, 0));
const overwrite = (store: SessionStore) => store.overwrite(entries);
const replace = (store: SessionStore) => store.replace(replacements);
const read = (store: SessionStore) => store.read(keys);
const exist = (store: SessionStore) => store.exist(keys);
const retract = (store: SessionStore) => store.retract([seen]);

async function storeOf(
  t: TestContext,
  account: Account,
  { retryForMs = 20_000 } = {},
): Promise<SessionStore> {
  return new RedisSessionStore(await resilientOf(t, account, { retryForMs }), storeOptions());
}

/** Puts `{}` under every key. */
async function fill(account: Account): Promise<void> {
  await redisPipeline(account, fillCommands);
}

/** What the keys hold, and until when. */
async function contentsOf(account: Account): Promise<unknown[]> {
  const replies = await redisPipeline(
    account,
    keys.flatMap((key) => [
      ["GET", key],
      ["PEXPIRETIME", key],
    ]),
  );
  return replies.map((reply) => (Buffer.isBuffer(reply) ? reply.toString() : reply));
}
const filled = keys.flatMap(() => ["{}", later]);
const written = entries.flatMap(({ value, expiresAtMs }) => [value, expiresAtMs]);

describe("redis-session-store: value and expiry in one command (spec.md section 4)", () => {
  for (const [name, write] of Object.entries({ create, createEncoded, overwrite })) {
    it(`${name}: one SET for each entry, and no command sets an expiry`, async (t) => {
      const server = await redisOf(t);
      const store = await storeOf(t, server);
      await redisCommand(server, "CONFIG", "RESETSTAT");
      await write(store);
      const statistics = String(await redisCommand(server, "INFO", "commandstats"));
      assert.match(statistics, /cmdstat_set:calls=3,/);
      assert.doesNotMatch(statistics, /cmdstat_p?expire(?:at)?:/);
      assert.deepEqual(await contentsOf(server), written);
    });
  }

  it("a key that expired in Redis does not exist", async (t) => {
    const server = await redisOf(t);
    const store = await storeOf(t, server);
    await redisCommand(server, "SET", first.key, "older", "PXAT", Date.now() + 1);
    while ((await redisCommand(server, "EXISTS", first.key)) === 1);
    assert.deepEqual(await store.create([first]), [{ kind: "created" }]);
  });

  it("a reply about one entry fails that one, and names no value", async (t) => {
    const store = await storeOf(t, await redisOf(t));
    const some = [first, { ...second, expiresAtMs: 1e20 }, third];
    const failed = { kind: "failed", detail: `Redis answered ERR to SET. ${unaccepted(second)}` };
    assert.match(unaccepted(second), /^Redis does not accept this entry of 8 bytes: see proto-max-bulk-len/);
    const encoded = await store.createEncoded(encodedEntries(some, 0));
    assert.deepEqual(encoded, ["created", "refused", "created"]);
    assert.deepEqual(await store.create(some), [{ kind: "exists" }, failed, { kind: "exists" }]);
    assert.deepEqual(await store.overwrite(some), [{ kind: "copied" }, failed, { kind: "copied" }]);
  });
});

describe("redis-session-store: Redis does it, and the reply is lost with the connection (hazards.md, Redis)", () => {
  const exists = entries.map(() => ({ kind: "exists", sentBefore: true }));
  const copied = entries.map(() => ({ kind: "copied" }));
  const saved = ["SET", second.key, "saved"];
  const rows: readonly {
    readonly name: string;
    readonly call: (store: SessionStore) => Promise<unknown>;
    readonly isFilled?: true;
    /** What a server does before the batch is sent again. */
    readonly meanwhile?: readonly string[];
    readonly answer: unknown;
    readonly after: readonly unknown[];
  }[] = [
    { name: "create finds its own keys, and tells", call: create, answer: exists, after: written },
    { name: "createEncoded leaves it to create", call: createEncoded, answer: undefined, after: written },
    { name: "overwrite writes the same again", call: overwrite, answer: copied, after: written },
    {
      name: "replace changes nothing more, though a server saved since",
      ...{ call: replace, isFilled: true, meanwhile: saved },
      answer: [false, false, false],
      after: [...written.slice(0, 2), "saved", -1, ...written.slice(4)],
    },
    { name: "read reads again", call: read, isFilled: true, answer: [held, held, held], after: filled },
    { name: "exist asks again", call: exist, isFilled: true, answer: [true, true, true], after: filled },
    {
      name: "retract tells of fewer",
      ...{ call: retract, isFilled: true },
      answer: [false],
      after: [null, -2, ...filled.slice(2)],
    },
  ];
  for (const { name, call, isFilled, meanwhile, answer, after } of rows) {
    it(name, async (t) => {
      const server = await redisOf(t);
      const begin = () => redisPipeline(server, [["FLUSHALL"], ...(isFilled ? fillCommands : [])]);
      const callThrough = async (faults: readonly Fault[]) => {
        await begin();
        const proxy = await startFaultProxy(server.port, faults);
        t.after(() => proxy.stop());
        const result = await call(await storeOf(t, { ...server, port: proxy.port }));
        return { proxy, result };
      };
      const { proxy: rehearsed } = await callThrough([]);
      const at = 1 + rehearsed.replies().findIndex(({ name }) => /^(SET|EVAL|GET|EXISTS)$/.test(name));
      const act = async () => {
        if (meanwhile !== undefined) await redisCommand(server, ...meanwhile);
      };
      const { proxy, result } = await callThrough([{ kind: "act", at, act, reply: "lost" }]);
      assert.equal(proxy.connections(), 2);
      assert.deepEqual(result, answer);
      assert.deepEqual(await contentsOf(server), after);
    });
  }

  it("Redis stays away: unavailable", async (t) => {
    const connection = await resilientOf(t, await redisOf(t), { retryForMs: 0 });
    await connection.close();
    const store = new RedisSessionStore(connection, storeOptions());
    for (const call of [create, createEncoded, overwrite, replace, read, exist, retract]) {
      await assert.rejects(call(store), { name: "RedisError", kind: "unavailable" });
    }
  });

  it("Redis becomes a replica meanwhile: no write is taken for done", async (t) => {
    const server = await redisOf(t);
    await fill(server);
    for (const call of [create, createEncoded, overwrite, replace, retract]) {
      await redisCommand(server, "REPLICAOF", "NO", "ONE");
      const store = await storeOf(t, server, { retryForMs: 0 });
      await redisCommand(server, "REPLICAOF", "127.0.0.1", "1");
      await assert.rejects(call(store), { kind: "unavailable", message: /is a read-only replica/ });
    }
    assert.deepEqual(await contentsOf(server), filled);
  });
});

describe("redis-session-store: Redis refuses, and nothing changes", () => {
  const user = { username: "u", password: "pw" };
  const calls = { create, createEncoded, overwrite, replace, read, exist, retract };
  const sessionKeys = /the keys of sessions \(session:\*\)$/;
  const rows: readonly (readonly [
    name: string,
    rules: readonly string[],
    says: RegExp,
    refused: readonly (keyof typeof calls)[],
  ])[] = [
    ["SET", ["~*", "+@all", "-set"], /the command SET\. /, ["create", "createEncoded", "overwrite"]],
    ["GET", ["~*", "+@all", "-get"], /the command GET\. /, ["read"]],
    ["PEXPIRETIME", ["~*", "+@all", "-pexpiretime"], /the command PEXPIRETIME\. /, ["read"]],
    ["EXISTS", ["~*", "+@all", "-exists"], /the command EXISTS\. /, ["exist"]],
    ["EVAL", ["~*", "+@all", "-eval"], /the command EVAL\. /, ["replace", "retract"]],
    // A run asks for these before.
    ["SET inside the script", ["~*", "+@all", "-set"], /./, ["replace"]],
    ["PEXPIRETIME inside the script", ["~*", "+@all", "-pexpiretime"], /./, ["replace", "retract"]],
    [
      "the keys of sessions",
      ["~other:*", "+@all"],
      sessionKeys,
      ["create", "createEncoded", "overwrite", "replace", "read", "exist", "retract"],
    ],
  ];
  for (const [name, rules, says, refused] of rows) {
    it(`a user without ${name}: ${refused.join(", ")}`, async (t) => {
      const server = await redisOf(t);
      await fill(server);
      await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", ...rules);
      const store = await storeOf(t, { ...server, ...user });
      for (const method of refused) {
        await assert.rejects(calls[method](store), { name: "RedisError", kind: "refused", message: says });
      }
      assert.deepEqual(await contentsOf(server), filled);
    });
  }

  for (const [name, rules, says] of [
    ["the guard stops before", ["+@all"], /^Redis has come to 95% of its maxmemory: about 0\.1 MiB more/],
    [
      "Redis alone knows it",
      ["+@all", "-info", "-config"],
      /^Redis is out of memory \(maxmemory reached\): about 0\.1 MiB more/,
    ],
  ] as const) {
    it(`maxmemory without eviction, and ${name}: refused, saying so`, async (t) => {
      const server = await redisOf(t);
      await fill(server);
      await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", ...rules);
      await redisCommand(server, "CONFIG", "SET", "maxmemory", "1");
      const store = await storeOf(t, { ...server, ...user });
      const more = { ...first, key: "session:d" };
      for (const write of [() => store.create([first, more]), () => overwrite(store), () => replace(store)]) {
        await assert.rejects(write(), { name: "RedisError", kind: "refused", message: says });
      }
      assert.deepEqual(
        await create(store),
        entries.map(() => ({ kind: "exists" })),
        "nothing to write",
      );
      assert.deepEqual(await contentsOf(server), filled);
      // The value stays, and a new expiry takes no memory.
      const renewals = entries.map((entry) => ({ entry: { ...entry, value: "{}" }, held }));
      assert.deepEqual(await store.replace(renewals), [true, true, true]);
    });
  }

  it("createEncoded in a full Redis: each entry is refused, and create says why", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info", "-config");
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "1");
    const store = await storeOf(t, { ...server, ...user });
    assert.deepEqual(await createEncoded(store), ["refused", "refused", "refused"]);
    await assert.rejects(create(store), { kind: "refused", message: /^Redis is out of memory/ });
  });
});
