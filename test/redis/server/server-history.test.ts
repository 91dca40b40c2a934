import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { askHistory, continues } from "../../../src/redis/server/server-history.js";
import { redisOf } from "../../end-to-end/support/redis-of-test.js";
import { waitUntil } from "../../end-to-end/support/wait-until.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { clientOf } from "../support/client-of.js";

describe("server-history: whether a server still holds the data that it stored (hazards.md, Redis)", () => {
  const [run, other, nobody] = ["a".repeat(40), "b".repeat(40), "0".repeat(40)];
  for (const [name, now, before, kept] of [
    ["nothing happened", `${run} ${nobody}`, `${run} ${nobody}`, true],
    ["nothing happened since it followed another one", `${run} ${other}`, `${run} ${other}`, true],
    ["it forgot whom it followed", `${run} ${nobody}`, `${run} ${other}`, true],
    ["it followed another one", `${run} ${other}`, `${run} ${nobody}`, false],
    ["it was started again", `${other} ${nobody}`, `${run} ${nobody}`, false],
    ["nothing was known", `${run} ${nobody}`, undefined, false],
  ] as const) {
    it(name, () => assert.equal(continues({ id: now, isReplica: false }, before), kept));
  }

  it("a real one, promoted, whose time for that is up", async (t) => {
    const [first, second] = [await redisOf(t), await redisOf(t)];
    const client = await clientOf(t, second);
    const ask = () => askHistory(client);
    await redisCommand(second, "REPLICAOF", "127.0.0.1", String(first.port));
    const isUp = async () => /master_link_status:up/.test(String(await redisCommand(second, "INFO", "replication")));
    await waitUntil("it follows", isUp);
    assert.equal((await ask())?.isReplica, true);
    await redisCommand(second, "REPLICAOF", "NO", "ONE");
    const promoted = await ask();
    await redisCommand(second, "CONFIG", "SET", "repl-backlog-ttl", "1");
    await waitUntil("it forgets whom it followed", async () => (await ask())?.id !== promoted?.id);
    const later = await ask();
    assert(later !== undefined && continues(later, promoted?.id));
    assert(promoted !== undefined && !continues(promoted, later.id), "and never the other way round");
  });
});
