import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Systems give clients ports from 32,768 on, and would give one that a killed server has left. */
const [first, end] = [10_000, 32_768];
const attempts = 100;

/**
 * A TCP port on 127.0.0.1 that nobody listens on now, and that no client is given; another server
 * may take it before it is used.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const port = randomInt(first, end);
    if (await isFree(port)) return port;
  }
  throw new Error("No port was free.");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
