import { makeTemporaryDirectory } from "../test/support/process/temporary-directory.js";
import type { RedisServer } from "../test/support/servers/redis-server.js";
import { type BenchCase, type CaseKind, caseKinds } from "./bench-case.js";
import type { BenchRow, CaseResult } from "./results/bench-row.js";
import { floorOf, type Runs, rowOf } from "./results/row-of-runs.js";
import type { RivalPrograms } from "./rivals/rival-programs.js";
import { Arena, type ContestantRun } from "./runs/arena.js";
import { type ContestantName, contestants } from "./runs/contestants.js";
import type { SessionDirectories, SessionDirectory } from "./runs/session-directories.js";
import { type Turns, takeTurns } from "./runs/take-turns.js";
import type { Surroundings } from "./surroundings/surroundings.js";

/** Who would take longer has warmed up on the sample alone. */
const longestWarmUpS = 3;

export interface MeasureOptions {
  readonly redis: RedisServer;
  readonly programs: RivalPrograms;
  readonly directories: SessionDirectories;
  /** Rounds, where it is not what the case says. */
  readonly rounds?: number;
  /** No round but the first begins that would not be over by then, on the clock of `performance.now`. */
  readonly deadlineMs: number;
  readonly say: (line: string) => void;
}

/**
 * Measures every contestant of a case: a trial on a sample of the sessions, which all must bring to
 * the same entries, a warm-up, and rounds in which they come by turns, each second one backwards.
 */
export async function measureCase({ kind: name, sessions }: BenchCase, options: MeasureOptions): Promise<CaseResult> {
  const kind: CaseKind = caseKinds[name];
  const { title } = kind;
  let surroundings: Surroundings;
  try {
    surroundings = await kind.open(options.redis, options.programs);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: name, title, sessions, how: `not possible here: ${why}`, rows: [] };
  }
  try {
    const runs = await runCase(kind, sessions, surroundings, options);
    return { kind: name, title, sessions, how: surroundings.how, rows: rowsOf(runs) };
  } finally {
    await surroundings.close();
  }
}

async function runCase(
  kind: CaseKind,
  sessions: number,
  surroundings: Surroundings,
  { redis, programs, directories, rounds = kind.rounds, deadlineMs, say }: MeasureOptions,
): Promise<ReadonlyMap<ContestantName, Runs>> {
  const { layout, format, contestants: order } = kind;
  const empty = await directories.get(0, layout, format);
  const sample = await directories.get(Math.min(sessions, kind.sample), layout, format);
  const all = await directories.get(sessions, layout, format);
  const home = makeTemporaryDirectory();
  const arena = new Arena({ redis, programs, surroundings, format, home });
  const turns = { arena, directories, order };

  const expected = await expectSeconds(turns, { all, sample, empty });
  await directories.waitUntilOld();
  const isSampled = (name: ContestantName) =>
    sample !== all && (expected.get(name) ?? 0) > kind.longestRunS[contestants[name].side];
  const filesOf = (name: ContestantName) => (isSampled(name) ? sample : all);

  if (sample !== all) {
    const isWarm = (name: ContestantName) => isSampled(name) || (expected.get(name) ?? 0) > longestWarmUpS;
    const giveFiles = (name: ContestantName) => (isWarm(name) ? undefined : all);
    await takeTurns({ ...turns, giveFiles, take: () => undefined });
  }

  const names = order.flat();
  const works = new Map<ContestantName, ContestantRun[]>(names.map((name) => [name, []]));
  const starts = new Map<ContestantName, ContestantRun[]>(names.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    const beganMs = performance.now();
    const byTurns = { ...turns, order: round % 2 === 0 ? [...order].reverse() : order };
    await takeTurns({
      ...byTurns,
      giveFiles: filesOf,
      take: (name, run) => void works.get(name)?.push(run),
    });
    await takeTurns({
      ...byTurns,
      giveFiles: (name) => (isSampled(name) ? empty : undefined),
      take: (name, run) => void starts.get(name)?.push(run),
    });
    const tookMs = performance.now() - beganMs;
    say(`${sessions} sessions, ${kind.title}: round ${round} of ${rounds} took ${(tookMs / 1000).toFixed(1)} s`);
    if (performance.now() + tookMs > deadlineMs) break;
  }

  const runsOf = (name: ContestantName): Runs => ({
    sessions,
    measuredOn: filesOf(name).sessions,
    works: works.get(name) ?? [],
    starts: starts.get(name) ?? [],
  });
  return new Map(names.map((name) => [name, runsOf(name)]));
}

interface CaseDirectories {
  readonly all: SessionDirectory;
  readonly sample: SessionDirectory;
  readonly empty: SessionDirectory;
}

/**
 * The trial: how long each contestant is going to take for all sessions, seconds, by what it takes
 * for the sample and for none. Throws where two of them leave different entries.
 */
async function expectSeconds(
  turns: Omit<Turns, "giveFiles" | "take">,
  { all, sample, empty }: CaseDirectories,
): Promise<ReadonlyMap<ContestantName, number>> {
  const trials = new Map<ContestantName, number>();
  let digest: string | undefined;
  await takeTurns({
    ...turns,
    giveFiles: () => sample,
    take: async (name, { seconds }) => {
      trials.set(name, seconds);
      if (contestants[name].leaves === "nothing") return;
      const left = await turns.arena.digest();
      digest ??= left;
      if (left !== digest) throw new Error(`${contestants[name].title}: other entries than before it`);
    },
  });
  if (sample === all) return trials;

  const expected = new Map<ContestantName, number>();
  await takeTurns({
    ...turns,
    giveFiles: () => empty,
    take: (name, { seconds }) => {
      const more = Math.max(0, (trials.get(name) ?? 0) - seconds);
      expected.set(name, seconds + (more * all.sessions) / sample.sessions);
    },
  });
  return expected;
}

/** The floor stands behind the two that it is made of. */
function rowsOf(runs: ReadonlyMap<ContestantName, Runs>): BenchRow[] {
  const pipe = runs.get("pipe");
  return [...runs].flatMap(([name, ofName]) => {
    const row = rowOf(name, ofName);
    return name === "reader" && pipe !== undefined ? [row, floorOf(pipe, ofName)] : [row];
  });
}
