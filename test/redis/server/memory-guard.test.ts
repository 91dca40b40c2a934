import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisError } from "../../../src/model/errors.js";
import { MemoryGuard } from "../../../src/redis/server/memory-guard.js";
import { askServerState } from "../../../src/redis/server/server-state.js";
import { redisOf } from "../../end-to-end/support/redis-of-test.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { clientOf } from "../support/client-of.js";

const million = 1024 * 1024;

/** A guard of a run that takes so many bytes of memory in all. */
function guardOf(bytes: number): MemoryGuard {
  const guard = new MemoryGuard();
  guard.expect(bytes);
  return guard;
}

/** How often INFO was asked for since the statistics were reset. */
async function timesAsked(server: RedisServer): Promise<number> {
  const statistics = String(await redisCommand(server, "INFO", "commandstats"));
  return Number(/cmdstat_info:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
}

describe("memory-guard: writing stops at 95% of maxmemory, before a live server's saves fail (hazards.md, OOM)", () => {
  it("with a real Redis: up to 95%, and none of what was admitted is refused", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "20mb"] });
    const client = await clientOf(t, server);
    const guard = guardOf(40 * million);
    const value = "x".repeat(50_000);
    let written = 0;
    const fill = async () => {
      for (;;) {
        const done = await guard.admit(client, 50_000);
        assert.equal(await client.set(`session:${written}`, value), "OK");
        done();
        written++;
      }
    };
    const refusal = await fill().catch((error: unknown) => error);
    assert(refusal instanceof RedisError && refusal.kind === "refused", String(refusal));
    const state = await askServerState(client);
    const share = (state.usedMemory ?? 0) / (state.maxMemory ?? 0);
    assert(share > 0.9 && share < 0.96, `${(100 * share).toFixed(1)}% used when it stopped`);
    const missing = Number(/about ([\d.]+) MiB more is needed/.exec(refusal.message)?.[1]);
    const expected = 40 - (written * 50_000) / million;
    assert(Math.abs(missing - expected) < 0.5, `${missing} MiB missing, not ${expected}`);
    assert.equal(await client.set("session:of-the-live-server", value), "OK", "its saves go on");
  });

  it("one that does not fit at all is refused before anything is written", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "4mb"] });
    const client = await clientOf(t, server);
    await assert.rejects(new MemoryGuard().admit(client, 8 * million), {
      name: "RedisError",
      kind: "refused",
      message: /^Redis has reached 95% of its maxmemory: about \d+\.\d MiB more is needed/,
    });
  });

  it("a refusal says how much is missing of the whole run: at least what did not fit, and something", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "4mb"] });
    const client = await clientOf(t, server);
    const missingOf = async (need: number, bytes: number) => {
      const refusal = await guardOf(need)
        .admit(client, bytes)
        .catch((error: unknown) => error);
      return Number(/about ([\d.]+) MiB/.exec(String(refusal))?.[1]);
    };
    const free = 3.8 - ((await askServerState(client)).usedMemory ?? 0) / million;
    assert(Math.abs((await missingOf(0, 8 * million)) - (8 - free)) < 0.2);
    assert(Math.abs((await missingOf(100 * million, 8 * million)) - (100 - free)) < 0.2);
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "1");
    assert.equal(await missingOf(0, 1), 0.1);
  });

  it("a limit that is set during the run is found at the next request", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "100mb"] });
    const client = await clientOf(t, server);
    const guard = new MemoryGuard();
    await guard.admit(client, million);
    await redisCommand(server, "CONFIG", "SET", "maxmemory", "1mb");
    // The last request allowed at most 32 MiB.
    const admitAll = async () => {
      for (let admitted = 0; admitted < 33; admitted++) await guard.admit(client, million);
    };
    await assert.rejects(admitAll(), RedisError);
  });
});

describe("memory-guard: Redis is asked seldom", () => {
  it("once for every 32 MiB, if much is free", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "1gb"] });
    const client = await clientOf(t, server);
    const guard = new MemoryGuard();
    await redisCommand(server, "CONFIG", "RESETSTAT");
    for (let admitted = 0; admitted < 128; admitted++) await guard.admit(client, million);
    assert.equal(await timesAsked(server), 4);
  });

  it("once, if there is no limit", async (t) => {
    const server = await redisOf(t);
    const client = await clientOf(t, server);
    const guard = new MemoryGuard();
    await redisCommand(server, "CONFIG", "RESETSTAT");
    for (let admitted = 0; admitted < 10; admitted++) await guard.admit(client, 1024 * million);
    assert.equal(await timesAsked(server), 1);
  });

  it("INFO denied: CONFIG tells the limit, and the guard keeps to it", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "4mb"] });
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    await assert.rejects(new MemoryGuard().admit(client, 8 * million), /95%/);
  });

  it("INFO and CONFIG denied: Redis itself says when it is full, and the guard how much is missing", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "4mb"] });
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-info", "-config");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    const guard = guardOf(40 * million);
    let written = 0;
    const fill = async () => {
      for (; ; written++) {
        const done = await guard.admit(client, 100_000);
        await client.set(`session:${written}`, "x".repeat(100_000)).catch((error: unknown) => {
          throw guard.explain(error);
        });
        done();
      }
    };
    const refusal = await fill().catch((error: unknown) => error);
    assert(refusal instanceof RedisError && refusal.kind === "refused", String(refusal));
    const [, missing] =
      /^Redis is out of memory \(maxmemory reached\): about ([\d.]+) MiB more is needed/.exec(refusal.message) ?? [];
    assert(written > 10, `${written} written`);
    assert(Math.abs(Number(missing) - (40 - (written * 100_000) / million)) < 0.2, refusal.message);
  });

  it("any other error is left as it is", () => {
    const error = new Error("OOM, though no reply of Redis");
    assert.equal(new MemoryGuard().explain(error), error);
  });

  it("a Redis that is lost is thrown", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    client.disconnect();
    await assert.rejects(new MemoryGuard().admit(client, 1));
  });

  it("several batches in flight: each counts what the others were admitted", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "20mb"] });
    const client = await clientOf(t, server);
    const guard = new MemoryGuard();
    const admitted = [0, 1, 2].map(() => guard.admit(client, 7 * million));
    const kinds = (await Promise.allSettled(admitted)).map(({ status }) => status);
    assert.deepEqual(kinds, ["fulfilled", "fulfilled", "rejected"]);
    for (const done of await Promise.all(admitted.slice(0, 2))) done();
    await guard.admit(client, 7 * million);
  });

  it("what does not fit is refused by what is really needed of it", async (t) => {
    const server = await redisOf(t, { args: ["--maxmemory", "4mb"] });
    const client = await clientOf(t, server);
    await new MemoryGuard().admit(client, 8 * million, async () => 0);
    await assert.rejects(
      new MemoryGuard().admit(client, 8 * million, async () => 7 * million),
      /95%/,
    );
  });
});
