import { createServer, type Socket } from "node:net";
import { makeMessageSplitter } from "../proxies/resp-messages.js";
import { listen } from "../servers/listen.js";
import { topology } from "../servers/redis-under-test.js";

/** Whether sweeps are to run behind a Sentinel: `TELE_SESSIONS_TOPOLOGY=sentinel`. */
export const isBehindSentinel = topology === "sentinel";

/** Stands in for a Sentinel, so that faults decide when there is another master. */
export interface SweptSentinel {
  /** The flags that name it. */
  readonly flags: readonly string[];
  /** Has it name the master at this port of 127.0.0.1 from now on. */
  name(port: number): void;
  stop(): void;
}

/** Answers whatever it is asked with the master's address: runs ask nothing else. */
export async function startSweptSentinel(): Promise<SweptSentinel> {
  const host = "127.0.0.1";
  const clients = new Set<Socket>();
  let answer = "";
  const server = createServer((client) => {
    clients.add(client);
    client.on(
      "data",
      makeMessageSplitter(() => client.write(answer)),
    );
    // Whatever ended it, its `close` follows.
    client.on("error", () => undefined);
    client.on("close", () => clients.delete(client));
  });
  const port = await listen(server);
  return {
    flags: ["--sentinel", `${host}:${port}`, "--sentinel-master", "sessions"],
    name: (master) => {
      answer = `*2\r\n$${host.length}\r\n${host}\r\n$${String(master).length}\r\n${master}\r\n`;
    },
    stop: () => {
      server.close();
      for (const client of clients) client.destroy();
    },
  };
}
