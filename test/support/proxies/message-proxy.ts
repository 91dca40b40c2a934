import { connect, createServer } from "node:net";
import { listen } from "../servers/listen.js";
import { makeMessageSplitter } from "./resp-messages.js";

/** Stands between clients and a Redis. */
export interface MessageProxy {
  readonly port: number;
  /** Stops listening and ends every connection. */
  stop(): void;
}

/** What is handed on in the place of each message of one connection. */
export interface Exchange {
  readonly command: (command: Buffer) => Buffer | string;
  readonly reply: (reply: Buffer) => Buffer | string;
}

/** Larger replies are values, and are best handed on as they are. */
export const maxRewritten = 64 * 1024;

/** Listens on a free port of 127.0.0.1 in place of the Redis at `redisPort` there. */
export async function startMessageProxy(redisPort: number, open: () => Exchange): Promise<MessageProxy> {
  const ends = new Set<() => void>();
  const server = createServer((client) => {
    const redis = connect(redisPort, "127.0.0.1");
    const { command, reply } = open();
    const end = () => {
      ends.delete(end);
      client.destroy();
      redis.destroy();
    };
    ends.add(end);
    client.on(
      "data",
      makeMessageSplitter((message) => redis.write(command(message))),
    );
    redis.on(
      "data",
      makeMessageSplitter((message) => client.write(reply(message))),
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
