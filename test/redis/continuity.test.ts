import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { RedisForgotError } from "../../src/model/errors.js";
import type { Warn } from "../../src/model/warn.js";
import { Canary, canaryKey } from "../../src/redis/canary.js";
import { Continuity } from "../../src/redis/continuity.js";
import { PeerRuns } from "../../src/redis/server/peers.js";
import { SingleServer } from "../../src/redis/topology/redis-servers.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { redisCommand, redisPipeline } from "../support/servers/redis-command.js";
import type { RedisServer } from "../support/servers/redis-server.js";
import { type Account, resilientOf } from "./support/client-of.js";

const evicting = ["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random"];

/** Writes more than there is room for, so that Redis evicts for real. */
async function overfill(server: RedisServer): Promise<void> {
  await redisPipeline(
    server,
    Array.from({ length: 60 }, (_, index) => ["SET", `k${index}`, "x".repeat(100_000), "EX", 1000]),
  );
}

/** A run's continuity, with a canary if the run has a token. */
async function continuityOf(t: TestContext, account: Account, token?: string) {
  const warnings: [message: string, evenIfQuiet: boolean | undefined][] = [];
  const warn: Warn = (message, options) => warnings.push([message, options?.evenIfQuiet]);
  const peers = new PeerRuns({ places: ["/sessions"], shard: null, token: token ?? "" });
  const name = token === undefined ? {} : { name: peers.ownName("copying") };
  const connection = await resilientOf(t, account, name);
  const servers = new SingleServer(connection);
  const canary = new Canary(servers, peers, warn);
  const continuity = new Continuity(servers, token === undefined ? undefined : canary, warn);
  return { continuity, canary, warnings };
}

describe("continuity: keys evicted during the run: exit 4, nothing removed (hazards.md, eviction)", () => {
  it("none: nothing is said", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { continuity, warnings } = await continuityOf(t, server);
    await continuity.begin();
    await redisCommand(server, "SET", "k", "x", "PX", 1);
    await redisCommand(server, "DEL", "k");
    assert.deepEqual([await continuity.check(), warnings], ["intact", []]);
  });

  it("some: it is said, also to a quiet person, each time it is asked for", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { continuity, warnings } = await continuityOf(t, server);
    await continuity.begin();
    await overfill(server);
    assert.equal(await continuity.check(), "evicted");
    assert.equal(await continuity.check(), "evicted");
    const [[message, evenIfQuiet] = []] = warnings;
    assert.match(message ?? "", /^Redis evicted \d+ keys of any kind during the run: .* nothing more is removed$/);
    assert.equal(evenIfQuiet, true);
  });

  it("keys evicted before it began, or before it last began, do not count", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { continuity, warnings } = await continuityOf(t, server);
    await continuity.begin();
    await overfill(server);
    await continuity.begin();
    assert.deepEqual([await continuity.check(), warnings], ["intact", []]);
  });

  it("a counter that is reset during the run: what it counted is unknown, and a warning says so", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { continuity, warnings } = await continuityOf(t, server);
    await overfill(server);
    await continuity.begin();
    await redisCommand(server, "CONFIG", "RESETSTAT");
    assert.equal(await continuity.check(), "evicted");
    assert.match(warnings[0]?.[0] ?? "", /^Redis had its eviction counter reset during the run: /);
  });

  const hidden: readonly (readonly [name: string, denied: string, says: RegExp])[] = [
    ["INFO denied", "-info", /^Redis does not say how many keys it evicted, so sessions may be evicted unseen/],
    [
      "INFO and CONFIG denied",
      "-info -config",
      /^Redis does not say its memory limit, its eviction policy and how many keys it evicted, so /,
    ],
    [
      "INFO, CONFIG and MEMORY denied",
      "-info -config -memory",
      /^Redis does not say its memory limit, how much memory it uses, its eviction policy and how many /,
    ],
  ];
  for (const [name, denied, says] of hidden) {
    it(`${name}: what is hidden is said, also to a quiet person`, async (t) => {
      const server = await redisOf(t, { args: evicting });
      await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", ...denied.split(" "));
      const { continuity, warnings } = await continuityOf(t, { ...server, username: "u", password: "pw" });
      await continuity.begin();
      await overfill(server);
      assert.deepEqual([await continuity.check(), continuity.hidesEvictions], ["intact", true]);
      const [[message, evenIfQuiet] = []] = warnings;
      assert.match(message ?? "", says);
      assert.equal(evenIfQuiet, true);
    });
  }

  it("nothing hidden, and then INFO is taken away: evictions are hidden from then on", async (t) => {
    const server = await redisOf(t, { args: evicting });
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all");
    const { continuity, warnings } = await continuityOf(t, { ...server, username: "u", password: "pw" });
    await continuity.begin();
    assert.deepEqual([continuity.hidesEvictions, warnings], [false, []]);
    await redisCommand(server, "ACL", "SETUSER", "u", "-info");
    assert.equal(await continuity.check(), "intact");
    assert.deepEqual([continuity.hidesEvictions, warnings.length], [true, 1]);
  });
});

