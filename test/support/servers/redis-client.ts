import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where a Redis server listens, and how to get in. */
export interface RedisAddress {
  readonly host?: string;
  readonly port?: number;
  /** A Unix socket's path; it goes before host and port. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: boolean;
}

/** A reply as it stood in the protocol; texts come as their bytes, an error as a value. */
export type RedisReply = Buffer | number | null | RedisReplyError | readonly RedisReply[];

export type RedisArgument = string | number | Buffer;

/** `-ERR ...` from the server. */
export class RedisReplyError extends Error {
  override readonly name = "RedisReplyError";
}

/** One connection to a Redis server. */
export interface RedisClient {
  /**
   * Sends the commands in one go, in any number, and gives their replies in order. Rejects when the
   * connection ends before.
   */
  pipeline(commands: readonly (readonly RedisArgument[])[]): Promise<RedisReply[]>;
  close(): void;
}

// As many commands as are written before their replies are waited for: both sides' buffers stay
// small.
const commandsInFlight = 5000;

/**
 * Connects, says who we are and chooses the database. Written without the client under test, so as
 * to judge what that one did.
 */
export async function connectRedis(address: RedisAddress): Promise<RedisClient> {
  const socket = await openSocket(address);
  const waiting: ((reply: RedisReply) => void)[] = [];
  const failing: ((error: Error) => void)[] = [];
  let ended: Error | undefined;

  const read = makeReplyReader((reply) => {
    failing.shift();
    waiting.shift()?.(reply);
  });
  socket.on("data", read);
  socket.on("error", (error) => {
    ended ??= error;
  });
  socket.on("close", () => {
    ended ??= new Error("The connection to Redis was closed.");
    waiting.length = 0;
    for (const fail of failing.splice(0)) fail(ended);
  });

  async function sendBatch(commands: readonly (readonly RedisArgument[])[]): Promise<RedisReply[]> {
    if (ended !== undefined) throw ended;
    const replies = commands.map(
      () =>
        new Promise<RedisReply>((resolve, reject) => {
          waiting.push(resolve);
          failing.push(reject);
        }),
    );
    socket.write(encodeCommands(commands));
    return Promise.all(replies);
  }

  const client: RedisClient = {
    async pipeline(commands) {
      const replies: RedisReply[] = [];
      for (let start = 0; start < commands.length; start += commandsInFlight) {
        for (const reply of await sendBatch(commands.slice(start, start + commandsInFlight))) replies.push(reply);
      }
      return replies;
    },
    close: () => socket.destroy(),
  };

  const { username, password, db } = address;
  const greeting: RedisArgument[][] = [];
  if (password !== undefined) greeting.push(["AUTH", ...(username === undefined ? [] : [username]), password]);
  if (db !== undefined && db !== 0) greeting.push(["SELECT", db]);
  const refusal = (await client.pipeline(greeting)).find((reply) => reply instanceof RedisReplyError);
  if (refusal instanceof RedisReplyError) {
    client.close();
    throw refusal;
  }
  return client;
}

function openSocket({ host = "127.0.0.1", port = 6379, path, tls = false }: RedisAddress): Promise<Socket> {
  const where = path === undefined ? { host, port } : { path };
  return new Promise((resolve, reject) => {
    const socket = tls ? connectTls({ ...where, servername: host }) : connect(where);
    socket.once("error", reject);
    socket.once(tls ? "secureConnect" : "connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}

function encodeCommands(commands: readonly (readonly RedisArgument[])[]): Buffer {
  const parts: Buffer[] = [];
  let text = "";
  for (const args of commands) {
    text += `*${args.length}\r\n`;
    for (const arg of args) {
      if (Buffer.isBuffer(arg)) {
        parts.push(Buffer.from(`${text}$${arg.length}\r\n`), arg);
        text = "\r\n";
      } else {
        text += `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`;
      }
    }
  }
  parts.push(Buffer.from(text));
  return Buffer.concat(parts);
}

/**
 * Gives a function that takes the connection's bytes as they come and hands each whole reply on.
 */
function makeReplyReader(take: (reply: RedisReply) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = 1;

  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held < needed) return;

    const bytes: Buffer = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    let offset = 0;
    needed = 1;
    for (let parsed = parseReply(bytes, offset); ; parsed = parseReply(bytes, offset)) {
      if (!("reply" in parsed)) {
        needed = parsed.needed - offset;
        break;
      }
      take(parsed.reply);
      offset = parsed.end;
    }
    const rest = bytes.subarray(offset);
    chunks = rest.length === 0 ? [] : [rest];
    held = rest.length;
  };
}

/**
 * A reply and where it ended, or up to which offset the bytes must at least reach before it is
 * whole.
 */
export type Parsed = { readonly reply: RedisReply; readonly end: number } | { readonly needed: number };

/** Reads the reply that begins at `start`. Throws where the bytes are no reply. */
export function parseReply(bytes: Buffer, start: number): Parsed {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd === -1) return { needed: bytes.length + 1 };
  const text = bytes.toString("latin1", start + 1, lineEnd);
  const end = lineEnd + 2;
  const kind = String.fromCharCode(bytes[start] ?? 0);

  if (kind === "+") return { reply: Buffer.from(text, "latin1"), end };
  if (kind === "-") return { reply: new RedisReplyError(text), end };
  if (kind === ":") return { reply: Number(text), end };
  const count = Number(text);
  if ((kind !== "$" && kind !== "*") || !Number.isInteger(count)) throw new Error(`Not a Redis reply: ${kind}${text}`);
  if (count === -1) return { reply: null, end };
  if (kind === "$") {
    const whole = end + count + 2;
    return bytes.length < whole
      ? { needed: whole }
      : { reply: Buffer.from(bytes.subarray(end, end + count)), end: whole };
  }

  const items: RedisReply[] = [];
  let itemStart = end;
  for (let index = 0; index < count; index += 1) {
    const item = parseReply(bytes, itemStart);
    if (!("reply" in item)) return item;
    items.push(item.reply);
    itemStart = item.end;
  }
  return { reply: items, end: itemStart };
}
