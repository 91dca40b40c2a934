import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { projectRoot } from "../test/support/project.js";
import { type BenchCase, type CaseKindName, caseKindNames } from "./bench-case.js";

export interface BenchOptions {
  readonly cases: readonly BenchCase[];
  /** Rounds of every case, where not each its own. */
  readonly rounds?: number;
  readonly minutes: number;
  /** Where the numbers and the picture go; absent: nowhere. */
  readonly json?: string;
  readonly svg?: string;
  /** A checkout whose build is compared with this one; absent: the rivals are measured. */
  readonly against?: string;
}

export const usage = `npm run bench -- [--full] [--only <case>]... [--size <sessions>]... [--rounds <n>]
  [--json <file>] [--svg <file>] [--against <directory of another build>]
cases: ${caseKindNames.join(", ")}. A run of all writes docs/bench.json and docs/bench.svg;
a part of it only what --json and --svg name.`;

/** A run and its builds are over within ten minutes, a full one within an hour. */
const minutes = 8.5;
const minutesOfFull = 54;
const sizes = [20_000, 100_000];
const sizeOfFull = 1_000_000;

/** The sizes are those of the base; what differs from it is measured at the largest of them up to here. */
const largestOfOthers = 100_000;

/** Reads the command line. Throws an Error where it does not understand. */
export function readBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      full: { type: "boolean", default: false },
      only: { type: "string", multiple: true, default: [] },
      size: { type: "string", multiple: true, default: [] },
      rounds: { type: "string" },
      json: { type: "string" },
      svg: { type: "string" },
      against: { type: "string" },
    },
  });
  const { full, size, rounds, json, svg, against } = values;
  const only = values.only.length === 0 && against !== undefined ? ["warm"] : values.only;
  for (const name of only) {
    if (!caseKindNames.some((kind) => kind === name)) throw new Error(`There is no case ${name}.`);
  }
  const ofAll = full ? [...sizes, sizeOfFull] : sizes;
  const chosen = size.length === 0 ? ofAll : size.map(wholeNumber).sort((a, b) => a - b);
  const isWhole = only.length === 0 && size.length === 0 && rounds === undefined;
  const jsonFile = json ?? (isWhole ? join(projectRoot, "docs", "bench.json") : undefined);
  const svgFile = svg ?? (isWhole ? join(projectRoot, "docs", "bench.svg") : undefined);
  return {
    cases: caseKindNames
      .filter((kind) => only.length === 0 || only.includes(kind))
      .flatMap((kind) => casesOf(kind, chosen)),
    minutes: full ? minutesOfFull : minutes,
    ...(rounds === undefined ? {} : { rounds: wholeNumber(rounds) }),
    ...(jsonFile === undefined ? {} : { json: jsonFile }),
    ...(svgFile === undefined ? {} : { svg: svgFile }),
    ...(against === undefined ? {} : { against: resolve(against) }),
  };
}

function casesOf(kind: CaseKindName, chosen: readonly number[]): BenchCase[] {
  if (kind === "warm") return chosen.map((sessions) => ({ kind, sessions }));
  const fitting = chosen.filter((sessions) => sessions <= largestOfOthers);
  return [{ kind, sessions: Math.max(...(fitting.length === 0 ? chosen : fitting)) }];
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new Error(`${text} is no whole number of 1 or more.`);
  return Number(text);
}
