import assert from "node:assert/strict";
import { type RedisUnderTest, startRedisUnderTest } from "../servers/redis-under-test.js";
import { checkSessions } from "../sessions/check-sessions.js";
import { type LocatedSessions, listFiles, locateSessions } from "../sessions/locate-sessions.js";
import type { MadeSession } from "../sessions/make-sessions.js";
import { chooseKillPoints, findStretches } from "./choose-kill-points.js";
import { KillGround } from "./kill-ground.js";
import { describeKillPoint, type KillPoint } from "./kill-point.js";

/** What one kill came to. */
export interface KillResult {
  readonly point: KillPoint;
  /** Right after it. */
  readonly killed: LocatedSessions;
  /**
   * After one undisturbed run more, a sentence for each session that Redis does not hold as it
   * must.
   */
  readonly differences: readonly string[];
  /**
   * The files that are there after that run, in the session directory and in the one for temporary
   * files.
   */
  readonly left: readonly string[];
}

export interface KillSweep {
  readonly sessions: number;
  readonly points: number;
  readonly seed: number;
}

/** What is killed: a run on one thread, and one with lanes on threads of their own. */
const commands = [
  ["copy", "--purge", "--lanes", "1"],
  ["copy", "--purge", "--lanes", "2"],
];
/**
 * A long sweep makes two runs of each at a time: while the files of one come to rest the other
 * works.
 */
const leastOfLong = 100;

/** Kills so many runs of `copy --purge`, each at another point. `tell` hears how many are done. */
export async function sweepKills(
  { sessions, points, seed }: KillSweep,
  tell: (done: number) => void,
): Promise<KillResult[]> {
  const grounds = points >= leastOfLong ? [...commands, ...commands] : commands;
  const servers = await Promise.all(grounds.map(() => startRedisUnderTest()));
  try {
    const results: KillResult[] = [];
    const work = async (redis: RedisUnderTest, index: number): Promise<void> => {
      const ground = await KillGround.make(redis, sessions, grounds[index] ?? []);
      await ground.restore();
      const stretches = findStretches(await ground.watch(), sessions);
      const share = Math.floor((points + index) / grounds.length);
      for (const point of chooseKillPoints(stretches, share, seed + index)) {
        results.push(await judgeKill(ground, point));
        tell(results.length);
      }
    };
    await Promise.all(servers.map(work));
    return results;
  } finally {
    await Promise.all(servers.map((redis) => redis.stop()));
  }
}

async function judgeKill(ground: KillGround, point: KillPoint): Promise<KillResult> {
  const { redis, directory, temporary, known } = ground;
  await ground.restore();
  const beganMs = Date.now();
  await ground.kill(point, () => ground.restore());
  const killed = await locateSessions(redis.client, directory, known);

  const again = await ground.runAgain();
  assert.equal(again.exitCode, 0, `the run after a kill ${describeKillPoint(point)}\n${again.stderr}`);
  const times = { beganMs, endedMs: Date.now() };
  const { differences } = await checkSessions(redis.client, manifestOf(ground), times);
  return { point, killed, differences, left: [...listFiles(directory), ...listFiles(temporary)] };
}

async function* manifestOf({ known }: KillGround): AsyncGenerator<MadeSession> {
  for (const { made } of known) yield made;
}
