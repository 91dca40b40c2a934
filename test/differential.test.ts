import assert from "node:assert/strict";
import { test } from "node:test";
import { type JudgedOutcome, judgedRun } from "./support/python/judged-run.js";
import { sessionFeatures, writtenOpcodes } from "./support/sessions/session-features.js";

/** `npm run test:differential` sets it. */
const wanted = Number(process.env["TELE_SESSIONS_DIFFERENTIAL"] ?? 2_000);
const isLong = wanted >= 100_000;
/** How often each opcode and each feature must occur. */
const leastOften = isLong ? 100 : 1;

function describeRun(outcome: JudgedOutcome): string {
  const { files, comparisons, slowest, peakMemoryBytes } = outcome;
  const kinds = Object.entries(comparisons).map(([kind, count]) => `${kind} ${count}`);
  const memory = Math.round(peakMemoryBytes / 1024 / 1024);
  return `${files} sessions: ${kinds.join(", ")}; slowest ${Math.round(slowest.milliseconds)} ms, peak ${memory} MB`;
}

test("every random session becomes the bytes that Python writes, or is refused for Python's reason", async (t) => {
  const outcome = await judgedRun("random_sessions.py", wanted, 1);
  const { counts, comparisons, discrepancies } = outcome;
  t.diagnostic(describeRun(outcome));
  const often = (names: readonly string[]): string => names.map((name) => `${name} ${counts[name] ?? 0}`).join(", ");
  const opcodes = writtenOpcodes.map((name) => `opcode ${name}`);
  if (isLong) {
    t.diagnostic(often(opcodes).replaceAll("opcode ", ""));
    for (const [row, names] of Object.entries(sessionFeatures)) t.diagnostic(`${row}: ${often(names)}`);
  }
  assert.deepEqual(discrepancies, []);
  assert.equal(outcome.files, wanted);
  assert.equal((comparisons["same entry"] ?? 0) + (comparisons["refused by both"] ?? 0), wanted);
  const features = Object.values(sessionFeatures).flat();
  const rare = [...opcodes, ...features].filter((name) => (counts[name] ?? 0) < leastOften);
  assert.deepEqual(rare, [], `these must occur ${leastOften} times`);
  const unlisted = Object.keys(counts).filter((name) => !features.includes(name) && !opcodes.includes(name));
  assert.deepEqual(unlisted, [], "these occur but are not listed");
});
