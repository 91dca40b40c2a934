import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { listen } from "../../support/servers/listen.js";

/** Stands between a run and Redis, and stops the run in its middle. */
export interface Gate {
  readonly port: number;
  /**
   * Settled once so many bytes went through; what follows is held back until `open` or `openFor`.
   */
  readonly held: Promise<void>;
  /** Lets everything through from now on. */
  open(): void;
  /** Lets so many bytes more through and holds again; settled once that is so. */
  openFor(bytes: number): Promise<void>;
}

/**
 * Listens on a free port and hands on what comes to `redisPort`, the first `bytes` bytes of it. It
 * goes with the test.
 */
export async function startGate(t: TestContext, redisPort: number, bytes: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let passed = 0;
  let limit = bytes;
  let tellHeld: () => void = () => undefined;
  const beHeld = (): Promise<void> =>
    new Promise((resolve) => {
      tellHeld = resolve;
    });
  const held = beHeld();
  const resume = (): void => {
    for (const socket of sockets) socket.resume();
  };

  const server = createServer((client) => {
    const redis = connect(redisPort, "127.0.0.1");
    sockets.add(client).add(redis);
    client.on("data", (chunk) => {
      redis.write(chunk);
      passed += chunk.length;
      if (passed < limit) return;
      client.pause();
      tellHeld();
    });
    redis.on("data", (chunk) => client.write(chunk));
    for (const [one, other] of [
      [client, redis],
      [redis, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const port = await listen(server);
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port,
    held,
    open: () => {
      limit = Number.POSITIVE_INFINITY;
      resume();
    },
    openFor: (more) => {
      limit = passed + more;
      const heldAgain = beHeld();
      resume();
      return heldAgain;
    },
  };
}

/** Waits until a gate holds a run back. Rejects, with what the run wrote, where it ends before. */
export async function heldOf(gate: Gate, result: Promise<object>): Promise<void> {
  const ended = result.then((written) => {
    throw new Error(`The run ended before its middle: ${JSON.stringify(written)}`);
  });
  await Promise.race([gate.held, ended]);
}
