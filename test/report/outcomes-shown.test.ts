import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { outcomeKinds, outcomesOf, type SessionCommand } from "../../src/model/outcome.js";
import { placesIn } from "../../src/report/page/places.js";
import type { Report } from "../../src/report/schema/report-schema.js";
import { outcomeRows } from "../../src/report/summary/outcome-rows.js";
import { sampleReport } from "../support/reports/sample-report.js";

/** The report of a run of a command in which one session came to this, and no other. */
function reportOf(command: SessionCommand, kind: string): Report {
  const report = sampleReport({ failuresOmitted: kind === "failed" ? 1 : 0 });
  const sessions: Partial<Record<string, number>> = report.sessions;
  for (const one of outcomeKinds) delete sessions[one];
  for (const one of outcomesOf[command]) sessions[one] = one === kind ? 1 : 0;
  sessions["found"] = 1;
  return report;
}

const commands = Object.keys(outcomesOf) as SessionCommand[];
for (const command of commands) {
  describe(`${command}: every outcome is shown`, () => {
    for (const kind of outcomesOf[command]) {
      test(kind, () => {
        const report = reportOf(command, kind);
        assert.deepEqual(
          outcomeRows(command, report, false)
            .map(({ count }) => count)
            .filter((count) => count > 0),
          [1],
          "the summary has one row with this session",
        );
        assert.deepEqual(
          placesIn(report).map((place) => [place.kind, place.count]),
          [[kind, 1]],
          "the page has one place with this session",
        );
      });
    }
  });
}
