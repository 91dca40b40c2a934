import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { RedisMemory } from "../../../src/model/progress/progress.js";
import type { ResilientConnection } from "../../../src/redis/resilient-connection.js";
import { MemoryGauge } from "../../../src/redis/server/memory-gauge.js";

const info = "used_memory:100\r\nmaxmemory:200\r\nevicted_keys:3\r\n";
const denied = Object.assign(new Error("NOPERM no permission for 'info'"), {
  name: "ReplyError",
  command: { name: "info" },
});

/** A gauge on a Redis that answers INFO in this way. */
function gaugeOf(t: TestContext, answer: () => Promise<string>) {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const noted: RedisMemory[] = [];
  const asked = { count: 0 };
  const client = {
    info: () => {
      asked.count++;
      return answer();
    },
  } as unknown as Redis;
  const connection = {
    glance: <T>(ask: (asking: Redis) => Promise<T>) => ask(client).catch(() => undefined),
  } as unknown as ResilientConnection;
  const gauge = new MemoryGauge((memory) => noted.push(memory));
  gauge.start({ all: [{ connection, name: undefined }] });
  t.after(() => gauge.end());
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      t.mock.timers.tick(1000);
      await nextTurn();
    }
  };
  return { gauge, noted, asked, pass };
}

describe("memory-gauge", () => {
  it("asks every five seconds", async (t) => {
    const { noted, asked, pass } = gaugeOf(t, async () => info);
    await pass(4);
    assert.equal(asked.count, 0);
    await pass(11);
    assert.equal(asked.count, 3);
    assert.deepEqual(noted[0], { usedMemory: 100, maxMemory: 200, evictedKeys: 3 });
  });

  it("does not ask while the run asks anyway", async (t) => {
    const { gauge, noted, asked, pass } = gaugeOf(t, async () => info);
    const state = { usedMemory: 1, maxMemory: 2, evictedKeys: 3 };
    for (let second = 0; second < 20; second++) {
      gauge.note({ ...state, evictionPolicy: undefined, replicas: undefined, history: undefined });
      await pass(1);
    }
    assert.equal(asked.count, 0);
    assert.equal(noted.length, 20);
  });

  it("asks once and never again where INFO is denied", async (t) => {
    const { noted, asked, pass } = gaugeOf(t, async () => {
      throw denied;
    });
    await pass(60);
    assert.deepEqual([asked.count, noted], [1, []]);
  });

  it("asks nothing more while an answer is due, and goes on after a lost connection", async (t) => {
    let settle = (_: string): void => undefined;
    const first = new Promise<string>((resolve) => {
      settle = resolve;
    });
    let answers = 0;
    const { noted, asked, pass } = gaugeOf(t, () => (answers++ === 0 ? first : Promise.reject(new Error("lost"))));
    await pass(30);
    assert.equal(asked.count, 1);
    settle(info);
    await pass(20);
    assert.deepEqual([asked.count, noted.length], [5, 1]);
  });
});
