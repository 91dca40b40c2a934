import { createHash } from "node:crypto";
import {
  connectRedis,
  type RedisAddress,
  type RedisArgument,
  type RedisClient,
  type RedisReply,
} from "../servers/redis-client.js";
import type { MadeSession } from "./make-sessions.js";

export interface SessionCheck {
  /**
   * When the copy began and ended, milliseconds since the epoch: its full lifetimes count from
   * between.
   */
  readonly beganMs: number;
  readonly endedMs: number;
  /** The key of a sid; `session:<sid>` by default. */
  readonly keyOf?: (sid: string) => string;
}

export interface CheckedSessions {
  /** Present, with the very bytes and the full lifetime. */
  readonly right: number;
  /** Absent, as they must be: they were over when they were read. */
  readonly absent: number;
  /** One sentence for each that is not as it must be; sids are cut to 6 characters. */
  readonly differences: readonly string[];
}

const sessionsAtATime = 2000;

/**
 * Compares every session of a manifest with what Redis holds, after a copy with `--ttl full`. Closes
 * the client.
 */
export async function checkSessions(
  redis: RedisAddress | RedisClient,
  manifest: AsyncIterable<MadeSession>,
  { beganMs, endedMs, keyOf = (sid) => `session:${sid}` }: SessionCheck,
): Promise<CheckedSessions> {
  const client = "pipeline" in redis ? redis : await connectRedis(redis);
  const differences: string[] = [];
  let right = 0;
  let absent = 0;

  async function check(sessions: readonly MadeSession[]): Promise<void> {
    const askedMs = Date.now();
    const replies = await client.pipeline(
      sessions.flatMap(({ sid }): RedisArgument[][] => [
        ["GET", keyOf(sid)],
        ["PTTL", keyOf(sid)],
      ]),
    );
    const answeredMs = Date.now();
    sessions.forEach((session, index) => {
      const value = replies[2 * index] ?? null;
      const remainingMs = Number(replies[2 * index + 1]);
      const difference = compare(session, value, {
        // Redis counted at some moment between; a lifetime counts from 2 s before its file was
        // opened, less than a second more for the sign.
        tooShort: answeredMs + remainingMs < beganMs - 3000 + session.lifetime * 1000,
        tooLong: askedMs + remainingMs > endedMs + session.lifetime * 1000,
        remainingMs,
      });
      if (difference !== undefined) differences.push(`${session.sid.slice(0, 6)}… (${session.format}): ${difference}`);
      else if (session.outcome === "expired") absent += 1;
      else right += 1;
    });
  }

  try {
    let batch: MadeSession[] = [];
    for await (const session of manifest) {
      batch.push(session);
      if (batch.length < sessionsAtATime) continue;
      await check(batch);
      batch = [];
    }
    await check(batch);
  } finally {
    client.close();
  }
  return { right, absent, differences };
}

function compare(
  session: MadeSession,
  value: RedisReply,
  { tooShort, tooLong, remainingMs }: { tooShort: boolean; tooLong: boolean; remainingMs: number },
): string | undefined {
  if (session.outcome === "expired") return value === null ? undefined : "is there, though it was over";
  if (value === null) return "is not there";
  if (!Buffer.isBuffer(value) || !isExpected(session, value)) return "has other bytes";
  if (remainingMs < 0) return "has no lifetime";
  if (tooShort || tooLong) return `has ${remainingMs} ms left of ${session.lifetime} s`;
  return undefined;
}

/** Whether these are the very bytes that Redis must hold for a session. */
export function isExpected({ value, sha256 }: MadeSession, bytes: Buffer): boolean {
  if (value !== undefined) return bytes.equals(Buffer.from(value));
  return createHash("sha256").update(bytes).digest("hex") === sha256;
}
