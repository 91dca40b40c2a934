import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Entry } from "../../src/model/entry.js";
import { RedisSessionStore } from "../../src/redis/redis-session-store.js";
import { type SessionStore, unaccepted } from "../../src/redis/session-store.js";
import { sha1 } from "../../src/redis/sha1.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import type { Contents } from "../support/memory-store.js";
import { startFaultProxy } from "../support/proxies/fault-proxy.js";
import type { Fault } from "../support/proxies/fault-schedule.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { type Account, resilientOf, storeOptions } from "./support/client-of.js";
import { encodedEntries } from "./support/encoded-entries.js";
import { fillRedis, redisContents } from "./support/redis-contents.js";

const later = Date.now() + 1_000_000;
const entryOf = (sid: string, number: number): Entry => ({
  key: `session:${sid}`,
  value: `{"a": ${number}}`,
  expiresAtMs: later + number,
});
const entries = [entryOf("a", 0), entryOf("b", 1), entryOf("c", 2)] as const;
const [first, second, third] = entries;
const keys = entries.map(({ key }) => key);
const stored = { kind: "text", value: Buffer.from("{}"), expiresAtMs: later } as const;
const filled = Object.fromEntries(keys.map((key) => [key, { value: "{}", expiresAtMs: later }]));
const written = Object.fromEntries(entries.map(({ key, value, expiresAtMs }) => [key, { value, expiresAtMs }]));

/** A call of each method about these keys. */
const calls = {
  create: (store: SessionStore) => store.create(entries),
  createEncoded: (store: SessionStore) => store.createEncoded(...encodedEntries(entries, 0)),
  overwrite: (store: SessionStore) => store.overwrite(entries),
  replace: (store: SessionStore) => store.replace(entries.map((entry) => ({ entry, stored }))),
  retract: (store: SessionStore) => store.retract([{ sid: "a", digest: sha1("{}"), expiresAtMs: later }]),
  read: (store: SessionStore) => store.read(keys),
  exist: (store: SessionStore) => store.exist(keys),
} as const;
type Method = keyof typeof calls;
const methods: readonly Method[] = ["create", "createEncoded", "overwrite", "replace", "retract", "read", "exist"];

async function storeOf(t: TestContext, account: Account, { retryForMs = 20_000 } = {}): Promise<SessionStore> {
  return new RedisSessionStore(await resilientOf(t, account, { retryForMs }), storeOptions());
}

describe("redis-session-store: value and expiry in one command (spec.md section 4)", () => {
  for (const method of ["create", "createEncoded", "overwrite"] as const) {
    it(`${method}: one SET for each entry, and no command sets an expiry`, async (t) => {
      const server = await redisOf(t);
      const store = await storeOf(t, server);
      await redisCommand(server, "CONFIG", "RESETSTAT");
      await calls[method](store);
      const statistics = String(await redisCommand(server, "INFO", "commandstats"));
      assert.match(statistics, /cmdstat_set:calls=3,/);
      assert.doesNotMatch(statistics, /cmdstat_p?expire(?:at)?:/);
      assert.deepEqual(await redisContents(server), written);
    });
  }

  it("INFO denied: nothing is sent encoded, for one entry may cost the connection", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info");
    const store = await storeOf(t, { ...server, username: "u", password: "pw" });
    assert.deepEqual(await store.createEncoded(...encodedEntries([first], 0)), ["refused"]);
    assert.equal(await redisCommand(server, "DBSIZE"), 0);
  });

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
    const encoded = await store.createEncoded(...encodedEntries(some, 0));
    assert.deepEqual(encoded, ["created", "refused", "created"]);
    assert.deepEqual(await store.create(some), [{ kind: "exists" }, failed, { kind: "exists" }]);
    assert.deepEqual(await store.overwrite(some), [{ kind: "copied" }, failed, { kind: "copied" }]);
  });
});

