import assert from "node:assert/strict";
import { test } from "node:test";
import { documentedLimits } from "./support/python/documented-limits.js";
import type { Counts } from "./support/python/judged-files.js";
import { judgedRun } from "./support/python/judged-run.js";

/** `npm run fuzz` sets it. */
const wanted = Number(process.env["TELE_SESSIONS_FUZZ"] ?? 10_000);
const longestMs = 10_000;
const mostMemoryBytes = 512 * 1024 * 1024;
const shownDetails = 12;
const leastAccepted = 0.2;
const mostGivenUp = 0.0001;

/** The limit that a detail falls under; `undefined` for none. */
function limitOf(detail: string): string | undefined {
  return documentedLimits.find(({ details }) => details.test(detail))?.limit;
}

/** How often each limit was hit, and with which details. */
function limitsHit(refusedOnlyHere: Counts): string[] {
  const rows = new Map<string, { total: number; details: string[] }>();
  for (const [detail, count] of Object.entries(refusedOnlyHere)) {
    const limit = limitOf(detail) ?? "NO DOCUMENTED LIMIT.";
    const row = rows.get(limit) ?? { total: 0, details: [] };
    rows.set(limit, { total: row.total + count, details: [...row.details, `${detail} (${count})`] });
  }
  return [...rows].map(([limit, { total, details }]) => {
    const others = details.length > shownDetails ? `, and ${details.length - shownDetails} others` : "";
    return `refused only here ${total} times: ${limit} ${details.slice(0, shownDetails).join(", ")}${others}`;
  });
}

test("whatever happens to a session file: it is judged as in Python, or refused for a documented limit", async (t) => {
  const outcome = await judgedRun("fuzz_judge.py", wanted, 1);
  const { comparisons, refusedOnlyHere, discrepancies, slowest, peakMemoryBytes, counts } = outcome;
  const of = (kind: string): number => comparisons[kind] ?? 0;
  const acceptedByBoth = of("same entry") + of("expired");
  t.diagnostic(
    `${outcome.files} mutated files: ${acceptedByBoth} accepted by both, ` +
      `${of("refused by both") + of("other reason")} refused by both, ` +
      `${of("refused only here")} refused only here; slowest ${Math.round(slowest.milliseconds)} ms, ` +
      `peak ${Math.round(peakMemoryBytes / 1024 / 1024)} MB`,
  );
  for (const row of limitsHit(refusedOnlyHere)) t.diagnostic(row);

  assert.equal(outcome.files, wanted, "an outcome for each");
  for (const kind of ["crashed", "accepted only here", "other bytes", "other facts"])
    assert.deepEqual(
      discrepancies.filter((discrepancy) => discrepancy.kind === kind),
      [],
      `${kind}: ${of(kind)}`,
    );
  const undocumented = Object.keys(refusedOnlyHere).filter((detail) => limitOf(detail) === undefined);
  assert.deepEqual(undocumented, [], "refused only here, for no documented limit");
  assert.ok(acceptedByBoth >= wanted * leastAccepted, `${acceptedByBoth} accepted by both`);
  assert.ok((counts["judge gave up"] ?? 0) <= wanted * mostGivenUp, "Python judges in bounded time and memory");
  assert.ok(slowest.milliseconds < longestMs, `file ${slowest.label} took ${slowest.milliseconds} ms`);
  assert.ok(peakMemoryBytes < mostMemoryBytes, `peak memory ${peakMemoryBytes} bytes`);
});
