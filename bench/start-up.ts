import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cleanEnvironment } from "../test/support/process/clean-environment.js";
import { binary } from "../test/support/process/command.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../test/support/process/temporary-directory.js";
import { askPython } from "../test/support/python/ask-python.js";
import { startRedis } from "../test/support/servers/redis-server.js";

/** Medians are of these; one round before them warms up and is not counted. */
const rounds = 21;

interface Start {
  readonly name: string;
  /** What stands behind `node`. */
  readonly args: readonly string[];
  readonly exitCode: number;
}

/** What one process took, milliseconds: by the clock, and of the processor, in the program and in the system for it. */
interface Taken {
  readonly clock: number;
  readonly processor: number;
}

/** `timed` runs a program to its end. Node does not tell what one of its children took of the processor. */
const timed = `
import os, time

NOWHERE = os.open(os.devnull, os.O_RDWR)

def timed(run):
    actions = [(os.POSIX_SPAWN_DUP2, NOWHERE, descriptor) for descriptor in range(3)]
    began = time.perf_counter()
    pid = os.posix_spawn(run["program"], [run["program"], *run["args"]], run["environment"], file_actions=actions)
    _, status, used = os.wait4(pid, 0)
    clock = time.perf_counter() - began
    return {
        "exitCode": os.waitstatus_to_exitcode(status),
        "clock": clock * 1000,
        "processor": (used.ru_utime + used.ru_stime) * 1000,
    }
`;

/** What starting takes, as whole processes and by turns, against a Node that does nothing. */
async function measureStartUp(): Promise<void> {
  const redis = await startRedis();
  const place = makeTemporaryDirectory();
  try {
    const sessions = join(place, "sessions");
    mkdirSync(sessions);
    const copy = [binary, "copy", "--session-dir", sessions, "--port", String(redis.port)];
    const starts: readonly Start[] = [
      { name: "node -e 0", args: ["-e", "0"], exitCode: 0 },
      { name: "--version", args: [binary, "--version"], exitCode: 0 },
      { name: "--help", args: [binary, "--help"], exitCode: 0 },
      { name: "an unknown option", args: [binary, "copy", "--fast"], exitCode: 2 },
      { name: "a value refused", args: [binary, "copy", "--port", "x"], exitCode: 2 },
      { name: "copy --dry-run, empty", args: [...copy, "--dry-run"], exitCode: 0 },
      { name: "copy, empty", args: copy, exitCode: 0 },
    ];
    // There and back, for the machine's speed drifts.
    const plan = Array.from({ length: rounds + 1 }, (_, round) =>
      round % 2 === 0 ? starts : [...starts].reverse(),
    ).flat();
    const taken = await run(plan, cleanEnvironment(place));
    const counted = (start: Start) =>
      plan.flatMap((planned, index) => (planned === start ? (taken[index] ?? []) : [])).slice(1);
    report(starts.map((start) => ({ name: start.name, taken: counted(start) })));
  } finally {
    await redis.stop();
    removeTemporaryDirectory(place);
  }
}

async function run(plan: readonly Start[], environment: Readonly<Record<string, string>>): Promise<Taken[]> {
  const runs = plan.map(({ args }) => ({ program: process.execPath, args, environment }));
  const answers = await askPython<Taken & { readonly exitCode: number }>("timed(item)", runs, timed);
  return answers.map((answer, index) => {
    const start = plan[index];
    if (answer === null || answer.exitCode !== start?.exitCode)
      throw new Error(`${start?.name} ended with ${answer?.exitCode}`);
    return answer;
  });
}

interface Row {
  readonly name: string;
  readonly taken: readonly Taken[];
}

const columns = (["clock", "processor"] as const).flatMap((kind) => [
  { title: `${kind}, median`, of: (taken: readonly Taken[]) => median(taken.map((one) => one[kind])) },
  { title: `${kind}, least`, of: (taken: readonly Taken[]) => Math.min(...taken.map((one) => one[kind])) },
]);

/** Milliseconds, and how often those of the first row go into them. */
function report(rows: readonly Row[]): void {
  const [base] = rows;
  if (base === undefined) return;
  console.log(`milliseconds of ${rounds} rounds (times those of ${base.name})`);
  console.log(
    line(
      "",
      columns.map(({ title }) => title),
    ),
  );
  for (const { name, taken } of rows) {
    const cells = columns.map(({ of }) => `${of(taken).toFixed(0)} (${(of(taken) / of(base.taken)).toFixed(2)})`);
    console.log(line(name, cells));
  }
}

function line(name: string, cells: readonly string[]): string {
  return name.padEnd(24) + cells.map((cell) => cell.padStart(20)).join("");
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

await measureStartUp();
