import assert from "node:assert/strict";
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { coarseTimeMs } from "../../src/model/coarse-time.js";
import { checkSessions } from "./check-sessions.js";
import { chooseKillPoints, findStretches } from "./choose-kill-points.js";
import { type CommandOptions, runCommand } from "./command.js";
import {
  describeKillPoint,
  type KillPoint,
  type NumberedWork,
  type WatchedRun,
  type Work,
  watchOptions,
} from "./kill-point.js";
import { type KnownSession, type LocatedSessions, listFiles, locateSessions } from "./locate-sessions.js";
import { type MadeSession, makeSessions, readManifest } from "./make-sessions.js";
import { redisCommand } from "./redis-command.js";
import { type RedisServer, startRedis } from "./redis-server.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

/** What one kill came to. */
export interface KillResult {
  readonly point: KillPoint;
  /** Right after it. */
  readonly killed: LocatedSessions;
  /** After one undisturbed run more, a sentence for each session that Redis does not hold as it must. */
  readonly differences: readonly string[];
  /** The files that are there after that run, in the session directory and in the one for temporary files. */
  readonly left: readonly string[];
}

export interface KillSweep {
  readonly sessions: number;
  readonly points: number;
  readonly seed: number;
}

/** A Redis and a session directory, for one run at a time. */
interface Ground {
  readonly redis: RedisServer;
  readonly directory: string;
  /** Where runs put temporary files. */
  readonly temporary: string;
  /** Holds the session files as they were made. */
  readonly master: string;
  readonly known: readonly KnownSession[];
  readonly command: readonly string[];
}

/** What is killed: a run on one thread, and one with lanes on threads of their own. */
const commands = [
  ["copy", "--purge", "--lanes", "1"],
  ["copy", "--purge", "--lanes", "2"],
];
/** Two runs of each go on at a time: while the files of one come to rest the other works. */
const grounds = [...commands, ...commands];
/** A purge lets files be that are younger than 2 s. */
const ageSeconds = 3600;
/** A run looks once more at a file that changed just before; how often it looks at each is to be the same in every run. */
const restMs = coarseTimeMs + 100;

/** Kills so many runs of `copy --purge`, each at another point. `tell` hears how many are done. */
export async function sweepKills(
  { sessions, points, seed }: KillSweep,
  tell: (done: number) => void,
): Promise<KillResult[]> {
  const servers = await Promise.all(grounds.map(() => startRedis()));
  try {
    const results: KillResult[] = [];
    const work = async (redis: RedisServer, index: number): Promise<void> => {
      const ground = await makeGround(redis, sessions, grounds[index] ?? []);
      const stretches = findStretches(await watchRun(ground), sessions);
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

async function makeGround(redis: RedisServer, sessions: number, command: readonly string[]): Promise<Ground> {
  const top = makeTemporaryDirectory();
  const master = join(top, "master");
  const directory = join(top, "s");
  const manifest = join(top, "manifest");
  await makeSessions(master, { count: sessions, manifest });
  const then = Date.now() / 1000 - ageSeconds;
  const known: KnownSession[] = [];
  for await (const made of readManifest(manifest)) {
    const path = join(master, made.path);
    utimesSync(path, then, then);
    mkdirSync(dirname(join(directory, made.path)), { recursive: true });
    known.push({ made, bytes: readFileSync(path) });
  }
  return { redis, directory, temporary: makeTemporaryDirectory(), master, known, command };
}

/** What an undisturbed run does, in its order. */
async function watchRun(ground: Ground): Promise<Work[]> {
  await restore(ground);
  const log = join(makeTemporaryDirectory(), "work");
  const { exitCode, stderr } = await runCommand(argsFor(ground), optionsFor(ground, { log }));
  assert.equal(exitCode, 0, stderr);
  const work = readdirSync(dirname(log)).flatMap((name): NumberedWork[] =>
    JSON.parse(readFileSync(join(dirname(log), name), "utf8")),
  );
  return work.sort((one, other) => one.number - other.number);
}

async function judgeKill(ground: Ground, point: KillPoint): Promise<KillResult> {
  const { redis, directory, temporary, known } = ground;
  const where = describeKillPoint(point);
  await restore(ground);
  const beganMs = Date.now();
  const { signal, stderr } = await runCommand(argsFor(ground), optionsFor(ground, { point }));
  assert.equal(signal, "SIGKILL", `the run ended by itself, it was to be killed ${where}\n${stderr}`);
  await untilAlone(redis);
  const killed = await locateSessions(redis, directory, known);

  const again = await runCommand(argsFor(ground), { environment: { TMPDIR: temporary } });
  assert.equal(again.exitCode, 0, `the run after a kill ${where}\n${again.stderr}`);
  const times = { beganMs, endedMs: Date.now() };
  const { differences } = await checkSessions(redis, manifestOf(ground), times);
  return { point, killed, differences, left: [...listFiles(directory), ...listFiles(temporary)] };
}

/**
 * Puts every session file into the directory again, empties Redis, and lets the files come to rest. Links do: a run removes names, it writes no file. New files take
 * milliseconds each on some file systems, where as many were removed just before.
 */
async function restore({ redis, directory, master, known }: Ground): Promise<void> {
  for (const { made } of known) {
    rmSync(join(directory, made.path), { force: true });
    linkSync(join(master, made.path), join(directory, made.path));
  }
  await redisCommand(redis, "FLUSHALL");
  await sleep(restMs);
}

function argsFor({ redis, directory, command }: Ground): string[] {
  return [...command, "--session-dir", directory, "--port", String(redis.port)];
}

/** A run whose work is watched. */
function optionsFor(
  { redis, directory, temporary }: Ground,
  watch: Pick<WatchedRun, "point" | "log">,
): CommandOptions {
  const { nodeArgs, environment } = watchOptions({ directory, redisPort: redis.port, ...watch });
  return { nodeArgs, environment: { ...environment, TMPDIR: temporary } };
}

/** Waits until Redis has carried out all that a killed run had sent: it closes the connection then. */
async function untilAlone(redis: RedisServer): Promise<void> {
  while (
    String(await redisCommand(redis, "CLIENT", "LIST"))
      .trim()
      .split("\n").length > 1
  )
    await sleep(1);
}

async function* manifestOf({ known }: Ground): AsyncGenerator<MadeSession> {
  for (const { made } of known) yield made;
}
