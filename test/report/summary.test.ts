import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FailureReason } from "../../src/model/outcome.js";
import type { Report, ReportedFailure } from "../../src/report/schema/report-schema.js";
import { summaryText } from "../../src/report/summary.js";
import { textStyle } from "../../src/report/text-style.js";
import { sampleReport } from "../support/sample-report.js";

const failures: readonly ReportedFailure[] = Array.from({ length: 100 }, (_, index) => ({
  session: `${String(index).padStart(6, "0")}…`,
  file: `/srv/s/werkzeug_${String(index).padStart(6, "0")}….sess`,
  reason: "corrupt",
  detail: "truncated at byte 3",
}));

function summary(
  report: Report,
  reasons: readonly (readonly [FailureReason, number])[] = [],
  reportPath: string | null = null,
): string {
  const summarised = { command: "copy", report, reasons: new Map(reasons), reportPath } as const;
  return summaryText(summarised, textStyle(false));
}

describe("summary: what a run came to", () => {
  it("nothing to do says where it looked", () =>
    assert.equal(summary(sampleReport()), "Nothing to do: no session file in /srv/sessions."));

  it("all copied is one headline and one line", () => {
    const report = sampleReport({
      sessions: { found: 2000, copied: 2000 },
      bytes: { read: 1, written: 2048 },
      sessionsPerSecond: 4000,
    });
    const [head, ...lines] = summary(report).split("\n");
    assert.equal(
      head,
      "Done: 2,000 of 2,000 sessions copied to Redis at localhost:6379/0 (2.0 KiB) in 0.5 s, 4,000/s.",
    );
    assert.deepEqual(lines, ["      2,000  copied      written with their lifetime"]);
  });

  it("a dry run never says that it wrote", () => {
    const text = summary(sampleReport({ dryRun: true, sessions: { found: 2, copied: 2 } }));
    assert.match(
      text,
      /^Dry run: 2 of 2 sessions would be copied .* Nothing was changed\.\n.* would be written/,
    );
    assert.doesNotMatch(text, /Done/);
  });

  const ends: readonly (readonly [outcome: Report["outcome"], word: string])[] = [
    ["interrupted", "STOPPED before the end:"],
    ["partial", "NOT ALL done:"],
    ["refused", "FAILED:"],
    ["failed", "FAILED:"],
  ];
  for (const [outcome, word] of ends) {
    it(`${outcome}: ${word}`, () => {
      for (const dryRun of [false, true])
        assert(
          summary(sampleReport({ outcome, dryRun, sessions: { found: 1, copied: 1 } })).startsWith(word),
        );
    });
  }

  it("every outcome that occurred has a line, and no other does", () => {
    const sessions = {
      found: 36,
      copied: 1,
      identical: 2,
      kept: 3,
      expired: 4,
      ended: 5,
      superseded: 6,
      vanished: 7,
      failed: 8,
    };
    const text = summary(
      sampleReport({ outcome: "partial", sessions: { ...sessions, unvisited: 9, lossy: 1 } }),
      [["corrupt", 8]],
    );
    for (const [kind, count] of Object.entries({ ...sessions, unvisited: 9 }))
      if (kind !== "found") assert.match(text, new RegExp(`^ +${count}  ${kind} `, "m"));
    assert.match(text, /1 session held values that JSON cannot hold exactly/);
    assert.doesNotMatch(
      summary(sampleReport({ sessions: { found: 1, copied: 1 } })),
      /failed|expired|unvisited|JSON/,
    );
  });

  it("failures: reasons, the first ten, and where to read the rest", () => {
    const report = sampleReport({
      outcome: "partial",
      sessions: { found: 1234, failed: 1234 },
      failures,
      failuresOmitted: 1134,
    });
    const text = summary(report, [
      ["corrupt", 1200],
      ["unsupported-type", 34],
    ]);
    assert.match(text, /by reason: corrupt 1,200, unsupported-type 34/);
    assert.equal(text.match(/truncated at byte 3/g)?.length, 10);
    assert.match(text, /and 1,224 more: --report FILE lists them all/);
    assert.match(summary(report, [], "/tmp/r.json"), /and 1,224 more: all are in \/tmp\/r\.json/);
  });

  it("ten failures are all listed", () => {
    const text = summary(
      sampleReport({
        outcome: "partial",
        sessions: { found: 10, failed: 10 },
        failures: failures.slice(0, 10),
      }),
    );
    assert.doesNotMatch(text, / more: /);
  });

  it("what a live server did during the copy: sessions copied again, and those still changing", () => {
    const sessions = { found: 9, copied: 9 };
    const [pass] = sampleReport({ sessions }).passes;
    assert(pass);
    const quiet = summary({ ...sampleReport({ sessions }), passes: [pass] });
    assert.doesNotMatch(quiet, /during|still/);
    const passes = [pass, { ...pass, found: 4 }, { ...pass, found: 2 }];
    const busy = summary({ ...sampleReport({ sessions }), passes, stillChanging: 1 });
    assert.match(busy, /^6 sessions saved during the copy and copied again\.$/m);
    assert.match(busy, /^1 session still changing at the end: copy again/m);
  });

  it("other names and empty files", () => {
    const source = { ...sampleReport().source, ignored: 3, empty: 1 };
    assert.match(summary(sampleReport({ source })), /3 other names ignored, 1 empty file left alone\.$/);
  });

  it("no colours unless they are wanted", () => {
    const report = sampleReport({
      outcome: "partial",
      sessions: { found: 1, failed: 1 },
      failures: failures.slice(0, 1),
    });
    assert.doesNotMatch(summary(report), /\u001b/);
  });
});
