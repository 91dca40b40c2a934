import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { readBenchOptions } from "../bench/bench-options.js";
import type { BenchRow, CaseResult } from "../bench/results/bench-row.js";
import { isReached, judge, type Requirement } from "../bench/results/requirements.js";
import { floorOf, rowOf } from "../bench/results/row-of-runs.js";
import { spreadOf } from "../bench/results/spread.js";
import { makeTemporaryDirectory } from "./support/process/temporary-directory.js";
import { projectRoot } from "./support/project.js";

const sessions = 300;

test("a small benchmark: every contestant brings every session to Redis, and has its row and bar", async () => {
  const place = makeTemporaryDirectory();
  const [jsonFile, svgFile] = [join(place, "bench.json"), join(place, "bench.svg")];
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[join(projectRoot, "build", "bench", "bench.js"), "--only", "warm", "--size", String(sessions)],
    ...["--rounds", "1", "--json", jsonFile, "--svg", svgFile],
  ]);

  const numbers: {
    readonly cases: readonly CaseResult[];
    readonly requirements: readonly Requirement[];
  } = JSON.parse(readFileSync(jsonFile, "utf8"));
  const [result] = numbers.cases;
  assert.equal(numbers.cases.length, 1);
  assert.deepEqual(
    result?.rows.map(({ contestant }) => contestant),
    ["server", "script", "pipe", "reader", "floor", "dry-run", "copy", "verify", "purge", "copy-one", "copy-four"],
  );
  const svg = readFileSync(svgFile, "utf8");
  for (const row of result?.rows ?? []) {
    const { title, measuredOn, seconds, processorSeconds, peakBytes } = row;
    const figures = [...Object.values(seconds), processorSeconds, peakBytes];
    for (const figure of figures) assert(Number.isFinite(figure) && figure > 0, `${title}: ${figures}`);
    assert.equal(row.sessions, sessions);
    assert.equal(measuredOn, sessions);
    assert.equal(row.entries, /^(reader|dry-run)$/.test(row.contestant) ? 0 : sessions, title);
    const rate = Math.round(sessions / seconds.median).toLocaleString("en-US");
    assert(
      stdout.split("\n").some((line) => line.startsWith(`  ${title} `) && line.includes(` ${rate} `)),
      `${title}, ${rate}/s, in:\n${stdout}`,
    );
    assert(svg.includes(`${rate}/s</text>`), `${title}, ${rate}/s, in:\n${svg}`);
  }
  assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
  assert.doesNotMatch(stdout, /NaN|Infinity|undefined/);
  const copied = numbers.requirements.find(({ title }) => title === "copy, as fast as the server's way");
  assert(copied?.measured !== undefined && copied.measured > 0);
});

test("two builds side by side: a row for each command of each, and the ratios", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[join(projectRoot, "build", "bench", "bench.js"), "--against", projectRoot],
    ...["--size", "100", "--rounds", "1"],
  ]);
  for (const command of ["copy", "verify"]) {
    for (const build of ["this build", projectRoot]) {
      assert(stdout.includes(`\n  ${command}, ${build} `), stdout);
    }
    const ratio = String.raw`x \d+\.\d{3} \(\d+\.\d{3} to \d+\.\d{3}\)`;
    assert.match(stdout, new RegExp(`^${command}: time ${ratio}, processor ${ratio}, peak memory ${ratio}$`, "m"));
  }
});

