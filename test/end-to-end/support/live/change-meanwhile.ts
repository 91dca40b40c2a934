import assert from "node:assert/strict";
import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RedisAddress } from "../../../support/servers/redis-client.js";
import { redisPipeline } from "../../../support/servers/redis-command.js";

/** The sids that a live server ended and saved. */
export interface Changes {
  readonly ended: readonly string[];
  readonly saved: readonly string[];
}

/**
 * Does as a live server does while a copy runs: of the flat files in a directory it deletes a
 * third, but for those spared, and saves another.
 */
export function changeMeanwhile(directory: string, isSpared: (sid: string) => boolean = () => false): Changes {
  const sidsOf = (part: number) =>
    readdirSync(directory)
      .filter((name) => name.startsWith("werkzeug_") && Number.parseInt(name.slice(9, 11), 16) % 3 === part)
      .map((name) => name.slice(9, 49));
  const ended = sidsOf(0).filter((sid) => !isSpared(sid));
  const saved = sidsOf(1);
  for (const sid of ended) rmSync(join(directory, `werkzeug_${sid}.sess`));
  for (const sid of saved) {
    writeFileSync(join(directory, "tmp.__wz_sess"), '{"uid": 1, "note": "saved while the copy ran"}');
    renameSync(join(directory, "tmp.__wz_sess"), join(directory, `werkzeug_${sid}.sess`));
  }
  return { ended, saved };
}

/**
 * Holds Redis to these changes: nothing that ended is alive, what was saved is there as it was
 * saved.
 */
export async function assertFollowed(address: RedisAddress, { ended, saved }: Changes): Promise<void> {
  const alive = await redisPipeline(
    address,
    ended.map((sid) => ["EXISTS", `session:${sid}`]),
  );
  assert.ok(ended.length > 100 && alive.every((count) => count === 0), "an ended session is alive");
  const values = await redisPipeline(
    address,
    saved.map((sid) => ["GET", `session:${sid}`]),
  );
  assert.ok(saved.length > 100);
  for (const value of values) assert.match(String(value), /saved while the copy ran/);
}
