import type { Redis } from "ioredis";
import { sendBatch } from "../send-batch.js";

/** What a server lacks that this program uses if it can. */
export interface ServerGaps {
  /** The option PXAT of SET, which Redis has since 6.2. */
  readonly pxat: boolean;
  /** The command PEXPIRETIME, which Redis has since 7.0. */
  readonly pexpiretime: boolean;
}

const none: ServerGaps = { pxat: false, pexpiretime: false };
/** By connection: after a failover, another server may answer. */
const known = new WeakMap<Redis, ServerGaps>();

/** The gaps that showed on this connection so far. */
export function gapsOf(client: Redis): ServerGaps {
  return known.get(client) ?? none;
}

/**
 * Sends a batch of commands in the form that the server takes. Using a command shows whether the
 * server lacks it: a server refuses it before it changes anything. Then all are sent again in the
 * other form.
 */
export async function sendAsTaken(client: Redis, encode: (gaps: ServerGaps) => readonly string[]): Promise<unknown[]> {
  for (;;) {
    const gaps = gapsOf(client);
    const replies = await sendBatch(client, encode(gaps));
    const shown = noteGaps(client, replies);
    // Other work may have found the same gap meanwhile, but these commands were sent without it.
    if (!(shown.pxat && !gaps.pxat) && !(shown.pexpiretime && !gaps.pexpiretime)) return replies;
  }
}

/** Notes what replies show the server to lack, and returns it. */
export function noteGaps(client: Redis, replies: readonly unknown[]): ServerGaps {
  const errors = replies.filter((reply) => reply instanceof Error);
  const shows = (pattern: RegExp) => errors.some(({ message }) => pattern.test(message));
  const shown = { pxat: shows(/syntax error/i), pexpiretime: shows(unknownCommand) };
  const { pxat, pexpiretime } = gapsOf(client);
  known.set(client, { pxat: pxat || shown.pxat, pexpiretime: pexpiretime || shown.pexpiretime });
  return shown;
}

/** Of PEXPIRETIME itself, or of a script, which does not say which command it means. */
const unknownCommand = /unknown command .?pexpiretime|unknown (redis )?command called from/i;
