import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionCommand } from "../../../src/model/outcome.js";
import type { RedisFacts } from "../../../src/model/redis-facts.js";
import type { Report, ReportedFailure } from "../../../src/report/schema/report-schema.js";
import { type Summary, summaryText } from "../../../src/report/summary/summary.js";
import { textStyle } from "../../../src/report/text-style.js";
import { sampleReport } from "../../support/reports/sample-report.js";

const failures: readonly ReportedFailure[] = Array.from({ length: 100 }, (_, index) => ({
  session: `${String(index).padStart(6, "0")}…`,
  file: `/srv/sessions/werkzeug_${String(index).padStart(6, "0")}….sess`,
  reason: "corrupt",
  detail: "truncated at byte 3",
}));

const facts: RedisFacts = {
  version: "7.0.15",
  runId: null,
  role: "master",
  persistence: null,
  memoryBefore: 1,
  memoryAfter: 918 * 2 ** 20,
  memoryLimit: 1.5 * 2 ** 30,
  evicted: 0,
};

/** What people see of a report at 80 columns, without colours. */
function textOf(
  report: Report,
  change: Partial<Summary> & {
    readonly columns?: number;
    readonly colored?: boolean;
    readonly redis?: Report["redis"];
    readonly byReason?: Partial<Report["byReason"]>;
  } = {},
): string {
  const { columns = 80, colored = false, redis = null, byReason = {}, ...parts } = change;
  const summary: Summary = {
    command: "copy",
    report: { ...report, redis, byReason: { ...report.byReason, ...byReason } },
    reportPath: null,
    purges: false,
    memoryNeeded: null,
    notes: [],
    ...parts,
  };
  return summaryText(summary, columns, textStyle(colored));
}

/** A screen as a test writes it: without the first line break. */
function screen([text = ""]: TemplateStringsArray): string {
  return text.replace(/^\n/, "").replace(/ +$/, "");
}

