import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../test/support/process/temporary-directory.js";
import { projectRoot } from "../test/support/project.js";
import { startRedis } from "../test/support/servers/redis-server.js";
import { type BenchCase, caseKinds } from "./bench-case.js";
import { type BenchOptions, readBenchOptions, usage } from "./bench-options.js";
import { compareBuilds } from "./compare-builds.js";
import { describeMachine, type Machine } from "./machine.js";
import { measureCase } from "./measure-case.js";
import { benchChart } from "./results/bench-chart.js";
import type { CaseResult } from "./results/bench-row.js";
import { benchTable, requirementsTable } from "./results/bench-table.js";
import { isReached, judge, type Requirement } from "./results/requirements.js";
import { provideRivals } from "./rivals/rival-programs.js";
import { SessionDirectories } from "./runs/session-directories.js";

/** Measures tele-sessions against its rivals or another build of it, on the same files and the same Redis. */
async function bench({ cases, rounds, minutes, json, svg, against }: BenchOptions): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const endMs = performance.now() + minutes * 60_000;
  const place = makeTemporaryDirectory();
  const programs = await provideRivals(place);
  const redis = await startRedis();
  try {
    const machine = await describeMachine(redis, programs);
    const directories = new SessionDirectories(place, programs);
    const shared = { redis, programs, directories, say, ...(rounds === undefined ? {} : { rounds }) };
    if (against !== undefined) {
      console.log(machineLine(machine));
      for (const one of cases) console.log(`\n${await compareBuilds(one, against, shared)}`);
      return;
    }
    const byCase = new Map<BenchCase, CaseResult>();
    // The quick ones first: what a case leaves of its share is the next ones'.
    const quickFirst = [...cases].sort((one, other) => weightOf(one) - weightOf(other));
    for (const [index, one] of quickFirst.entries()) {
      const weights = quickFirst.slice(index).map(weightOf);
      const share = weightOf(one) / weights.reduce((sum, weight) => sum + weight, 0);
      const deadlineMs = performance.now() + (endMs - performance.now()) * share;
      byCase.set(one, await measureCase(one, { ...shared, deadlineMs }));
    }
    const results = cases.flatMap((one) => byCase.get(one) ?? []);
    const requirements = judge(results);
    console.log(`${machineLine(machine)}\n\n${benchTable(results)}\n\n${requirementsTable(requirements)}`);
    if (json !== undefined) writeFileSync(json, toJson(machine, results, requirements));
    if (svg !== undefined) writeFileSync(svg, benchChart(results));
  } finally {
    await redis.stop();
    removeTemporaryDirectory(place);
  }
}

/** How long a case takes, against the others. */
function weightOf({ kind, sessions }: BenchCase): number {
  return caseKinds[kind].weight * Math.min(5, Math.max(0.2, sessions / 100_000));
}

function machineLine({ processors, processor, kernel, node, redis, python, redisPy }: Machine): string {
  const system = `${processors} processors (${processor}), Linux ${kernel}`;
  return `${system}, Node ${node}, Redis ${redis}, Python ${python}, redis-py ${redisPy}`;
}

function toJson(machine: Machine, cases: readonly CaseResult[], requirements: readonly Requirement[]): string {
  const { version }: { readonly version: string } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));
  const judged = requirements.map((requirement) => ({
    ...requirement,
    isReached: isReached(requirement, requirement.bound) ?? null,
    isAimReached: isReached(requirement, requirement.aim) ?? null,
  }));
  return `${JSON.stringify({ version, machine, cases, requirements: judged }, null, 1)}\n`;
}

let options: BenchOptions | undefined;
try {
  options = readBenchOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  process.exitCode = 2;
}
if (options !== undefined) await bench(options);
