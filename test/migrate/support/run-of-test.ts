import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { parseCommandLine } from "../../../src/cli/command-line/parse-command-line.js";
import { openRun } from "../../../src/migrate/open-run.js";
import type { Run, RunOutput } from "../../../src/migrate/run-context.js";
import type { Ledger } from "../../../src/model/ledger.js";
import type { DirectoryMark } from "../../../src/model/mark.js";
import { outcomesOf } from "../../../src/model/outcome.js";
import { RunProgress } from "../../../src/model/progress/run-progress.js";
import { forgetPass, newRunRecord } from "../../../src/model/run-record.js";
import { listMarks } from "../../../src/redis/marks.js";
import { resolveRunOptions } from "../../../src/settings/resolve-options.js";
import { listSessions } from "../../../src/source/list-sessions.js";
import { memoryFiles } from "../../support/memory-files.js";
import type { RedisServer } from "../../support/servers/redis-server.js";

const sinks = { onFailure: () => undefined, onDifference: () => undefined };

/** Outcomes that are not 0. */
export type Counts = Readonly<Record<string, number>>;

/** A copy on a real Redis and a real session directory, before its first step. */
export interface RunOfTest {
  readonly run: Run;
  readonly directory: string;
  /** What it warned of; `lasting: ` stands before what `--quiet` does not hide. */
  readonly warnings: readonly string[];
  readonly stop: () => void;
}

/** Opens a copy with these flags; it is closed when the test ends. */
export async function openCopy(
  t: TestContext,
  { port }: Pick<RedisServer, "port">,
  directory: string,
  flags: readonly string[],
): Promise<RunOfTest> {
  const words = ["copy", "--session-dir", directory, "--port", String(port), ...flags];
  const invocation = parseCommandLine(words, "0", 100);
  assert(invocation.kind === "copy");
  const options = resolveRunOptions("copy", invocation.typed, { ...memoryFiles({}), environment: {} });
  const controller = new AbortController();
  const warnings: string[] = [];
  const record = newRunRecord(outcomesOf.copy, sinks);
  record.directories = [directory];
  const out: RunOutput = {
    ...sinks,
    progress: new RunProgress(record, options.run.dryRun),
    warn: (message, { evenIfQuiet = false } = {}) => warnings.push(evenIfQuiet ? `even if quiet: ${message}` : message),
    explain: () => undefined,
    onOutcome: () => undefined,
    onRestart: () => forgetPass(record, sinks),
    confirmPurge: async () => undefined,
  };
  const presence = options.run.dryRun ? undefined : ({ phase: "copying", hasCanary: true } as const);
  const stop = controller.signal;
  const listing = await listSessions([directory], options.source, stop);
  const { run, close } = await openRun({ options, record, listing, out, stop }, presence, []);
  t.after(close);
  return { run, directory, warnings, stop: () => controller.abort() };
}

/** Does something just before each call of some of an object's methods, which wait for it. */
export function beforeCalls(
  object: object,
  names: readonly string[],
  action: (name: string, args: readonly unknown[]) => unknown,
): void {
  for (const name of names) {
    const method: unknown = Reflect.get(object, name);
    if (typeof method !== "function") throw new Error(`there is no ${name}`);
    Reflect.set(object, name, (...args: unknown[]): unknown => {
      const proceed = () => Reflect.apply(method, object, args);
      const done = action(name, args);
      return done instanceof Promise ? done.then(proceed) : proceed();
    });
  }
}

/**
 * Does the first action after the main pass read its files and before it writes, the next one at
 * the same moment of the pass after it, and so on, if each pass creates keys in one batch.
 */
export function meanwhile({ run }: RunOfTest, ...actions: readonly (() => unknown)[]): void {
  const rest = actions.values();
  beforeCalls(run.redis.store, ["create", "createEncoded"], () => rest.next().value?.());
}

/** What complete runs left in Redis. */
export async function markOf({ run }: RunOfTest): Promise<DirectoryMark | undefined> {
  const marks = await run.redis.servers.serverOf("").connection.run(listMarks);
  return [...(marks?.values() ?? [])][0]?.complete?.[0]?.mark;
}

function countsOf({ counts: { found, outcomes } }: Ledger): Counts {
  const sum = Object.values(outcomes).reduce((all, count) => all + count, 0);
  assert.equal(found, sum, "found is the sum of the outcomes (spec.md section 5)");
  return Object.fromEntries(Object.entries(outcomes).filter(([, count]) => count > 0));
}

/** What became of the sessions in the main pass. */
export const mainOf = ({ run }: RunOfTest) => countsOf(run.record.ledger);
/** What became of them in each later pass. */
export const laterOf = ({ run }: RunOfTest) => run.record.laterPasses.map(countsOf);

/** What a run does, step by step. `complete` is the look at Redis and the files before it. */
export function stepsOf({ run: { redis: parts } }: RunOfTest): string[] {
  const steps: string[] = [];
  const note = (name: string, [argument]: readonly unknown[]) => {
    const renewed = name === "leave" && Object(argument).renewed === true;
    steps.push(renewed ? "leave, renewed" : name);
  };
  beforeCalls(parts.continuity, ["begin", "check"], note);
  beforeCalls(parts.marks, ["read", "complete", "noteStart", "whyNotRetract", "leave"], note);
  beforeCalls(parts.store, ["createEncoded", "retract"], note);
  return steps;
}
