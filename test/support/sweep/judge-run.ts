import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { ObservedResult } from "../../end-to-end/support/observed-run.js";
import { checkSessions } from "../sessions/check-sessions.js";
import { savedValue } from "../sessions/earlier-copy.js";
import type { MadeSession } from "../sessions/make-sessions.js";
import { allowedExitCodes } from "./allowed-exit-codes.js";
import type { SweptCourse } from "./swept-run.js";
import { missingSessions } from "./swept-sessions.js";

const nameOfOurs = /^\.?tele-sessions-/;
/** What `--verbose` says of a session. */
const verboseLine = /^.{6}… .*\n/gm;
const shownDifferences = 3;
const shownOutput = 600;

export interface Judgement {
  readonly lost: number;
  readonly exitCodeAgain: number | undefined;
}

/**
 * Holds a run that has ended to what is promised: an exit code that its faults may give, no session
 * lost, exit 0 only where everything is where it should be; and, where files are removed, to a run
 * again that ends the work.
 */
export async function judgeRun(
  course: SweptCourse,
  result: ObservedResult | undefined,
  runAgain: () => Promise<ObservedResult | undefined>,
): Promise<Judgement> {
  const { planned, sessions, directory, forgotten, problems } = course;
  if (result !== undefined) holdToExitCode(course, result);
  const missing = missingSessions(sessions, directory);
  await holdToEarlier(course, "at its end");
  if (missing.length > 0 && !planned.command.removes) problems.push(`${missing.length} files were changed`);
  const lost = await differencesOf(
    course,
    missing.filter((session) => !forgotten.has(session)),
  );
  if (lost.length > 0) problems.push(`${lost.length} lost: ${shown(lost)}`);
  if (result?.exitCode === 0) await holdToSuccess(course, result);
  if (!planned.command.removes || result?.exitCode === 0) {
    return { lost: lost.length, exitCodeAgain: undefined };
  }
  await course.redis.restore();
  const again = await runAgain();
  if (again !== undefined) await holdToCompletion(course, again);
  return { lost: lost.length, exitCodeAgain: again?.exitCode ?? undefined };
}

function holdToExitCode({ planned, happenings, problems }: SweptCourse, result: ObservedResult): void {
  const isImpatient = planned.faults.some(({ fault }) => fault.args?.includes("--retry-for") === true);
  const allowed = allowedExitCodes(happenings, planned.command, isImpatient);
  const changesHistory = happenings.some(({ origin }) => origin.fault.changesHistory === true);
  if (changesHistory && result.report.sessions.purged > 0) allowed.add(3);
  if (!allowed.has(result.exitCode ?? Number.NaN)) {
    problems.push(`exit code ${result.exitCode}, not one of ${[...allowed]}: ${endOf(result)}`);
  }
  // `run` has held the report to its contract, balance and all.
  if (result.stdout === "") problems.push(`no report: ${endOf(result)}`);
}

/**
 * Exit 0: every session was found, and is in Redis as it must be; and nothing is left of a purge.
 */
async function holdToSuccess(course: SweptCourse, result: ObservedResult): Promise<void> {
  const { sessions, problems, planned } = course;
  await holdToWholeness(course, "exit 0");
  await holdToRetraction(course);
  const { found } = result.report.sessions;
  if (found !== sessions.sessions.length) problems.push(`exit 0, but ${found} sessions were found`);
  if (planned.command.removes) holdToEmptiness(course, "exit 0");
}

/** An undisturbed run after a failed one ends the work. */
async function holdToCompletion(course: SweptCourse, again: ObservedResult): Promise<void> {
  if (again.exitCode !== 0) course.problems.push(`again: exit code ${again.exitCode}: ${endOf(again)}`);
  await holdToEarlier(course, "again");
  await holdToWholeness(course, "again");
  holdToEmptiness(course, "again");
}

/**
 * Whatever happened: what the server saved in Redis stays, whoever logged out of Redis is not let
 * in again, and keeps the file.
 */
async function holdToEarlier({ sessions, redis, directory, problems }: SweptCourse, when: string): Promise<void> {
  const { earlier } = sessions;
  if (earlier === undefined) return;
  const values = await redis.client.pipeline(sessions.sessions.map(({ sid }) => ["GET", `session:${sid}`]));
  for (const [index, { sid, value, path }] of sessions.sessions.entries()) {
    const held = values[index] ?? null;
    const name = `${when}, ${sid.slice(0, 6)}…`;
    if (value === savedValue && String(held) !== savedValue) problems.push(`${name} was replaced by something older`);
    if (!earlier.endedInRedis.has(path)) continue;
    if (held !== null) problems.push(`${name} is alive again`);
    if (!existsSync(join(directory, path))) problems.push(`${name} has ended, and its file was removed`);
  }
}

/** A complete copy leaves no key of somebody who logged out of files. */
async function holdToRetraction({ sessions, redis, problems }: SweptCourse): Promise<void> {
  const keys = sessions.earlier?.endedInFiles ?? [];
  const exist = await redis.client.pipeline(keys.map((key) => ["EXISTS", key]));
  const held = exist.filter((one) => one === 1).length;
  if (held > 0) problems.push(`exit 0, but ${held} of ${keys.length} who logged out of files are alive`);
}

async function holdToWholeness(course: SweptCourse, when: string): Promise<void> {
  const { sessions, forgotten, problems } = course;
  const expected = sessions.sessions.filter((session) => !forgotten.has(session));
  const differences = await differencesOf(course, expected);
  if (differences.length > 0) problems.push(`${when}, but ${differences.length}: ${shown(differences)}`);
}

function holdToEmptiness({ directory, sessions, problems }: SweptCourse, when: string): void {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const stays = sessions.earlier?.endedInRedis ?? new Set();
  const left = paths.filter((path) => sessions.contents.has(path) && !stays.has(path)).length;
  const ours = paths.filter((path) => nameOfOurs.test(basename(path))).length;
  if (left + ours > 0) problems.push(`${when}, but ${left} session files and ${ours} of ours are left`);
}

/** Sessions that Redis does not hold as it must, a sentence for each. */
async function differencesOf(
  { redis, beganMs }: SweptCourse,
  sessions: readonly MadeSession[],
): Promise<readonly string[]> {
  async function* each(): AsyncGenerator<MadeSession> {
    yield* sessions;
  }
  return (await checkSessions(redis.client, each(), { beganMs, endedMs: Date.now() })).differences;
}

function shown(differences: readonly string[]): string {
  return differences.slice(0, shownDifferences).join(", ");
}

function endOf({ stderr }: ObservedResult): string {
  return stderr.replaceAll(verboseLine, "").slice(-shownOutput).trim();
}
