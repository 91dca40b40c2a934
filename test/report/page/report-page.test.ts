import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reportPage } from "../../../src/report/page/report-page.js";
import { eventfulReport, wholeId } from "../../support/reports/eventful-report.js";
import { sampleReport } from "../../support/reports/sample-report.js";

/** The ids of a page's sections, in order. */
function sectionsOf(page: string): string[] {
  return [...page.matchAll(/<section class="(\w+)/g)].map(([, name = ""]) => name);
}

/** A page without its numbers: what stands in tables, and the points of lines. */
function withoutNumbers(page: string): string {
  return page.replace(/<tbody>.*?<\/tbody>/gs, "").replace(/ d="[^"]*"/g, "");
}

describe("report-page: a large report in which much went wrong", () => {
  const page = reportPage(eventfulReport(100_000), "copy.json");

  it("has every section, in the order of operator.md", () => {
    assert.deepEqual(sectionsOf(page), [
      ...["verdict", "places", "throughput", "redis", "users", "lifetimes", "contents"],
      ...["findings", "settings"],
    ]);
  });

  it("is at most 100 KB besides its numbers", () => {
    assert.ok(withoutNumbers(page).length <= 100_000, `${withoutNumbers(page).length}`);
    assert.ok(page.length < 1_000_000, `${page.length}`);
  });

  it("lists 1,000 of 100,000 failures, the suspicious one first, and says where the rest is", () => {
    assert.match(page, /<h3>100,000 sessions failed<\/h3>/);
    assert.match(page, /99,000 more are not on this page: all are in copy\.json\./);
    const [first = ""] = /<tr class="suspicious">.*?<\/tr>/s.exec(page) ?? [];
    assert.match(first, /names posix\.system/);
    assert.ok(page.indexOf(first) < page.indexOf("at byte 0"));
  });

  it("names a remedy for each reason", () => {
    assert.match(page, /<th scope="row">too-large<\/th>\s<td class="number">[\d,]+<\/td><td>Raise --max-session-size/);
  });

  it("escapes paths, names and messages: no tag of theirs, no control character, no session id", () => {
    assert.deepEqual(page.match(/<(script|img|link rel="(?!icon)|iframe|object)/g), null);
    assert.doesNotMatch(page, /<[^>]*\son\w+=/);
    assert.doesNotMatch(page, /[\x00-\x09\x0b-\x1f\u202e]/);
    assert.ok(!page.includes(wholeId) && !page.includes(wholeId.slice(0, 8)));
    assert.ok(page.includes(`werkzeug_${wholeId.slice(0, 6)}….sess`));
  });

  it("every chart has a title, a description and its numbers", () => {
    const charts = page.match(/<svg role="img".*?<\/figure>/gs) ?? [];
    assert.ok(charts.length >= 8);
    for (const chart of charts) {
      const [, title = "", text = ""] = /aria-labelledby="(\S+) (\S+)"/.exec(chart) ?? [];
      assert.match(chart, new RegExp(`<title id="${title}">[^<]+</title><desc id="${text}">[^<]+</desc>`));
      assert.match(chart, /<details><summary>Numbers: [^<]+<\/summary>\s*<table>.*<td/s);
    }
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    assert.equal(new Set(ids).size, ids.length, "ids are unique");
  });

  it("says when Redis was away, and how often the run started over", () => {
    assert.match(page, /Redis was away for 10 s after 20 s\. The run started over once\./);
  });

  it("says that paths are shown", () => assert.match(page, /shows paths, database names and addresses/));
});

describe("report-page: reports that know less", () => {
  it("a run that reached no session has no line of its speed", () => {
    const samples = [0, 1].map((seconds) => ({ seconds, sessions: 0 }));
    const page = reportPage(sampleReport({ throughput: { samples, marks: [] } }), null);
    assert.ok(!sectionsOf(page).includes("throughput"));
  });

  it("a report of an older version: what it does not know is left out", () => {
    const page = reportPage(sampleReport({ startedAt: null, endedAt: null, host: null, user: null }), null);
    assert.deepEqual(sectionsOf(page), ["verdict", "findings", "settings"]);
    assert.doesNotMatch(page, /null|undefined|NaN|Infinity/);
  });

  const rows: readonly (readonly [name: string, change: Parameters<typeof sampleReport>[0], expected: RegExp])[] = [
    ["nothing found", {}, /<h2 id="verdict">Done: no session file was found\./],
    [
      "a copy without a fault",
      { listed: 5, sessions: { found: 5, copied: 5 } },
      /Done: all 5 session files are accounted for\./,
    ],
    [
      "a run that could not connect",
      {
        outcome: "failed",
        exitCode: 3,
        listed: null,
        errors: [{ code: "ECONNREFUSED", message: "no answer (ECONNREFUSED)", remedy: "Start Redis." }],
      },
      /Failed: the run ended before it reached a session file\..*no answer.*What to do: Start Redis\./s,
    ],
    [
      "a dry run",
      { dryRun: true, listed: 5, sessions: { found: 5, copied: 5 } },
      /Dry run: all 5.*Nothing was changed.*would be copied to Redis/s,
    ],
    [
      "a copy that was stopped",
      { exitCode: 130, outcome: "interrupted", listed: 9, sessions: { found: 5, copied: 5, unvisited: 4 } },
      /Stopped before the end: 9 session files in all\. 4 were not reached\./,
    ],
    [
      "a verification with differences",
      { command: "verify", exitCode: 4, outcome: "partial", sessions: { found: 3, equal: 1, missing: 2 } },
      /Not all: 2 of 3 session files are missing in Redis, or not as they should be\./,
    ],
    [
      "a purge that left files",
      { command: "purge", exitCode: 4, outcome: "partial", sessions: { found: 3, removed: 1, absent: 2 } },
      /Not all: 2 of 3 session files were not found in Redis\./,
    ],
    [
      "Redis tells nothing",
      {
        redis: {
          ...{ version: null, runId: null, role: null, persistence: null, memoryBefore: null },
          ...{ memoryAfter: null, memoryLimit: null, evicted: null },
        },
      },
      /Redis does not say how much memory it uses/,
    ],
    [
      "Redis has no limit",
      {
        redis: {
          ...{ version: "8", runId: null, role: "master", persistence: true, memoryBefore: 1024 },
          ...{ memoryAfter: 2048, memoryLimit: 0, evicted: 0 },
        },
      },
      /It has no limit of its own/,
    ],
    [
      "Redis went away for good",
      {
        throughput: {
          samples: [
            { seconds: 0, sessions: 0 },
            { seconds: 9, sessions: 10 },
          ],
          marks: [{ seconds: 4, kind: "redis-away" }],
        },
        seconds: 9,
      },
      /Redis was away for 5\.0 s after 4\.0 s\. It did not come back\./,
    ],
  ];
  for (const [name, change, expected] of rows) {
    it(name, () => {
      const page = reportPage(sampleReport(change), null);
      assert.match(page, expected);
      assert.doesNotMatch(page, /undefined|NaN|Infinity/);
    });
  }
});
