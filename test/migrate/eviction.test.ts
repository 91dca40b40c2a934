import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { watchEvictions } from "../../src/migrate/eviction.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { type Account, resilientOf } from "../redis/support/client-of.js";
import { redisCommand, redisPipeline } from "../support/redis-command.js";
import type { RedisServer } from "../support/redis-server.js";

const evicting = ["--maxmemory", "4mb", "--maxmemory-policy", "allkeys-random"];

/** Writes more than there is room for, so that Redis evicts for real. */
async function overfill(server: RedisServer): Promise<void> {
  await redisPipeline(
    server,
    Array.from({ length: 60 }, (_, index) => ["SET", `k${index}`, "x".repeat(100_000), "EX", 1000]),
  );
}

async function watchOf(t: TestContext, account: Account) {
  const warnings: [message: string, evenIfQuiet: boolean | undefined][] = [];
  const connection = await resilientOf(t, account);
  const watch = watchEvictions(connection, (message, options) =>
    warnings.push([message, options?.evenIfQuiet]),
  );
  return { watch, warnings };
}

describe("eviction: keys evicted during the run: exit 4, nothing removed (hazards.md, eviction)", () => {
  it("none: nothing is said", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await watch.begin();
    await redisCommand(server, "SET", "k", "x", "PX", 1);
    await redisCommand(server, "DEL", "k");
    assert.deepEqual([await watch.end(), warnings], [false, []]);
  });

  it("some: it is said, also to a quiet person, each time it is asked for", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await watch.begin();
    await overfill(server);
    assert.equal(await watch.end(), true);
    assert.equal(await watch.end(), true);
    const [[message, evenIfQuiet] = []] = warnings;
    assert.match(message ?? "", /^Redis has evicted \d+ keys meanwhile, .* nothing more is removed$/);
    assert.equal(evenIfQuiet, true);
  });

  it("those from before the watch, or the beginning before this one, do not count", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await watch.begin();
    await overfill(server);
    await watch.begin();
    assert.deepEqual([await watch.end(), warnings], [false, []]);
  });

  it("a counter that is set back meanwhile: what it counted is not known, and it is said", async (t) => {
    const server = await redisOf(t, { args: evicting });
    const { watch, warnings } = await watchOf(t, server);
    await overfill(server);
    await watch.begin();
    await redisCommand(server, "CONFIG", "RESETSTAT");
    assert.equal(await watch.end(), true);
    assert.match(warnings[0]?.[0] ?? "", /^Redis was told meanwhile to forget how many keys it evicted: /);
  });

  const hidden: readonly (readonly [name: string, denied: string, says: RegExp])[] = [
    [
      "INFO denied",
      "-info",
      /^Redis does not tell how many keys it evicted, so sessions may be evicted unseen/,
    ],
    [
      "INFO and CONFIG denied",
      "-info -config",
      /^Redis does not tell its memory limit, its eviction policy and how many keys it evicted, so /,
    ],
    [
      "INFO, CONFIG and MEMORY denied",
      "-info -config -memory",
      /^Redis does not tell its memory limit, how much memory it uses, its eviction policy and how many /,
    ],
  ];
  for (const [name, denied, says] of hidden) {
    it(`${name}: what is hidden is said, also to a quiet person, and the watch is blind`, async (t) => {
      const server = await redisOf(t, { args: evicting });
      await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", ...denied.split(" "));
      const { watch, warnings } = await watchOf(t, { ...server, username: "u", password: "pw" });
      await watch.begin();
      await overfill(server);
      assert.deepEqual([await watch.end(), watch.isBlind()], [false, true]);
      const [[message, evenIfQuiet] = []] = warnings;
      assert.match(message ?? "", says);
      assert.equal(evenIfQuiet, true);
    });
  }

  it("nothing hidden: the watch is not blind; INFO taken away meanwhile: it is from then on", async (t) => {
    const server = await redisOf(t, { args: evicting });
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all");
    const { watch, warnings } = await watchOf(t, { ...server, username: "u", password: "pw" });
    await watch.begin();
    assert.deepEqual([watch.isBlind(), warnings], [false, []]);
    await redisCommand(server, "ACL", "SETUSER", "u", "-info");
    assert.deepEqual([await watch.end(), watch.isBlind(), warnings.length], [false, true, 1]);
  });
});