describe("redis-session-store: Redis does it, and the reply is lost with the connection (hazards.md, Redis)", () => {
  const exists = entries.map(() => ({ kind: "exists", sentBefore: true }));
  const copied = entries.map(() => ({ kind: "copied" }));
  const rows: readonly {
    readonly name: string;
    readonly method: Method;
    readonly isFilled?: true;
    /** What a server does before the batch is sent again. */
    readonly meanwhile?: readonly string[];
    readonly answer: unknown;
    readonly after: Contents;
  }[] = [
    { name: "finds its own keys, and tells", method: "create", answer: exists, after: written },
    { name: "leaves it to create", method: "createEncoded", answer: undefined, after: written },
    { name: "writes the same again", method: "overwrite", answer: copied, after: written },
    {
      name: "changes nothing more, though a server saved since",
      ...{ method: "replace", isFilled: true, meanwhile: ["SET", second.key, "saved"] },
      answer: [false, false, false],
      after: { ...written, [second.key]: { value: "saved", expiresAtMs: null } },
    },
    { name: "reads again", method: "read", isFilled: true, answer: [stored, stored, stored], after: filled },
    { name: "asks again", method: "exist", isFilled: true, answer: [true, true, true], after: filled },
    {
      name: "tells of fewer",
      ...{ method: "retract", isFilled: true },
      answer: [false],
      after: Object.fromEntries(Object.entries(filled).slice(1)),
    },
  ];
  for (const { name, method, isFilled, meanwhile, answer, after } of rows) {
    it(`${method} ${name}`, async (t) => {
      const server = await redisOf(t);
      const callThrough = async (faults: readonly Fault[]) => {
        await fillRedis(server, isFilled ? filled : {});
        const proxy = await startFaultProxy(server.port, faults);
        t.after(() => proxy.stop());
        const result = await calls[method](await storeOf(t, { ...server, port: proxy.port }));
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
      assert.deepEqual(await redisContents(server), after);
    });
  }

  it("Redis stays away: unavailable", async (t) => {
    const connection = await resilientOf(t, await redisOf(t), { retryForMs: 0 });
    await connection.close();
    const store = new RedisSessionStore(connection, storeOptions());
    for (const method of methods) {
      await assert.rejects(calls[method](store), { name: "RedisError", kind: "unavailable" });
    }
  });

  it("Redis becomes a replica during the run: no write is taken for done", async (t) => {
    const server = await redisOf(t);
    await fillRedis(server, filled);
    for (const method of methods.slice(0, 5)) {
      await redisCommand(server, "REPLICAOF", "NO", "ONE");
      const store = await storeOf(t, server, { retryForMs: 0 });
      await redisCommand(server, "REPLICAOF", "127.0.0.1", "1");
      await assert.rejects(calls[method](store), { kind: "unavailable", message: /is a read-only replica/ });
    }
    assert.deepEqual(await redisContents(server), filled);
  });
});

describe("redis-session-store: Redis refuses, and nothing changes", () => {
  const user = { username: "u", password: "pw" };
  const sessionKeys = /the keys of sessions \(session:\*\)$/;
  const rows: readonly (readonly [name: string, rules: readonly string[], says: RegExp, refused: readonly Method[]])[] =
    [
      ["SET", ["~*", "+@all", "-set"], /the command SET\. /, ["create", "createEncoded", "overwrite"]],
      ["GET", ["~*", "+@all", "-get"], /the command GET\. /, ["read"]],
      ["PEXPIRETIME", ["~*", "+@all", "-pexpiretime"], /the command PEXPIRETIME\. /, ["read"]],
      ["EXISTS", ["~*", "+@all", "-exists"], /the command EXISTS\. /, ["exist"]],
      ["EVAL", ["~*", "+@all", "-eval"], /the command EVAL\. /, ["replace", "retract"]],
      // A run asks for these before.
      ["SET inside the script", ["~*", "+@all", "-set"], /./, ["replace"]],
      ["PEXPIRETIME inside the script", ["~*", "+@all", "-pexpiretime"], /./, ["replace", "retract"]],
      ["the keys of sessions", ["~other:*", "+@all"], sessionKeys, methods],
    ];
  for (const [name, rules, says, refused] of rows) {
    it(`a user without ${name}: ${refused.join(", ")}`, async (t) => {
      const server = await redisOf(t);
      await fillRedis(server, filled);
      await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", ...rules);
      const store = await storeOf(t, { ...server, ...user });
      for (const method of refused) {
        await assert.rejects(calls[method](store), { name: "RedisError", kind: "refused", message: says });
      }
      assert.deepEqual(await redisContents(server), filled);
    });
  }

  for (const isGuarded of [true, false]) {
    const who = isGuarded ? "the guard stops before" : "Redis alone knows it";
    const says = isGuarded
      ? /^Redis has reached 95% of its maxmemory: about 0\.1 MiB more/
      : /^Redis is out of memory \(maxmemory reached\): about 0\.1 MiB more/;
    it(`maxmemory without eviction, and ${who}: refused, saying so`, async (t) => {
      const server = await redisOf(t);
      await fillRedis(server, filled);
      await redisCommand(
        server,
        "ACL",
        "SETUSER",
        "u",
        "on",
        ">pw",
        "~*",
        "+@all",
        ...(isGuarded ? [] : ["-info", "-config"]),
      );
      await redisCommand(server, "CONFIG", "SET", "maxmemory", "1");
      const store = await storeOf(t, { ...server, ...user });
      const more = { ...first, key: "session:d" };
      for (const write of [() => store.create([first, more]), calls.overwrite, calls.replace]) {
        await assert.rejects(write(store), { name: "RedisError", kind: "refused", message: says });
      }
      const encoded = store.createEncoded(...encodedEntries([first, more], 0));
      // Redis refuses each entry, and `create` says why.
      if (isGuarded) await assert.rejects(encoded, { kind: "refused", message: says });
      else assert.deepEqual(await encoded, ["refused", "refused"]);
      assert.deepEqual(await calls.createEncoded(store), ["refused", "refused", "refused"]);
      const creations = await store.create(entries);
      assert(creations.every(({ kind }) => kind === "exists"));
      assert.deepEqual(await redisContents(server), filled);
      // The value stays, and a new expiry takes no memory.
      const renewals = entries.map((entry) => ({ entry: { ...entry, value: "{}" }, stored }));
      assert.deepEqual(await store.replace(renewals), [true, true, true]);
    });
  }
});
