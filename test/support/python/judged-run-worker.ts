import { parentPort, workerData } from "node:worker_threads";
import { compareWithPython, convertBytes } from "./compare-with-python.js";
import { type JudgedFile, judgedFiles } from "./judged-files.js";
import type { Discrepancy, JudgedPart } from "./judged-run.js";

const shown = 20;
const { part, done }: { part: JudgedPart; done: Int32Array } = workerData;

const comparisons = new Map<string, number>();
const refusedOnlyHere = new Map<string, number>();
const discrepancies: Discrepancy[] = [];
let slowest = { label: "", milliseconds: 0 };

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function keep(kind: string, file: JudgedFile, explanation: string): void {
  if (discrepancies.filter((one) => one.kind === kind).length >= shown) return;
  const { label, bytes } = file;
  discrepancies.push({
    kind,
    label,
    explanation: explanation.slice(0, 4000),
    file: bytes.toString("base64"),
  });
}

function judge(file: JudgedFile): void {
  const startedAt = performance.now();
  let conversion: ReturnType<typeof convertBytes>;
  try {
    conversion = convertBytes(file.bytes);
  } catch (error) {
    count(comparisons, "crashed");
    keep("crashed", file, error instanceof Error ? `${error.stack}` : String(error));
    return;
  }
  const milliseconds = performance.now() - startedAt;
  if (milliseconds > slowest.milliseconds) slowest = { label: file.label, milliseconds };
  const comparison = compareWithPython(file, conversion);
  count(comparisons, comparison.kind);
  if (comparison.kind === "refused only here") {
    count(refusedOnlyHere, withoutPlace(comparison.detail));
    keep(comparison.kind, file, comparison.detail);
  }
  if ("explanation" in comparison) keep(comparison.kind, file, comparison.explanation);
}

/** A detail without the byte or character where it showed, and without the warning of a planted name. */
function withoutPlace(detail: string): string {
  return detail.replace(/; names \S*: no server writes that; .*$/, "").replace(/ at (byte|character) \d+$/, "");
}

const files = judgedFiles(part.script, [
  "--seed",
  String(part.seed),
  "--start",
  String(part.start),
  "--count",
  String(part.count),
]);
let next = await files.next();
while (!next.done) {
  judge(next.value);
  Atomics.add(done, 0, 1);
  next = await files.next();
}

parentPort?.postMessage({
  files: Atomics.load(done, 0),
  comparisons: Object.fromEntries(comparisons),
  refusedOnlyHere: Object.fromEntries(refusedOnlyHere),
  counts: next.value,
  discrepancies,
  slowest,
});
