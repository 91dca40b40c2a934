import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { findFreePort } from "../../support/servers/free-port.js";

/**
 * A server that takes connections and commands and never answers; it goes with the test. `asked` is
 * settled by the first command.
 */
export async function startMuteServer(
  t: TestContext,
): Promise<{ readonly port: number; readonly asked: Promise<void> }> {
  const port = await findFreePort();
  const sockets: Socket[] = [];
  let tellAsked: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    tellAsked = resolve;
  });
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("data", () => tellAsked());
  });
  server.listen(port, "127.0.0.1");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port, asked };
}
