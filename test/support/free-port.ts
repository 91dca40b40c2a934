import { once } from "node:events";
import { createServer } from "node:net";
import { listen } from "./listen.js";

/**
 * A TCP port on 127.0.0.1 that nobody listens on now; another process may take it before it is
 * used.
 */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}