describe("what a run is to show", () => {
  const rowIn = (contestant: BenchRow["contestant"], size: number, median: number, megabytes = 100): BenchRow => ({
    contestant,
    title: contestant,
    sessions: size,
    measuredOn: size,
    entries: size,
    rounds: 1,
    seconds: { median, least: median, most: median },
    processorSeconds: median,
    peakBytes: megabytes * 1e6,
  });
  const caseOf = (kind: CaseResult["kind"], size: number, rows: readonly BenchRow[]): CaseResult => ({
    kind,
    title: kind,
    sessions: size,
    how: "",
    rows,
  });
  const judged = judge([
    caseOf("warm", 20_000, [rowIn("server", 20_000, 99), rowIn("copy", 20_000, 1)]),
    caseOf("warm", 100_000, [
      rowIn("server", 100_000, 20),
      rowIn("floor", 100_000, 0.5),
      rowIn("copy", 100_000, 1, 100),
      rowIn("verify", 100_000, 2),
    ]),
    caseOf("warm", 1_000_000, [rowIn("copy", 1_000_000, 11, 190)]),
    caseOf("cluster", 100_000, [rowIn("copy", 100_000, 1.2)]),
  ]);
  const rows: readonly (readonly [title: string, measured: number | undefined, reached: boolean | undefined])[] = [
    ["copy, as fast as the server's way", 20, true],
    ["copy, time of the floor", 2, true],
    ["copy, as fast as the pipelined script", undefined, undefined],
    ["verify, as fast as copy", 0.5, false],
    ["copy of 20,000, as fast as the server's way", 99, true],
    ["a Cluster: time of the same on one server", 1.2, undefined],
    ["copy of 1,000,000, peak memory", 190, false],
    ["copy of 1,000,000, time per session of 100,000", 1.1, false],
  ];
  for (const [title, measured, reached] of rows) {
    test(`${title}: ${measured}`, () => {
      const requirement = judged.find((one) => one.title === title);
      assert(requirement !== undefined);
      assert.equal(requirement.measured?.toFixed(6), measured?.toFixed(6));
      assert.equal(isReached(requirement, requirement.bound), reached);
    });
  }
});

describe("figures", () => {
  const taken = (seconds: number) => ({
    seconds,
    processorSeconds: seconds / 2,
    peakBytes: 1000 * seconds,
    stdout: "",
    entries: 0,
  });

  test("the median of an even number is between the two in the middle", () => {
    assert.deepEqual(spreadOf([4, 1, 3, 2]), { median: 2.5, least: 1, most: 4 });
  });

  test("what is scaled grows with the sessions, its start does not", () => {
    const works = [taken(3), taken(5), taken(4)];
    const row = rowOf("server", { sessions: 1000, measuredOn: 100, works, starts: [taken(1), taken(1)] });
    assert.deepEqual(row.seconds, { median: 31, least: 21, most: 41 });
    assert.equal(row.processorSeconds, 15.5);
    assert.equal(row.peakBytes, 5000);
  });

  test("the floor is the sum of two in each round", () => {
    const runs = (...seconds: number[]) => ({
      sessions: 10,
      measuredOn: 10,
      works: seconds.map(taken),
      starts: [],
    });
    const { seconds, peakBytes } = floorOf(runs(1, 2, 3), runs(30, 10, 20));
    assert.deepEqual(seconds, { median: 23, least: 12, most: 31 });
    assert.equal(peakBytes, 30_000);
  });
});

test("a full run measures the base at a million too, and what differs from it at a hundred thousand", () => {
  const sizesOf = (args: readonly string[]) => {
    const sizes: Record<string, number[]> = {};
    for (const one of readBenchOptions(args).cases) {
      sizes[one.kind] = [...(sizes[one.kind] ?? []), one.sessions];
    }
    return sizes;
  };
  const names = ["node24", "scattered", "json", "redis", "files", "cold", "cluster", "sentinel"];
  const others = Object.fromEntries(names.map((name) => [name, [1e5]]));
  assert.deepEqual(sizesOf([]), { warm: [2e4, 1e5], ...others });
  assert.deepEqual(sizesOf(["--full"]), { warm: [2e4, 1e5, 1e6], ...others });
  assert.deepEqual(sizesOf(["--only", "cold", "--size", "20"]), { cold: [20] });
  assert.throws(() => readBenchOptions(["--only", "hot"]), /no case hot/);
  const compared = readBenchOptions(["--against", "/other"]);
  assert.deepEqual(compared, { ...readBenchOptions(["--only", "warm"]), against: "/other" });
});
