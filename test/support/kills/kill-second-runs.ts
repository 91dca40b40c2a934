import { rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { startRedisUnderTest } from "../servers/redis-under-test.js";
import { isExpected } from "../sessions/check-sessions.js";
import { type Aftermath, aftermaths, savedValue, threeHoursSeconds } from "../sessions/earlier-copy.js";
import { isOurs, type KnownSession, listFiles, readSessionFiles } from "../sessions/locate-sessions.js";
import { chooseEvenly } from "./choose-kill-points.js";
import { KillGround } from "./kill-ground.js";
import { describeKillPoint, type KillPoint } from "./kill-point.js";
import type { KillSweep } from "./kill-sweep.js";

/** What one kill of a second run came to. */
export interface SecondRunKill {
  readonly point: KillPoint;
  /** A sentence for each thing that must not be. */
  readonly problems: readonly string[];
  /** Files that the killed run had removed. */
  readonly removed: number;
}

/** A long sweep has each with and without lanes. */
const leastOfLong = 100;
/** No longer ago, and a run takes the server for at work in the directory. */
const atWorkMs = 2200;

/**
 * Kills so many second runs of `copy --purge` over a directory that was copied before, each at
 * another point.
 */
export async function sweepSecondRuns(
  { sessions, points, seed }: KillSweep,
  tell: (done: number) => void,
): Promise<SecondRunKill[]> {
  const grounds = aftermaths.flatMap((aftermath, index) =>
    (points >= leastOfLong ? ["1", "2"] : [String(index + 1)]).map((lanes) => ({
      aftermath,
      command: ["copy", "--purge", "--lanes", lanes],
    })),
  );
  const servers = await Promise.all(grounds.map(() => startRedisUnderTest()));
  try {
    const results: SecondRunKill[] = [];
    await Promise.all(
      grounds.map(async ({ aftermath, command }, index) => {
        const redis = servers[index];
        if (redis === undefined) return;
        const ground = await KillGround.make(redis, sessions, command);
        await prepare(ground, aftermath);
        const work = await ground.watch();
        const share = Math.floor((points + index) / grounds.length);
        for (const point of chooseEvenly(work, share, seed + index)) {
          results.push(await judgeKill(ground, aftermath, point));
          tell(results.length);
        }
      }),
    );
    return results;
  } finally {
    await Promise.all(servers.map((redis) => redis.stop()));
  }
}

/** Copies everything, and then lets its aftermath happen. */
async function prepare(ground: KillGround, { serverWorks, fateOf }: Aftermath): Promise<void> {
  const { known, redis } = ground;
  await ground.restore();
  const { exitCode, stderr } = await ground.runAgain(["copy"]);
  if (exitCode !== 0) throw new Error(`the earlier copy ended with ${exitCode}\n${stderr}`);
  const commands = known.flatMap((session, index) => {
    const key = keyOf(session);
    const fate = fateOf(index);
    if (fate === "ended in files") rmSync(ground.pathOf(session));
    if (fate === "saved") return [["SET", key, savedValue, "PX", String(threeHoursSeconds * 1000)]];
    return fate === "deleted" || fate === "ended in Redis" ? [["DEL", key]] : [];
  });
  await redis.client.pipeline(commands);
  const [first] = known;
  if (serverWorks !== "files" || first === undefined) return;
  // Not through the link: its other name is the master's.
  rmSync(ground.pathOf(first));
  writeFileSync(ground.pathOf(first), first.bytes);
  await sleep(atWorkMs);
}

async function judgeKill(ground: KillGround, aftermath: Aftermath, point: KillPoint): Promise<SecondRunKill> {
  await prepare(ground, aftermath);
  const before = listFiles(ground.directory).length;
  await ground.kill(point, () => prepare(ground, aftermath));
  const removed = before - listFiles(ground.directory).length;
  const where = describeKillPoint(point);
  const problems = (await judge(ground, aftermath)).map((problem) => `killed ${where}: ${problem}`);

  const { exitCode, stderr } = await ground.runAgain();
  if (exitCode !== 0) problems.push(`the run after a kill ${where}: exit ${exitCode}\n${stderr}`);
  const after = await judge(ground, aftermath, "done");
  problems.push(...after.map((problem) => `after a kill ${where} and one run more: ${problem}`));
  problems.push(...listFiles(ground.temporary).map((name) => `${name} is left after a kill ${where}`));
  return { point, problems, removed };
}

/**
 * A sentence for each session that is not where its fate allows; once the work is `done`, where its
 * fate wants it.
 */
async function judge({ redis, directory, known }: KillGround, { fateOf }: Aftermath, done?: "done"): Promise<string[]> {
  const replies = await redis.client.pipeline(
    known.flatMap((session) => [
      ["GET", keyOf(session)],
      ["PTTL", keyOf(session)],
    ]),
  );
  const files = readSessionFiles(directory);
  const problems =
    done === undefined
      ? []
      : listFiles(directory)
          .filter(isOurs)
          .map((name) => `${name} is left`);
  known.forEach((session, index) => {
    const value = replies[2 * index] ?? null;
    const remainingMs = Number(replies[2 * index + 1]);
    const contents = files.get(session.made.path) ?? [];
    const isOnDisk = contents.some((content) => content.equals(session.bytes));
    const isCopied = Buffer.isBuffer(value) && isExpected(session.made, value);
    const fate = fateOf(index);
    const say = (what: string): void => {
      problems.push(`${session.made.sid.slice(0, 6)}… (${fate}) ${what}`);
    };
    if (!contents.every((content) => content.equals(session.bytes))) say("has a damaged file");
    if (fate === "saved") {
      if (String(value) !== savedValue) say("was replaced by something older, or is gone");
      else if (remainingMs > threeHoursSeconds * 1000) say("has another lifetime than the server gave it");
    } else if (fate === "ended in Redis") {
      if (value !== null) say("is alive again");
      if (!isOnDisk) say("is in neither place");
    } else if (fate === "ended in files") {
      if (done !== undefined && value !== null) say("is still alive");
      if (isOnDisk) say("has a file again");
    } else {
      if (value !== null && !isCopied) say("has another value");
      if (!isCopied && !isOnDisk) say("is lost");
      if (done !== undefined && !isCopied) say("is not in Redis");
      if (isCopied && !(remainingMs > 0 && remainingMs <= 1000 * session.made.lifetime)) say("has a wrong lifetime");
    }
    if (done !== undefined && fate !== "ended in Redis" && contents.length > 0) say("still has its file");
  });
  return problems;
}

function keyOf({ made }: KnownSession): string {
  return `session:${made.sid}`;
}
