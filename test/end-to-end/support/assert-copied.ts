import assert from "node:assert/strict";
import type { RedisAddress } from "../../support/servers/redis-client.js";
import type { RedisCluster } from "../../support/servers/redis-cluster.js";
import { checkSessions } from "../../support/sessions/check-sessions.js";
import { readManifest } from "../../support/sessions/make-sessions.js";
import { countKeys } from "./redis-of-test.js";

export interface CopyExpectation {
  readonly manifest: string;
  /** When the first copy began, milliseconds since the epoch. */
  readonly beganMs: number;
  readonly sessions: number;
  readonly expired?: number;
  readonly keyOf?: (sid: string) => string;
  /** Keys that are no sessions of the manifest. */
  readonly otherKeys?: number;
}

/**
 * Holds Redis to a manifest: every live session with its very bytes and its full lifetime, and no
 * key beside them.
 */
export async function assertCopied(
  redis: RedisAddress | RedisCluster,
  { manifest, beganMs, sessions, expired = 0, keyOf, otherKeys = 0 }: CopyExpectation,
): Promise<void> {
  const checked = await checkSessions("client" in redis ? redis.client : redis, readManifest(manifest), {
    beganMs,
    endedMs: Date.now(),
    ...(keyOf === undefined ? {} : { keyOf }),
  });
  assert.deepEqual(checked.differences.slice(0, 5), []);
  assert.deepEqual({ right: checked.right, absent: checked.absent }, { right: sessions - expired, absent: expired });
  const counts = await Promise.all(("client" in redis ? await redis.masters() : [redis]).map(countKeys));
  const keys = counts.reduce((sum, count) => sum + count, 0);
  assert.equal(keys, sessions - expired + otherKeys, "keys of nothing else");
}
