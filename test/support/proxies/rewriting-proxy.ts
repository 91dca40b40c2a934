import { type MessageProxy, maxRewritten, startMessageProxy } from "./message-proxy.js";

/**
 * Listens on a free port of 127.0.0.1 and hands on to the Redis at `redisPort` there; `rewrite`
 * gives each text that Redis replies.
 */
export function startRewritingProxy(redisPort: number, rewrite: (text: string) => string): Promise<MessageProxy> {
  return startMessageProxy(redisPort, () => ({
    command: (command) => command,
    reply: (reply) => rewritten(reply, rewrite),
  }));
}

function rewritten(message: Buffer, rewrite: (text: string) => string): Buffer {
  const [, text] = message.length > maxRewritten ? [] : (/^\$\d+\r\n(.*)\r\n$/s.exec(message.toString()) ?? []);
  if (text === undefined) return message;
  const changed = rewrite(text);
  return Buffer.from(`$${Buffer.byteLength(changed)}\r\n${changed}\r\n`);
}
