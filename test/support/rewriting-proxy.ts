import { connect, createServer } from "node:net";
import { listen } from "./listen.js";
import { makeMessageSplitter } from "./resp-messages.js";

/** Stands between clients and a Redis, and changes what Redis says of itself. */
export interface RewritingProxy {
  readonly port: number;
  /** Stops listening and ends every connection. */
  stop(): void;
}

/** Larger replies are values, and are handed on as they are. */
const maxRewritten = 64 * 1024;

/**
 * Listens on a free port of 127.0.0.1 and hands on to the Redis at `redisPort` there; `rewrite`
 * gives each text that Redis replies.
 */
export async function startRewritingProxy(
  redisPort: number,
  rewrite: (text: string) => string,
): Promise<RewritingProxy> {
  const ends = new Set<() => void>();
  const server = createServer((client) => {
    const redis = connect(redisPort, "127.0.0.1");
    const end = () => {
      ends.delete(end);
      client.destroy();
      redis.destroy();
    };
    ends.add(end);
    client.on("data", (chunk) => redis.write(chunk));
    redis.on(
      "data",
      makeMessageSplitter((message) => client.write(rewritten(message, rewrite))),
    );
    for (const socket of [client, redis]) {
      // Whatever ended a socket, its `close` follows.
      socket.on("error", () => undefined);
      socket.on("close", end);
    }
  });
  const port = await listen(server);
  return {
    port,
    stop: () => {
      server.close();
      for (const end of ends) end();
    },
  };
}

function rewritten(message: Buffer, rewrite: (text: string) => string): Buffer {
  const [, text] =
    message.length > maxRewritten ? [] : (/^\$\d+\r\n(.*)\r\n$/s.exec(message.toString()) ?? []);
  if (text === undefined) return message;
  const changed = rewrite(text);
  return Buffer.from(`$${Buffer.byteLength(changed)}\r\n${changed}\r\n`);
}
