import { join } from "node:path";
import { binary } from "../test/support/process/command.js";
import { makeTemporaryDirectory } from "../test/support/process/temporary-directory.js";
import { type BenchCase, caseKinds } from "./bench-case.js";
import type { MeasureOptions } from "./measure-case.js";
import { benchTable } from "./results/bench-table.js";
import { rowOf } from "./results/row-of-runs.js";
import { spreadOf } from "./results/spread.js";
import { Arena, type ContestantRun } from "./runs/arena.js";

/** Verify needs what copy leaves, so both runs of a build stay together. */
const commands = ["copy", "verify"] as const;
const usualRounds = 5;

/** What one build took, round by round. */
interface Build {
  readonly title: string;
  readonly arena: Arena;
  readonly runs: Readonly<Record<(typeof commands)[number], ContestantRun[]>>;
}

/**
 * Measures this build and the one in `against` on the same files, by turns, each second round backwards.
 * Returns a table of both and what this build takes of the other's time, processor and memory.
 */
export async function compareBuilds(
  { kind: name, sessions }: BenchCase,
  against: string,
  { redis, programs, directories, say, rounds = usualRounds }: Omit<MeasureOptions, "deadlineMs">,
): Promise<string> {
  const kind = caseKinds[name];
  const files = await directories.get(sessions, kind.layout, kind.format);
  await directories.waitUntilOld();
  const surroundings = await kind.open(redis, programs);
  const shared = { redis, programs, surroundings, format: kind.format, home: makeTemporaryDirectory() };
  const build = (title: string, program: string): Build => ({
    title,
    arena: new Arena({ ...shared, binary: program }),
    runs: { copy: [], verify: [] },
  });
  const ours = build("this build", binary);
  const other = build(against, join(against, "bin", "tele-sessions.js"));
  try {
    // The first round warms up both builds and is not counted.
    for (let round = 0; round <= rounds; round++) {
      for (const { title, arena, runs } of round % 2 === 0 ? [other, ours] : [ours, other]) {
        for (const command of commands) {
          const run = await arena.run(command, files);
          if (round > 0) runs[command].push(run);
          say(`round ${round} of ${rounds}: ${command} of ${sessions} took ${run.seconds.toFixed(2)} s, ${title}`);
        }
      }
    }
  } finally {
    await surroundings.close();
  }
  const rows = commands.flatMap((command) =>
    [ours, other].map(({ title, runs }) => ({
      ...rowOf(command, { sessions, measuredOn: sessions, works: runs[command], starts: [] }),
      title: `${command}, ${title}`,
    })),
  );
  return [
    benchTable([{ kind: name, title: kind.title, sessions, how: surroundings.how, rows }]),
    "",
    ...commands.map((command) => `${command}: ${ratios(ours.runs[command], other.runs[command])}`),
  ].join("\n");
}

/** The other build is 1. Each ratio is the median of the rounds, with its range. */
function ratios(ours: readonly ContestantRun[], others: readonly ContestantRun[]): string {
  const quantities = { time: "seconds", processor: "processorSeconds", "peak memory": "peakBytes" } as const;
  return Object.entries(quantities)
    .map(([title, what]) => {
      const ofRounds = ours.map((run, round) => run[what] / (others[round]?.[what] ?? Number.NaN));
      const { median, least, most } = spreadOf(ofRounds);
      return `${title} x ${median.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`;
    })
    .join(", ");
}
