import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Redis } from "ioredis";
import { keyPrefix } from "../../src/convert/session-key.js";
import type { StoredText } from "../../src/model/stored-value.js";
import { findKeyLayouts } from "../../src/redis/key-layouts-seen.js";
import { openConnection } from "../../src/redis/open-connection.js";
import type { ResilientConnection } from "../../src/redis/resilient-connection.js";
import { redisCommand, redisPipeline } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";

const tests = {
  isServerSaved: ({ value }: StoredText) => value.toString() !== "copied",
  clockLeadMs: 0,
};

describe("key-layouts-seen: which layouts valid keys stand under (spec.md section 4, Keys)", () => {
  let server: RedisServer;
  let client: Redis;
  before(async () => {
    server = await startRedis();
    client = (await openConnection({ address: { host: server.host, port: server.port }, db: 0 })).client;
  });
  after(async () => {
    client.disconnect();
    await server.stop();
  });

  async function find(prefix: string, keys: readonly string[]) {
    await redisCommand(server, "FLUSHALL");
    await redisPipeline(
      server,
      keys.map((key, index) => ["SET", key, "{}", "PXAT", Date.now() + 3_600_000 + index]),
    );
    const prefixes = { documented: keyPrefix("documented", prefix), applet: keyPrefix("applet", prefix) };
    return findKeyLayouts(serversOf(client), prefixes, tests);
  }

  const sid = "a".repeat(40);
  const longSid = "-_".repeat(42);
  const rows: readonly (readonly [name: string, keys: readonly string[], documented: boolean, applet: boolean])[] = [
    ["an empty Redis", [], false, false],
    ["documented only", [`session:p:${sid}`], true, false],
    ["applet only", [`session::p:${sid}`], false, true],
    ["both", [`session::p:${sid}`, `session:p:${sid}`], true, true],
    ["a sid of 84", [`session::p:${longSid}`], false, true],
    ["keys without a prefix", [`session:${sid}`], false, false],
    [
      "keys of another prefix",
      [`session:q:${sid}`, `session::q:${sid}`, `session:p:p:${sid}`, `session:pp:${sid}`],
      false,
      false,
    ],
    ["three colons", [`session:::p:${sid}`], false, false],
    [
      "no sids",
      ["session:p:", "session:p:x", `session:p:${sid}0`, `session::p:${sid.toUpperCase()}`, `session:p:${sid}\n`],
      false,
      false,
    ],
    ["a start that is none", [`Session:p:${sid}`, ` session:p:${sid}`, `xsession:p:${sid}`], false, false],
    ["junk among them", ["session:p:x", `session:p:${sid}`, "session::p:junk"], true, false],
  ];
  for (const [name, keys, documented, applet] of rows) {
    it(name, async () => assert.deepEqual(await find("p", keys), { documented, applet, cutShort: false }));
  }

  for (const prefix of [
    "*",
    "?",
    "[a]",
    "[",
    "]",
    "\\",
    "^",
    "-",
    "a-z",
    "[^a]",
    "\\*",
    "a*b?c",
    "ü 😀",
    ":",
    "p:",
    "\n",
  ]) {
    it(`the prefix ${JSON.stringify(prefix)} is taken literally`, async () => {
      const strangers = ["a", "b", "z", "aXbYc", "aa", "\\a"].flatMap((other) => [
        `session:${other}:${sid}`,
        `session::${other}:${sid}`,
      ]);
      assert.deepEqual(await find(prefix, strangers), { documented: false, applet: false, cutShort: false });
      assert.deepEqual(await find(prefix, [...strangers, `session:${prefix}:${sid}`]), {
        documented: true,
        applet: false,
        cutShort: false,
      });
      assert.deepEqual(await find(prefix, [...strangers, `session::${prefix}:${sid}`]), {
        documented: false,
        applet: true,
        cutShort: false,
      });
    });
  }

  it("looks through the whole keyspace", async () => {
    const others = Array.from({ length: 20_000 }, (_, index) => `other:${index}`);
    assert.deepEqual(await find("p", [...others, `session::p:${sid}`]), {
      documented: false,
      applet: true,
      cutShort: false,
    });
  });

  it("only reads", async () => {
    await find("p", [`session:p:${sid}`]);
    await redisCommand(server, "CONFIG", "RESETSTAT");
    const prefixes = { documented: "session:p:", applet: "session::p:" };
    await findKeyLayouts(serversOf(client), prefixes, tests);
    const called = [...String(await redisCommand(server, "INFO", "commandstats")).matchAll(/^cmdstat_(\S+?):/gm)];
    assert.deepEqual(
      called
        .map(([, name]) => name)
        .filter((name) => !name?.startsWith("config"))
        .sort(),
      ["get", "pexpiretime", "scan"],
    );
  });

  it("keys of copies prove nothing", async () => {
    await redisCommand(server, "FLUSHALL");
    await redisCommand(server, "SET", `session:p:${sid}`, "copied", "EX", "60");
    const prefixes = { documented: "session:p:", applet: "session::p:" };
    assert.deepEqual(await findKeyLayouts(serversOf(client), prefixes, tests), {
      documented: false,
      applet: false,
      cutShort: false,
    });
  });

  it("whole seconds prove nothing: no sign survives there", async () => {
    await redisCommand(server, "FLUSHALL");
    for (let digit = 0; digit < 6; digit++) {
      await redisCommand(server, "SET", `session:p:${String(digit).repeat(40)}`, "{}", "PXAT", "4102444800000");
    }
    const prefixes = { documented: "session:p:", applet: "session::p:" };
    assert.equal((await findKeyLayouts(serversOf(client), prefixes, tests))?.documented, false);
  });

  it("undefined if SCAN is denied", async () => {
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-scan");
    const address = { host: server.host, port: server.port };
    const other = (await openConnection({ address, db: 0, username: "u", password: "pw" })).client;
    const prefixes = { documented: "session:p:", applet: "session::p:" };
    assert.equal(await findKeyLayouts(serversOf(other), prefixes, tests), undefined);
    other.disconnect();
  });
});

/** A client's server, as the search asks it. */
function serversOf(client: Redis): Parameters<typeof findKeyLayouts>[0] {
  const connection = { run: <T>(work: (asked: Redis) => Promise<T>) => work(client) };
  return {
    all: [{ connection: connection as unknown as ResilientConnection, name: undefined, keyHere: (key) => key }],
  };
}
