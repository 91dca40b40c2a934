import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Redis } from "ioredis";
import { ReplyWatch, type Silence } from "../../src/redis/reply-watch.js";

const longestMs = 330_000;

/** A watch on a client whose bytes a test counts; `heard` has what it told, with the second. */
function watchOf(t: TestContext) {
  t.mock.timers.enable({ apis: ["setInterval", "Date"] });
  const heard: string[] = [];
  const note = (text: string) => heard.push(`${(Date.now() / 1000).toFixed(1)} ${text}`);
  const watch = new ReplyWatch(
    {
      onSilence: ({ why, sinceMs, untilMs }: Silence) => note(`${why} since ${sinceMs} until ${untilMs}`),
      onAnswer: () => note("answer"),
      onState: () => undefined,
    },
    longestMs,
  );
  t.after(() => watch.end());
  const stream = { bytesRead: 0 };
  const client = { stream } as unknown as Redis;
  const pass = (milliseconds: number) => {
    for (let step = 0; step < milliseconds; step += 50) t.mock.timers.tick(50);
  };
  return { watch, heard, stream, client, pass };
}

/** Work that never ends by itself. */
function pending(): { readonly work: () => Promise<void>; readonly end: () => void } {
  let end = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { work: () => promise, end: () => end() };
}

describe("reply-watch: a Redis that is gone", () => {
  it("is told half a second after the first failed try, and told again if the reason changes", (t) => {
    const { watch, heard, pass } = watchOf(t);
    watch.lost("the connection was closed", 300_000);
    pass(400);
    assert.deepEqual(heard, []);
    watch.lost("connection refused", 300_000);
    pass(100);
    assert.deepEqual(heard, ["0.5 connection refused since 0 until 300000"]);
    watch.lost("connection refused", 300_000);
    pass(5000);
    watch.lost("Redis is still loading its data", 300_000);
    watch.answered();
    watch.answered();
    assert.deepEqual(heard.slice(1), ["5.5 Redis is still loading its data since 0 until 300000", "5.5 answer"]);
  });

  it("says nothing of a connection that is back at once", (t) => {
    const { watch, heard, pass } = watchOf(t);
    watch.lost("the connection was closed", 300_000);
    pass(450);
    watch.answered();
    pass(10_000);
    assert.deepEqual(heard, []);
  });
});

describe("reply-watch: a Redis that is frozen", () => {
  it("is told about a second after the last byte, and is back with the next one", (t) => {
    const { watch, heard, stream, client, pass } = watchOf(t);
    void watch.during(client, pending().work);
    pass(300);
    stream.bytesRead = 7;
    pass(100);
    pass(1000);
    assert.deepEqual(heard, []);
    pass(100);
    assert.deepEqual(heard, [`1.5 no answer since 400 until ${400 + longestMs}`]);
    pass(8000);
    stream.bytesRead = 8;
    pass(100);
    assert.deepEqual(heard.slice(1), ["9.6 answer"]);
  });

  it("is not one that answers slowly, but always something", (t) => {
    const { watch, heard, stream, client, pass } = watchOf(t);
    void watch.during(client, pending().work);
    for (let second = 0; second < 20; second++) {
      pass(900);
      stream.bytesRead++;
      pass(100);
    }
    assert.deepEqual(heard, []);
  });

  it("is not one that nobody asks anything, or that is asked after a pause", async (t) => {
    const { watch, heard, client, pass } = watchOf(t);
    const first = pending();
    const done = watch.during(client, first.work);
    pass(500);
    first.end();
    await done;
    pass(60_000);
    void watch.during(client, pending().work);
    pass(1000);
    assert.deepEqual(heard, []);
    pass(100);
    assert.equal(heard.length, 1);
  });

  it("and whose connection then fails counts from the last byte", (t) => {
    const { watch, heard, client, pass } = watchOf(t);
    void watch.during(client, pending().work);
    pass(2000);
    watch.lost("no answer in time", 330_000);
    assert.deepEqual(heard, [`1.1 no answer since 0 until ${longestMs}`, "2.0 no answer in time since 0 until 330000"]);
  });
});