describe("continuity: an emptied Redis shows by the canary key (Redis that forgot)", () => {
  /** What happens between the beginning and the check, and what the check comes to. */
  const rows: readonly (readonly [
    name: string,
    happens: (server: RedisServer) => Promise<unknown>,
    outcome: "intact" | "evicted" | "forgot",
  ])[] = [
    ["nothing happens: intact", async () => undefined, "intact"],
    ["FLUSHALL: Redis forgot", (server) => redisCommand(server, "FLUSHALL"), "forgot"],
    ["the key is gone: Redis forgot", (server) => redisCommand(server, "DEL", canaryKey), "forgot"],
    [
      "another run wrote a new one after FLUSHALL: Redis forgot",
      (server) => redisCommand(server, "SET", canaryKey, "other"),
      "forgot",
    ],
    [
      "keys were evicted, and the canary with them: evicted counts first",
      async (server) => {
        await overfill(server);
        await redisCommand(server, "DEL", canaryKey);
      },
      "evicted",
    ],
  ];
  for (const [name, happens, outcome] of rows) {
    it(name, async (t) => {
      const server = await redisOf(t, { args: evicting });
      const { continuity } = await continuityOf(t, server, "1a");
      await continuity.begin();
      await happens(server);
      if (outcome === "forgot") await assert.rejects(continuity.check(), RedisForgotError);
      else assert.equal(await continuity.check(), outcome);
    });
  }

  it("it begins again after a FLUSHALL, with a canary of a new value", async (t) => {
    const server = await redisOf(t);
    const { continuity, canary } = await continuityOf(t, server, "1a");
    await continuity.begin();
    const before = canary.beside?.value;
    await redisCommand(server, "FLUSHALL");
    await continuity.begin();
    assert.equal(await continuity.check(), "intact");
    assert.notEqual(canary.beside?.value, before);
    assert.equal(String(await redisCommand(server, "GET", canaryKey)), canary.beside?.value);
  });

  it("runs share one canary, and the last to end deletes it", async (t) => {
    const server = await redisOf(t);
    const [first, second] = [await continuityOf(t, server, "1a"), await continuityOf(t, server, "2b")];
    await first.continuity.begin();
    await second.continuity.begin();
    assert.equal(first.canary.beside?.value, second.canary.beside?.value);
    await first.canary.end();
    assert.equal(await second.continuity.check(), "intact");
    await second.canary.end();
    assert.equal(await redisCommand(server, "EXISTS", canaryKey), 0);
  });

  it("a canary that may not be written is warned of, and a FLUSHALL is then not noticed", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~session:*", "+@all");
    const account = { ...server, username: "u", password: "pw" };
    const { continuity, canary, warnings } = await continuityOf(t, account, "1a");
    await continuity.begin();
    assert.equal(canary.beside?.value, undefined);
    assert.match(warnings[0]?.[0] ?? "", /^the keys tele-sessions:\* could not be written\. /);
    await redisCommand(server, "FLUSHALL");
    assert.equal(await continuity.check(), "intact");
  });
});
