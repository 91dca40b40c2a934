import { dirname } from "node:path";
import { type ObservedResult, run } from "../../end-to-end/support/observed-run.js";
import { removeTemporaryDirectory } from "../process/temporary-directory.js";
import { startFaultProxies } from "../proxies/fault-proxy.js";
import type { Fault, HappenedFault } from "../proxies/fault-schedule.js";
import type { CommandHead } from "../proxies/resp-messages.js";
import type { MadeSession } from "../sessions/make-sessions.js";
import type { NamedHappening } from "./allowed-exit-codes.js";
import { judgeRun } from "./judge-run.js";
import type { NamedFault } from "./named-fault.js";
import type { SweptCommand } from "./swept-commands.js";
import { SweptRedis } from "./swept-redis.js";
import { copySweptSessions, fillRedis, missingSessions, type SweptSessions } from "./swept-sessions.js";

/** A run that is to be made: a command, and what is to go wrong when. */
export interface PlannedRun {
  readonly name: string;
  readonly command: SweptCommand;
  readonly faults: readonly PlannedFault[];
  /** Further switches for Node, which runs the command. */
  readonly nodeArgs?: readonly string[];
}

export interface PlannedFault {
  readonly fault: NamedFault;
  /** The number of the reply, from 1. */
  readonly at: number;
}

/** What became of it. */
export interface SweptRun {
  readonly planned: PlannedRun;
  readonly happened: readonly NamedFault[];
  /** Faults that the run ended before. */
  readonly missed: readonly NamedFault[];
  /** Absent where the run did not end. */
  readonly exitCode: number | undefined;
  /** Of the undisturbed run after it, where one was made. */
  readonly exitCodeAgain: number | undefined;
  /** Sessions that are neither in Redis nor in their files. */
  readonly lost: number;
  /** Sessions whose files had been removed before Redis forgot them. */
  readonly forgotten: number;
  /** One sentence for each thing that is not as it must be. */
  readonly problems: readonly string[];
  /** For each reply that was due to the run, its Redis command. */
  readonly replies: readonly CommandHead[];
}

/** A run under way. */
export interface SweptCourse {
  readonly planned: PlannedRun;
  readonly sessions: SweptSessions;
  readonly redis: SweptRedis;
  readonly directory: string;
  /** When it began, milliseconds since the epoch. */
  readonly beganMs: number;
  readonly happenings: NamedHappening[];
  readonly forgotten: Set<MadeSession>;
  readonly problems: string[];
}

/** The longest that a run may take, but for the watchdogs that it waits for. */
const longestMs = 120_000;
const longestWatchdogMs = 35_000;

/**
 * Makes a run with a Redis and a proxy of its own, and holds it to what is promised. `onWaiting` is
 * told when the run begins to wait for its watchdog.
 */
export async function makeSweptRun(
  planned: PlannedRun,
  sessions: SweptSessions,
  onWaiting: () => void = () => undefined,
): Promise<SweptRun> {
  const { command, faults } = planned;
  const redis = await SweptRedis.start(faults.flatMap(({ fault }) => fault.redisArgs ?? []));
  const directory = command.removes ? copySweptSessions(sessions) : sessions.directory;
  const course: SweptCourse = {
    ...{ planned, sessions, redis, directory, beganMs: sessions.filledMs ?? Date.now() },
    ...{ happenings: [], forgotten: new Set(), problems: [] },
  };
  if (command.isFilledBefore) await fillRedis(redis.client, sessions, directory);
  const { result, replies } = await runUnderFaults(course, onWaiting);
  const runAgain = () => runOver(course, ["copy", "--purge"], longestMs);
  const judge = async () => {
    if (redis.isKilled) await redis.startAgain();
    await redis.untilLoaded();
    await redis.standAlone();
    return judgeRun(course, result, runAgain);
  };
  const { lost = 0, exitCodeAgain } = (await judge().catch(noteIn(course))) ?? {};
  await redis.stop();
  if (command.removes) removeTemporaryDirectory(dirname(directory));
  const didHappen = (one: PlannedFault): boolean => course.happenings.some(({ origin }) => origin === one);
  return {
    planned,
    happened: faults.filter(didHappen).map(({ fault }) => fault),
    missed: faults.filter((one) => !didHappen(one)).map(({ fault }) => fault),
    exitCode: result?.exitCode ?? undefined,
    exitCodeAgain,
    lost,
    forgotten: course.forgotten.size,
    problems: course.problems,
    replies,
  };
}

async function runUnderFaults(
  course: SweptCourse,
  onWaiting: () => void,
): Promise<{ result: ObservedResult | undefined; replies: readonly CommandHead[] }> {
  const { planned, redis, happenings } = course;
  const origins = new Map<Fault, PlannedFault>();
  for (const one of planned.faults) {
    for (const part of one.fault.faults(one.at, redis, course.sessions)) {
      origins.set(one.fault.forgets === true ? notingForgotten(part, course) : part, one);
    }
  }
  const onFault = (happened: HappenedFault): void => {
    const origin = origins.get(happened.fault);
    if (origin !== undefined) happenings.push({ ...happened, origin });
    if (happened.fault.kind === "stall" || happened.fault.kind === "late") onWaiting();
  };
  const proxies = await startFaultProxies(redis.ports, [...origins.keys()], onFault);
  await redis.standBehind(proxies);
  const faults = planned.faults.map(({ fault }) => fault);
  const args = [...planned.command.args, ...faults.flatMap((fault) => fault.args ?? [])];
  const watchdogs = faults.reduce((sum, fault) => sum + (fault.watchdogs ?? 0), 0);
  const [proxy] = proxies;
  if (proxy === undefined) throw new Error("no server has a proxy");
  const result = await runOver(course, args, longestMs + longestWatchdogMs * watchdogs);
  await redis.finish().catch(noteIn(course));
  for (const one of proxies) await one.stop().catch(noteIn(course));
  return { result, replies: proxy.replies() };
}

/**
 * The same, and notes whose files had been removed before: that Redis forgot them is no fault of
 * the run.
 */
function notingForgotten(fault: Fault, { sessions, directory, forgotten }: SweptCourse): Fault {
  if (fault.kind !== "act") return fault;
  return {
    ...fault,
    act: async () => {
      await fault.act();
      for (const session of missingSessions(sessions, directory)) forgotten.add(session);
    },
  };
}

/**
 * Runs the binary, held to what is true of every run. `undefined`, and noted, where it was not or
 * did not end.
 */
function runOver(
  course: SweptCourse,
  args: readonly string[],
  timeLimitMs: number,
): Promise<ObservedResult | undefined> {
  const { directory, planned, redis } = course;
  const settings = ["--session-dir", directory, ...redis.flags, "--json", "--verbose"];
  return run([...args, ...settings], {
    environment: { TELE_SESSION_REDIS_PASSWORD: SweptRedis.password },
    timeLimitMs,
    nodeArgs: planned.nodeArgs ?? [],
  }).catch(noteIn(course));
}

function noteIn({ problems }: SweptCourse): (error: unknown) => undefined {
  return (error) => {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  };
}
