import { Command, type Redis } from "ioredis";
import { encodeCommand, protocolText } from "./encode-command.js";
import type { EncodedEntries } from "./session-store.js";
import { withoutRedirections } from "./topology/redirections.js";

/** The type that ioredis gives a stream to which commands are written together. */
type BatchStream = Exclude<Parameters<Redis["sendCommand"]>[1], undefined | NodeJS.WritableStream>;

/**
 * Sends encoded commands all at once and returns their replies in order. Strings come as buffers.
 * Errors, also those of a lost connection, come as values that name their command.
 */
export async function sendBatch(client: Redis, encoded: readonly string[]): Promise<unknown[]> {
  const sent = await sendDirectly(client, Buffer.from(encoded.join(""), "latin1"), encoded.length);
  const commandAt = (index: number) => Buffer.from(encoded[index] ?? "", "latin1");
  const replies = await withoutRedirections(client, sent, commandAt);
  return replies.map((reply, index) =>
    reply instanceof Error ? named(reply, encoded[index]?.split("\r\n", 3)[2]) : reply,
  );
}

/** Sends SET commands in one buffer, and returns their replies as `sendBatch` does. */
export async function sendEncoded(
  client: Redis,
  { commands, count, commandAt }: Pick<EncodedEntries, "commands" | "count" | "commandAt">,
): Promise<unknown[]> {
  const sent = await sendDirectly(client, commands, count);
  const replies = await withoutRedirections(client, sent, commandAt);
  return replies.map((reply) => (reply instanceof Error ? named(reply, "SET") : reply));
}

/** Sends one command, and returns its reply, a text as a string. Throws an error reply. */
export async function sendOne(client: Redis, ...parts: readonly string[]): Promise<unknown> {
  const [reply] = await sendBatch(client, [encodeCommand(...parts.map(protocolText))]);
  if (reply instanceof Error) throw reply;
  return Buffer.isBuffer(reply) ? reply.toString() : reply;
}

/**
 * Sends commands to this server, and returns its replies and errors as they come. Leaves the
 * connection, order and errors to ioredis, but one command object stands for all commands. This
 * takes a quarter of a pipeline's time.
 */
export function sendDirectly(client: Redis, bytes: Buffer, count: number): Promise<unknown[]> {
  if (count === 0) return Promise.resolve([]);
  return new Promise((resolve) => {
    const replies: unknown[] = [];
    const note = (reply: unknown) => {
      replies.push(reply);
      if (replies.length === count) resolve(replies);
    };
    // ioredis looks up per-command flags by name; an unknown name has none.
    const command = new Command("batch");
    command.resolve = note;
    command.reject = note;
    // Otherwise ioredis would subscribe to the promise again for each reply.
    command.isTraced = true;
    let isFirst = true;
    command.toWritable = () => (isFirst ? bytes : "");
    const stream = {
      isPipeline: true,
      destination: { redis: client },
      write: (data) => {
        if (isFirst) client.stream.write(data);
        isFirst = false;
      },
    } satisfies BatchStream;
    for (let sent = 0; sent < count; sent++) client.sendCommand(command, stream);
  });
}

/** Notes which command an error answers, because ioredis knows only of a batch. */
function named(error: Error, name: string | undefined): Error {
  return name === undefined ? error : Object.assign(error, { command: { name } });
}
