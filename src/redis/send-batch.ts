import { Command, type Redis } from "ioredis";

/** What the client calls a stream that commands are written to together. */
type BatchStream = Exclude<Parameters<Redis["sendCommand"]>[1], undefined | NodeJS.WritableStream>;

/**
 * One command as Redis's protocol has it, from texts in which each character is one byte. `protocolText` makes such texts [Redis,
 * RESP2].
 */
export function encodeCommand(...parts: readonly string[]): string {
  let text = `*${parts.length}\r\n`;
  for (const part of parts) text += `$${part.length}\r\n${part}\r\n`;
  return text;
}

/** A text as its UTF-8 bytes, one character for each. */
export function protocolText(text: string): string {
  return isAscii.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

const isAscii = /^[\0-\x7f]*$/;

/**
 * Sends commands that are encoded already, all at once, and gives their replies in the same order: texts as buffers, errors as errors
 * that name their command, those of a connection that was lost included. The client keeps connection, order and errors; one command object stands for all of
 * them, which costs a quarter of what a pipeline does.
 */
export function sendBatch(client: Redis, encoded: readonly string[]): Promise<unknown[]> {
  if (encoded.length === 0) return Promise.resolve([]);
  return new Promise((resolve) => {
    const replies: unknown[] = [];
    const note = (reply: unknown) => {
      replies.push(reply);
      if (replies.length === encoded.length) resolve(replies);
    };
    // The name is what the client looks its own rules up by; none applies to it.
    const command = new Command("batch");
    command.resolve = note;
    command.reject = (error) => note(answering(error, encoded[replies.length]));
    // Else the client would subscribe to its promise once more for each.
    command.isTraced = true;
    let isFirst = true;
    command.toWritable = () => (isFirst ? Buffer.from(encoded.join(""), "latin1") : "");
    const stream = {
      isPipeline: true,
      destination: { redis: client },
      write: (data) => {
        if (isFirst) client.stream.write(data);
        isFirst = false;
      },
    } satisfies BatchStream;
    for (const _ of encoded) client.sendCommand(command, stream);
  });
}

/** Notes which command an error answers, for the client only knows of a batch. */
function answering(error: unknown, encoded: string | undefined): unknown {
  const name = encoded?.split("\r\n", 3)[2];
  return error instanceof Error && name !== undefined ? Object.assign(error, { command: { name } }) : error;
}
