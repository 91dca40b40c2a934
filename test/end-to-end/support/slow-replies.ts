import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { listen } from "../../support/servers/listen.js";

/** Stands between a run and Redis, and makes the run all but stand still in its middle. */
export interface SlowReplies {
  readonly port: number;
  /** Settled once the run is slow. */
  readonly slow: Promise<void>;
  /** Lets everything through from now on. */
  hurry(): void;
}

/** Often enough that Redis does not seem to be silent. */
const dripMs = 200;

/**
 * Listens on a free port and hands on what comes to `redisPort`. Once Redis said OK so many times,
 * its replies come a byte at a time: the run makes no more progress to speak of, and does not wait
 * for Redis either. It goes with the test.
 */
export async function startSlowReplies(t: TestContext, redisPort: number, oks: number): Promise<SlowReplies> {
  const sockets = new Set<Socket>();
  const flows = new Set<{ drip(): void; flush(): void }>();
  let heard = 0;
  let isSlow = false;
  let isOver = false;
  let tellSlow: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => {
    tellSlow = resolve;
  });

  const server = createServer((client) => {
    const redis = connect(redisPort, "127.0.0.1");
    sockets.add(client).add(redis);
    let kept = Buffer.alloc(0);
    const give = (count: number): void => {
      client.write(kept.subarray(0, count));
      kept = kept.subarray(count);
    };
    const flow = { drip: () => give(1), flush: () => give(kept.length) };
    flows.add(flow);
    client.on("data", (chunk) => {
      redis.write(chunk);
    });
    redis.on("data", (chunk) => {
      kept = Buffer.concat([kept, chunk]);
      if (!isSlow) flow.flush();
      heard += chunk.toString("latin1").split("+OK").length - 1;
      if (heard < oks || isOver) return;
      isSlow = true;
      tellSlow();
    });
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        flows.delete(flow);
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const timer = setInterval(() => {
    if (isSlow) for (const flow of flows) flow.drip();
  }, dripMs);
  const port = await listen(server);
  t.after(() => {
    clearInterval(timer);
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port,
    slow,
    hurry: () => {
      isOver = true;
      isSlow = false;
      for (const flow of flows) flow.flush();
    },
  };
}

/** Waits until a run is slow. Rejects, with what the run wrote, where it ends before. */
export async function slowOf({ slow }: SlowReplies, result: Promise<object>): Promise<void> {
  const ended = result.then((written) => {
    throw new Error(`The run ended before its middle: ${JSON.stringify(written)}`);
  });
  await Promise.race([slow, ended]);
}