describe("summary: the screens of operator.md", () => {
  it("a copy", () => {
    const report = sampleReport({
      source: { ...sampleReport().source, directories: ["/var/lib/tele/sessions"] },
      target: { ...sampleReport().target, redis: "redis-1:6379/0" },
      listed: 1_204_331,
      sessions: { found: 1_204_331, copied: 1_190_004, identical: 14_226, expired: 101, lossy: 9466 },
      seconds: 29.2,
      sessionsPerSecond: 41_244,
    });
    assert.equal(
      textOf(report, { redis: facts, reportPath: "copy.json" }),
      screen`
Done. All 1,204,331 sessions of /var/lib/tele/sessions are accounted for.

  in Redis      1,204,230   1,190,004 copied now, 14,226 already there
  expired             101   their lifetime was over; not copied

  to redis-1:6379/0 in 29.2 s, 41,244/s; Redis now uses 918 MiB of 1.5 GiB
  9,466 hold tuples or integer keys, stored as the applet stores them
  report: copy.json

`,
    );
  });

  it("a dry run says what would be, and that nothing was changed", () => {
    const report = sampleReport({
      dryRun: true,
      listed: 1_204_331,
      sessions: { found: 1_204_331, copied: 1_190_004, identical: 14_226, expired: 101 },
      seconds: 20.4,
      sessionsPerSecond: 60_000,
    });
    assert.equal(
      textOf(report, { redis: facts, memoryNeeded: 551 * 2 ** 20 }),
      screen`
Dry run: nothing was changed. All 1,204,331 sessions of /srv/sessions could be
copied.

  would be in Redis  1,204,230   1,190,004 to copy, 14,226 already there
  expired                  101   their lifetime is over

  about 551 MiB of Redis memory, 618 MiB free

`,
    );
    for (const [memoryLimit, ending] of [
      [0, "Redis memory; Redis has no memory limit"],
      [null, "Redis memory; Redis does not say how much is free"],
    ] as const) {
      const text = textOf(report, { redis: { ...facts, memoryLimit }, memoryNeeded: 551 * 2 ** 20 });
      assert.match(text, new RegExp(`^ {2}about 551 MiB of ${ending}$`, "m"));
    }
    assert.match(textOf(report), /^ {2}to localhost:6379\/0 in 20\.4 s, 60,000\/s$/m, "no estimate");
  });

  it("failures: first what is suspicious, then the others, ten at most", () => {
    const planted = {
      ...failures[0],
      session: "00fc73…",
      file: "/srv/sessions/00/00fc73…",
      reason: "unsupported-type",
      detail: "names posix.system: no server writes that; somebody may have planted it",
      suspicious: true,
    } as const;
    const report = sampleReport({
      outcome: "partial",
      exitCode: 1,
      listed: 1_204_331,
      sessions: { found: 1_204_331, copied: 1_190_004, identical: 14_186, expired: 101, failed: 40 },
      failures: [...failures.slice(0, 39), planted],
    });
    const byReason = { corrupt: 39, "unsupported-type": 1 };
    const text = textOf(report, { byReason, reportPath: "/tmp/copy.json" });
    assert.match(
      text,
      /^NOT ALL: 40 of 1,204,331 sessions are not in Redis; their owners must log in\nagain\.\n\n {2}in Redis/,
    );
    assert.match(text, / {2}FAILED {15}40 {3}corrupt 39, unsupported-type 1\n {6}sessions\/00\/00fc73… {2}unsupported/);
    assert.equal(text.match(/truncated at byte 3/g)?.length, 9);
    assert.match(text, /^ {6}30 more in \/tmp\/copy\.json; what to do: tele-sessions help outcomes$/m);
    assert.match(textOf(report), /30 more \(--report FILE lists them all\)/);
    const red = textOf(report, { colored: true });
    assert.match(red, /\x1b\[31m {6}sessions\/00\/00fc73…[^\x1b]*\x1b\[39m\n {6}sessions\/werkzeug_000000/);
  });

  for (const columns of [40, 80, 200]) {
    it(`${columns} columns: lines break between words, and keep their indent`, () => {
      const report = sampleReport({
        listed: 20,
        sessions: { found: 20, copied: 8, kept: 5, superseded: 7, lossy: 2 },
        stillChanging: 2,
      });
      const text = textOf(report, { columns, redis: facts });
      const words = (one: string) => one.split(/\s+/).sort();
      assert.deepEqual(
        text.split("\n").filter((line) => line.length > columns),
        [],
      );
      assert.deepEqual(words(text), words(textOf(report, { columns: 1000, redis: facts })));
      const below = text
        .split("\n")
        .slice(1)
        .filter((line) => line !== "");
      assert.deepEqual(
        below.filter((line) => !line.startsWith("  ") && columns > 40),
        [],
      );
    });
  }
});

describe("summary: the first sentence", () => {
  const whole = { found: 2000, copied: 1000, identical: 1000 };
  const rows: readonly (readonly [
    name: string,
    change: Parameters<typeof sampleReport>[0],
    sentence: RegExp,
    command?: SessionCommand,
    purges?: boolean,
  ])[] = [
    ["nothing found", {}, /^Nothing to do: no session file in \/srv\/sessions\.\n\n$/],
    [
      "a second copy",
      { listed: 2000, sessions: { found: 2000, identical: 2000 } },
      /^Done\. All 2,000 sessions .*\n\n {2}in Redis +2,000 {3}2,000 already there$/m,
    ],
    [
      "failures that are allowed",
      { listed: 3, sessions: { found: 3, copied: 2, failed: 1 }, failures: failures.slice(0, 1) },
      /^Done\. All but 1 of 3 sessions of/,
    ],
    [
      "stopped by Ctrl-C",
      {
        outcome: "interrupted",
        exitCode: 130,
        listed: 20_000,
        sessions: { found: 1625, copied: 1625, unvisited: 18_375 },
      },
      /^STOPPED: 1,625 of 20,000 sessions are in Redis; 18,375 were not reached\.$/m,
    ],
    [
      "stopped by --max-duration",
      { outcome: "partial", exitCode: 6, listed: 2, sessions: { found: 1, copied: 1, unvisited: 1 } },
      /^STOPPED: 1 of 2 sessions is in Redis; 1 was not reached\.$/m,
    ],
    [
      "Redis gone",
      {
        outcome: "failed",
        exitCode: 3,
        listed: 20_000,
        sessions: { found: 3968, copied: 3968, unvisited: 16_032 },
      },
      /^FAILED: 3,968 of 20,000 sessions are in Redis; 16,032 were not reached\.$/m,
    ],
    [
      "stopped before the directory was counted",
      { outcome: "interrupted", exitCode: 143, listed: null, sessions: { found: 5, copied: 5 } },
      /^STOPPED: 5 of 5 sessions are in Redis; how many were not reached is not known\.$/m,
    ],
    [
      "stopped while the directory was counted",
      {
        outcome: "interrupted",
        exitCode: 6,
        listed: null,
        sessions: { found: 0, copied: 0, unvisited: 9000 },
      },
      /^STOPPED: 0 of at least 9,000 sessions are in Redis; at least 9,000 were not\nreached\.$/m,
    ],
    [
      "a purge that was refused after its copy",
      { outcome: "partial", exitCode: 4, listed: 2000, sessions: { ...whole, purged: 0 } },
      /^NOT REMOVED: 2,000 of 2,000 sessions are in Redis; 0 of their files were\nremoved\.$/m,
      "copy",
      true,
    ],
    [
      "keys that were evicted",
      { outcome: "partial", exitCode: 4, listed: 2000, sessions: whole },
      /^NOT SAFE: 2,000 of 2,000 sessions are in Redis, but keys were evicted or lost/m,
    ],
    [
      "verify: all right",
      { listed: 2000, sessions: { found: 2000, equal: 1990, newer: 10 } },
      /^Done\. All 2,000 sessions of \/srv\/sessions are in localhost:6379\/0 as they should\nbe\.$/m,
      "verify",
    ],
    [
      "verify: one session",
      { listed: 1, sessions: { found: 1, equal: 1 } },
      /^Done\. The only session of \/srv\/sessions is in localhost:6379\/0 as it should be\.$/m,
      "verify",
    ],
    [
      "verify: none has to be there",
      { listed: 2, sessions: { found: 2, expired: 1, ended: 1 } },
      /^Done\. All 2 sessions of \/srv\/sessions are accounted for; none has to be in\nRedis\.$/m,
      "verify",
    ],
    [
      "export: all right",
      { command: "export", listed: 3, sessions: { found: 3, exported: 1, identical: 1, kept: 1 } },
      /^Done\. All 3 sessions in localhost:6379\/0 are in \/srv\/sessions, or accounted for\.$/m,
      "export",
    ],
    [
      "export: a dry run",
      { command: "export", dryRun: true, listed: 1, sessions: { found: 1, exported: 1 } },
      /^Dry run: nothing was changed\. The only session in localhost:6379\/0 could be\nexported\.$/m,
      "export",
    ],
    [
      "export: stopped",
      {
        ...{ command: "export", outcome: "interrupted", exitCode: 130, listed: 9 },
        sessions: { found: 4, exported: 4, unvisited: 5 },
      },
      /^STOPPED: 4 of 9 sessions are in files as they should be; 5 not reached\.$/m,
      "export",
    ],
    [
      "export: no key",
      { command: "export", listed: 0, sessions: { found: 0, exported: 0 } },
      /^Nothing to do: no session key in localhost:6379\/0\.$/m,
      "export",
    ],
    [
      "verify --reverse: differences",
      {
        ...{ command: "verify", outcome: "partial", exitCode: 4, listed: 4 },
        sessions: { found: 4, equal: 1, missing: 1, different: 1, "wrong-lifetime": 1 },
      },
      /^NOT ALL: 1 of 4 sessions is in files as they should be\.\n[\s\S]+MISSING +1 [\s\S]+WRONG LIFETIME +1 /m,
      "verify --reverse",
    ],
    [
      "verify: differences",
      {
        outcome: "partial",
        exitCode: 4,
        listed: 2000,
        sessions: { found: 2000, equal: 1979, missing: 10, different: 1, "wrong-lifetime": 10 },
      },
      /^NOT ALL: 21 of 2,000 sessions are not in Redis as they should be\.$/m,
      "verify",
    ],
    [
      "purge: all removed",
      { listed: 2, sessions: { found: 2, removed: 2 } },
      /^Done\. All 2 session files of \/srv\/sessions were removed\.$/m,
      "purge",
    ],
    [
      "purge: a dry run",
      { dryRun: true, listed: 2, sessions: { found: 2, removed: 2 } },
      /^Dry run: nothing was changed\. All 2 session files .* would be\nremoved\.\n\n {2}would be removed {10}2 /m,
      "purge",
    ],
    [
      "purge: files left",
      { outcome: "partial", exitCode: 4, listed: 20, sessions: { found: 20, removed: 11, denied: 9 } },
      /^NOT ALL: 11 of 20 session files were removed\.$/m,
      "purge",
    ],
  ];
  for (const [name, change, sentence, command = "copy", purges = false] of rows) {
    it(name, () => assert.match(textOf(sampleReport(change), { command, purges }), sentence));
  }
});

describe("summary: its rows", () => {
  it("every outcome that occurred is counted, and no other", () => {
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
    const report = sampleReport({
      outcome: "partial",
      exitCode: 1,
      listed: 45,
      sessions: { ...sessions, unvisited: 9, lossy: 1 },
      failures: failures.slice(0, 8),
    });
    const text = textOf(report, { byReason: { corrupt: 8 } });
    const rows = {
      "in Redis": 6,
      expired: 4,
      ended: 5,
      superseded: 6,
      vanished: 7,
      FAILED: 8,
      "not reached": 9,
    };
    for (const [label, count] of Object.entries(rows)) {
      assert.match(text, new RegExp(`^ {2}${label} +${count} {3}`, "m"));
    }
    assert.match(text, /1 copied now, 2 already there, 3 there with another\n +value, which is kept/);
    assert.match(text, /1 holds tuples or integer keys/);
    assert.doesNotMatch(
      textOf(sampleReport({ sessions: { found: 1, copied: 1 } })),
      /FAILED|expired|not reached|tuples/,
    );
  });

  it("differences stand below their row, with path, kind and detail, and the advice once", () => {
    const difference = {
      session: "3f9a12…",
      file: "/srv/sessions/werkzeug_3f9a12….sess",
      kind: "missing",
      detail: "Redis does not hold it",
    } as const;
    const report = sampleReport({
      outcome: "partial",
      exitCode: 4,
      sessions: { found: 30, equal: 10, missing: 20, expired: 0 },
      differences: Array.from({ length: 20 }, () => difference),
    });
    const text = textOf(report, { command: "verify" });
    assert.match(
      text,
      / {2}MISSING {14}20 {3}not in Redis\n {6}sessions\/werkzeug_3f9a12….sess {2}missing: Redis does not hold it\n/,
    );
    assert.match(text, /^ {6}10 more \(--report FILE lists them all\); what to do: tele-sessions help\n {6}outcomes$/m);
    assert.equal(text.match(/what to do/g)?.length, 1);
  });

  it("with several directories, paths are whole", () => {
    const source = { ...sampleReport().source, directories: ["/srv/sessions", "/srv/b"] };
    const text = textOf(
      sampleReport({
        source,
        outcome: "partial",
        sessions: { found: 1, failed: 1 },
        failures: failures.slice(0, 1),
      }),
    );
    assert.match(text, /^ {6}\/srv\/sessions\/werkzeug_000000….sess {2}corrupt/m);
  });

  it("what a live server did during the copy: sessions copied again, and those still changing", () => {
    const sessions = { found: 9, copied: 9 };
    const [pass] = sampleReport({ sessions }).passes;
    assert(pass);
    assert.doesNotMatch(textOf({ ...sampleReport({ sessions }), passes: [pass] }), /during|still/);
    const passes = [pass, { ...pass, found: 4 }, { ...pass, found: 2 }];
    const busy = textOf({ ...sampleReport({ sessions }), passes, stillChanging: 1 });
    assert.match(busy, /^ {2}6 were saved during the copy, and copied again$/m);
    assert.match(busy, /^ {2}1 was still changing at the end: copy again/m);
  });

  it("other names and empty files", () => {
    const source = { ...sampleReport().source, ignored: 3, empty: 1 };
    assert.match(textOf(sampleReport({ source })), /^ {2}3 other names ignored, 1 empty file left alone$/m);
  });

  it("no colours unless they are wanted", () => {
    const report = sampleReport({
      outcome: "partial",
      sessions: { found: 1, failed: 1 },
      failures: failures.slice(0, 1),
    });
    assert.doesNotMatch(textOf(report), /\u001b/);
    assert.match(textOf(report, { colored: true }), /^\u001b\[31m/);
  });
});
