import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { Conversion } from "../../src/convert/convert-session.js";
import { type Copy, copySessions, doubtText, untilKept } from "../../src/migrate/copy-sessions.js";
import { type LaneParts, runLane } from "../../src/migrate/lanes/lane.js";
import { laneResult } from "../../src/migrate/lanes/lane-result.js";
import type { Settlement } from "../../src/migrate/lanes/settle-entries.js";
import type { Written } from "../../src/model/entry.js";
import { RedisError, RedisForgotError, SourceError } from "../../src/model/errors.js";
import type { Survey } from "../../src/model/mark.js";
import { type FailureReason, failureReasons, outcomesOf } from "../../src/model/outcome.js";
import type { ServerWorks } from "../../src/model/report.js";
import { forgetPass, newRunRecord } from "../../src/model/run-record.js";
import type { ScanTally, SessionFile } from "../../src/model/session-file.js";
import type { Reading } from "../../src/source/read-session-file.js";
import { factsOf, markAt, surveyOf } from "./survey-of.js";

const startMs = Date.UTC(2026, 0, 10);
const fileOf = (sid: string): SessionFile => ({ directory: "/d", name: `n-${sid}`, layout: "flat", sid });
const whole: Reading = {
  kind: "read",
  read: { bytes: Buffer.from("12345"), mtimeMs: 1, openedAtMs: 2 },
  stamp: { dev: 1, ino: 1, size: 5, mtimeMs: 1, ctimeMs: 1 },
};
const entryOf = (value: string): Conversion => ({
  kind: "entry",
  format: "json",
  entry: { key: "k", value, expiresAtMs: 9 },
  fullLifetimeMs: 3000,
  lifetimeOrigin: "authenticated",
  facts: { authenticated: true, lossy: false },
});

/** What becomes of a session in a pass, or how its file reads; `copied` where a plan says nothing. */
type Fate = Settlement["kind"] | FailureReason | "in doubt" | "vanished" | "empty";

/** One pass: the sessions whose files it is to take, and what becomes of them. */
type PassPlan = Readonly<Record<string, Fate>>;

/** A copy by a plan: the main pass, then what each later one finds changed. `events` has every step in its order. */
function copyOf(plans: readonly PassPlan[], change: Partial<Copy> = {}) {
  const controller = new AbortController();
  const events: string[] = [];
  const warnings: string[] = [];
  const record = newRunRecord(outcomesOf.copy);
  const written: Pick<Written, "file" | "pass" | "bytes">[] = [];
  /** Whose files are found gone behind the last pass. */
  const ended = new Set<string>();
  let pass = 0;
  const fateOf = (sid: string): Fate => plans[pass]?.[sid] ?? "copied";
  const settlementOf = (sid: string): Settlement => {
    const fate = fateOf(sid);
    if (fate === "redis-error" || fate === "wrong-redis-type")
      return { kind: "failed", reason: fate, detail: "why" };
    if (fate === "in doubt") return { kind: "kept", inDoubt: true };
    const kind = (["copied", "identical", "kept", "expired", "ended", "deferred"] as const).find(
      (each) => each === fate,
    );
    return kind === undefined ? assert.fail(`${fate} is not settled`) : { kind };
  };
  const laneParts: LaneParts = {
    read: ({ sid }) => {
      const fate = fateOf(sid);
      if (fate === "vanished" || fate === "empty") return { kind: fate };
      if (fate === "unreadable" || fate === "changed-repeatedly")
        return { kind: "failed", reason: fate, detail: "why" };
      return whole;
    },
    ahead: async () => undefined,
    isSuperseded: () => false,
    judge: () => ({}),
    noteSettled: () => undefined,
    deleteOver: async () => undefined,
    convert: (_, sid) => {
      const fate = fateOf(sid);
      const reason = failureReasons.find((each) => each === fate);
      if (reason === undefined || reason === "redis-error" || reason === "wrong-redis-type")
        return entryOf(sid);
      return { kind: "failed", format: "json", reason, detail: "why" };
    },
    settle: async (candidates) => candidates.map(({ entry }) => settlementOf(entry.value)),
    timesLost: () => 0,
    takeBackGone: async (entries) => {
      for (const { file, candidate } of entries)
        written.push({
          ...{ file, pass, timesLost: 0, expiresAtMs: 9, digest: "00".repeat(20) },
          bytes: candidate.entry.value.length,
        });
      return new Set<SessionFile>();
    },
  };
  const copy: Copy = {
    record,
    scan: function* () {
      events.push(`scan ${pass}`);
      yield Object.keys(plans[0] ?? {}).map(fileOf);
    },
    lanes: {
      begin: async (startedMs, survey) => {
        events.push(`begin ${startedMs - startMs} ${survey.serverWorks}`);
        written.length = 0;
        pass = 0;
      },
      learn: async ({ serverWorks }) => void events.push(`learn ${serverWorks}`),
      beginPass: async () => void pass++,
      changedOf: async (batch) => batch.filter(({ sid }) => sid in (plans[pass] ?? {})),
      work: async (batch) => laneResult(batch.length, await runLane(batch, laneParts), false),
      takeBackEnded: async () =>
        written.flatMap(({ file, pass: number, bytes }) => {
          events.push(`look for ${file.sid} ${number}`);
          return ended.has(file.sid) ? [{ pass: number, count: 1, bytes }] : [];
        }),
    },
    survey: async () => {
      events.push("survey");
      return surveyOf();
    },
    marks: {
      noteStart: async () => void events.push("note start"),
      leave: async (startedMs, renewed) =>
        void events.push(`leave mark ${startedMs - startMs}${renewed ? ", renewed" : ""}`),
    },
    retract: async () => void events.push("retract"),
    warn: (message, { evenIfQuiet = false } = {}) =>
      warnings.push(evenIfQuiet ? `even if quiet: ${message}` : message),
    maxEnded: 20,
    beginWatch: async () => void events.push("begin watch"),
    endWatch: async () => {
      events.push("end watch");
      return false;
    },
    dryRun: false,
    tooManyFailed: () => false,
    pass: { batchesInFlight: 2, pace: async () => undefined, stop: controller.signal },
    onOutcome: () => undefined,
    onFailure: () => undefined,
    ...change,
  };
  const attempts = {
    onBeginAgain: () => {
      events.push("begin again");
      forgetPass(record, {});
    },
    warn: (message: string) => warnings.push(message),
    stop: controller.signal,
  };
  const stop = () => controller.abort();
  return { copy, attempts, record, events, warnings, ended, stop };
}

type Made = ReturnType<typeof copyOf>;

/** The counts of a pass that are not 0. */
function countsOf({ counts }: Made["record"]["ledger"]): Record<string, number> {
  const { found, outcomes } = counts;
  assert.equal(
    found,
    Object.values(outcomes).reduce((sum, count) => sum + count, 0),
    "found is the sum of the outcomes (spec.md section 5)",
  );
  return Object.fromEntries(Object.entries(outcomes).filter(([, count]) => count > 0));
}

const markOf = ({ events }: Made): string | undefined => events.find((event) => event.startsWith("leave"));

/** Runs it on a clock that the scan of the main pass moves on by a second. */
async function runOnClock(t: TestContext, made: Made): Promise<void> {
  t.mock.timers.enable({ apis: ["Date"], now: startMs });
  const { scan } = made.copy;
  await copySessions({
    ...made.copy,
    scan: function* (tally: ScanTally) {
      t.mock.timers.tick(1000);
      yield* scan(tally);
    },
  });
}

describe("copy-sessions: a complete run leaves the start of its main pass (spec.md section 4, Logouts)", () => {
  it("the survey and the watch come before the first file, the mark after everything else", async (t) => {
    const made = copyOf([{ a: "copied" }]);
    t.mock.timers.enable({ apis: ["Date"], now: startMs });
    await copySessions(made.copy);
    assert.deepEqual(made.events, [
      ...["begin watch", "survey", "begin 0 unknown", "note start", "scan 0", "learn unknown", "scan 1"],
      ...["look for a 0", "end watch", "leave mark 0"],
    ]);
  });

  it("its instant is the start of the main pass, before the first file, however long the passes take", async (t) => {
    const made = copyOf([{ a: "copied" }, { a: "copied" }]);
    await runOnClock(t, made);
    assert.equal(markOf(made), "leave mark 0");
    assert.equal(Date.now(), startMs + 3000);
  });

  it("a survey that took long: the pass begins after it", async (t) => {
    const survey = async () => {
      t.mock.timers.tick(500);
      return surveyOf();
    };
    const made = copyOf([{ a: "copied" }], { survey });
    await runOnClock(t, made);
    assert.equal(markOf(made), "leave mark 500");
  });

  const whole: readonly (readonly [name: string, plans: readonly PassPlan[]])[] = [
    ["nothing found", [{}]],
    ["every outcome but a failure", [{ a: "copied", b: "identical", c: "kept", d: "expired", e: "ended" }]],
    ["files that are gone or empty", [{ a: "vanished", b: "empty" }]],
    ["changed while it ran", [{ a: "copied" }, { a: "copied" }]],
    ["still changing", [{ a: "copied" }, { a: "copied" }, { a: "copied" }, { a: "copied" }]],
    ["corrupt: no run could write it", [{ a: "corrupt", b: "copied" }]],
    ["circular: no run could write it", [{ a: "circular" }]],
    ["not a session: no run could write it", [{ a: "not-a-session" }]],
    ["too deep: no run could write it", [{ a: "copied" }, { a: "too-deep" }]],
  ];
  for (const [name, plans] of whole) {
    it(`left: ${name}`, async () => {
      const made = copyOf(plans);
      await copySessions(made.copy);
      assert(markOf(made) !== undefined);
      assert.equal(made.record.partial, false);
    });
  }

  const writable = failureReasons.filter(
    (reason) => !["corrupt", "not-a-session", "circular", "too-deep"].includes(reason),
  );
  for (const reason of writable) {
    it(`none where a session failed that another run could write: ${reason}`, async () => {
      const made = copyOf([{ a: reason, b: "copied" }]);
      await copySessions(made.copy);
      assert.deepEqual([markOf(made), countsOf(made.record.ledger)], [undefined, { copied: 1, failed: 1 }]);
    });

    it(`none where it failed in a later pass: ${reason}`, async () => {
      const made = copyOf([{ a: "copied" }, { a: reason }]);
      await copySessions(made.copy);
      assert.equal(markOf(made), undefined);
    });
  }

  it("none where more sessions failed than is allowed", async () => {
    const made = copyOf([{ a: "corrupt" }], { tooManyFailed: () => true });
    await copySessions(made.copy);
    assert.equal(markOf(made), undefined);
  });

  it("none where keys were evicted, and the run is partial", async () => {
    const made = copyOf([{ a: "copied" }], { endWatch: async () => true });
    await copySessions(made.copy);
    assert.deepEqual([markOf(made), made.record.partial], [undefined, true]);
  });

  for (const [name, at] of [
    ["main", 0],
    ["later", 1],
  ] as const) {
    it(`none where a folder could not be read in the ${name} pass`, async () => {
      const made = copyOf([{ a: "copied" }, { a: "copied" }]);
      const { scan } = made.copy;
      let scans = 0;
      await copySessions({
        ...made.copy,
        scan: function* (tally) {
          if (scans++ === at) tally.unreadable.push({ directory: "/d", message: "it cannot be read" });
          yield* scan(tally);
        },
      });
      assert.deepEqual(
        [markOf(made), made.record.tally.unreadable],
        [undefined, [{ directory: "/d", message: "it cannot be read" }]],
      );
    });

    it(`none where it was stopped in the ${name} pass; nothing more is begun`, async () => {
      const made = copyOf([{ a: "copied" }, { a: "copied" }, { a: "copied" }]);
      const { scan } = made.copy;
      let scans = 0;
      await copySessions({
        ...made.copy,
        scan: function* (tally) {
          if (scans++ === at) made.stop();
          yield* scan(tally);
        },
      });
      assert.deepEqual(
        made.events.filter((event) => /^(scan|look|leave)/.test(event)),
        Array.from({ length: at + 1 }, (_, index) => `scan ${index}`),
      );
    });
  }

  it("none where it is stopped behind the passes", async () => {
    const made = copyOf([{ a: "copied" }]);
    await copySessions({
      ...made.copy,
      endWatch: async () => {
        made.stop();
        return false;
      },
    });
    assert.equal(markOf(made), undefined);
  });

  it("none of a dry run, which has no later pass either", async () => {
    const made = copyOf([{ a: "copied" }, { a: "copied" }], { dryRun: true });
    await copySessions(made.copy);
    assert.deepEqual(
      made.events.filter((event) => /^(note|scan|look|end|leave)/.test(event)),
      ["scan 0"],
    );
  });

  it("none where a conflict is in doubt, and a warning that --quiet does not hide says so", async () => {
    const made = copyOf([{ a: "in doubt", b: "copied" }]);
    await copySessions(made.copy);
    assert.deepEqual([markOf(made), countsOf(made.record.ledger)], [undefined, { copied: 1, kept: 1 }]);
    assert.deepEqual(made.warnings, [`even if quiet: ${doubtText(1)}`]);
  });

  it("none where a conflict of a later pass is in doubt", async () => {
    const made = copyOf([{ a: "copied" }, { a: "in doubt" }]);
    await copySessions(made.copy);
    assert.equal(markOf(made), undefined);
  });

  const ends: readonly (readonly [name: string, change: (made: Made) => Partial<Copy>])[] = [
    [
      "Redis is lost in a pass",
      ({ copy }) => ({
        lanes: {
          ...copy.lanes,
          work: async (batch) =>
            laneResult(batch.length, { outcomes: [], error: new RedisError("unavailable", "lost") }, false),
        },
      }),
    ],
    [
      "the directory goes",
      () => ({
        scan: () => {
          throw new SourceError("gone");
        },
      }),
    ],
    [
      "Redis may have forgotten, as the end of the watch finds",
      () => ({
        endWatch: async () => {
          throw new RedisForgotError();
        },
      }),
    ],
  ];
  for (const [name, change] of ends) {
    it(`none where ${name}: that is thrown`, async () => {
      const made = copyOf([{ a: "copied" }]);
      await assert.rejects(
        copySessions({ ...made.copy, ...change(made) }),
        (error) =>
          error instanceof RedisError || error instanceof SourceError || error instanceof RedisForgotError,
      );
      assert.equal(markOf(made), undefined);
    });
  }
});

describe("copy-sessions: what a complete run renewed, retracts and doubts (Marks, Logouts between two copies)", () => {
  const mark = markAt(Date.now() - 3_600_000);
  const withMark = (serverWorks: ServerWorks) => ({
    ...surveyOf({ keys: serverWorks === "redis" ? "server-saved" : "none", serverWorks }),
    directories: [factsOf({ mark, serverWorks, latestMtimeMs: Date.now() })],
  });
  const stepsOf = ({ events }: Made) => events.filter((event) => /^(retract|leave)/.test(event));

  const rows: readonly (readonly [name: string, survey: Survey, steps: readonly RegExp[]])[] = [
    ["no mark: nothing is retracted", surveyOf(), [/^leave mark \S+$/]],
    ["no mark, and on files: renewed", surveyOf({ serverWorks: "files" }), [/^leave mark \S+ renewed$/]],
    [
      "a mark: keys without a file are looked for, before the mark",
      withMark("files"),
      [/^retract$/, /, renewed$/],
    ],
    ["a mark, and on Redis: not renewed", withMark("redis"), [/^retract$/, /^leave mark \S+$/]],
  ];
  for (const [name, survey, steps] of rows) {
    it(name, async () => {
      const made = copyOf([{ a: "copied" }], { survey: async () => survey });
      await copySessions(made.copy);
      const done = stepsOf(made);
      assert.equal(done.length, steps.length, done.join());
      for (const [index, step] of steps.entries()) assert.match(done[index] ?? "", step);
    });
  }

  it("where the server works is learned too late to renew lifetimes, and in time to retract", async () => {
    const before = { ...withMark("files"), serverWorks: "unknown" as const };
    const retracted: ServerWorks[] = [];
    const made = copyOf([{ a: "copied" }], {
      survey: async () => before,
      retract: async ({ serverWorks }) => void retracted.push(serverWorks),
    });
    await copySessions(made.copy);
    assert.deepEqual(retracted, ["files"]);
    assert.equal(made.record.serverWorks, "files");
    assert.match(markOf(made) ?? "", /^leave mark \S+$/);
  });

  it("a dry run with a mark counts what it would retract, and leaves nothing", async () => {
    const made = copyOf([{ a: "copied" }], { survey: async () => withMark("files"), dryRun: true });
    await copySessions(made.copy);
    assert.deepEqual(stepsOf(made), ["retract"]);
  });

  const incomplete: readonly (readonly [name: string, plans: readonly PassPlan[], change: Partial<Copy>])[] =
    [
      ["a session failed", [{ a: "redis-error" }], {}],
      ["keys were evicted", [{ a: "copied" }], { endWatch: async () => true }],
      ["too many failed", [{ a: "corrupt" }], { tooManyFailed: () => true }],
      ["a conflict is in doubt", [{ a: "in doubt" }], {}],
    ];
  for (const [name, plans, change] of incomplete) {
    it(`nothing is retracted where ${name}`, async () => {
      const made = copyOf(plans, { survey: async () => withMark("files"), ...change });
      await copySessions(made.copy);
      assert.deepEqual(stepsOf(made), []);
    });
  }

  it("deferred sessions are settled once the whole directory was seen, and count once", async () => {
    let learned = false;
    const plan: Record<string, Fate> = { a: "deferred", b: "copied" };
    const made = copyOf([plan]);
    const { lanes } = made.copy;
    const learn: Copy["lanes"]["learn"] = async (survey) => {
      await lanes.learn(survey);
      learned = true;
      plan["a"] = "ended";
    };
    await copySessions({ ...made.copy, lanes: { ...lanes, learn } });
    assert(learned);
    assert.deepEqual(countsOf(made.record.ledger), { copied: 1, ended: 1 });
    assert.equal(made.record.ledger.unvisited, 0);
  });

  const ends: readonly (readonly [
    name: string,
    startedMsAgo: number,
    serverWorks: ServerWorks,
    ended: number,
    partial: boolean,
    warning: RegExp | undefined,
  ])[] = [
    ["4 of 10 are too few to say", 3_600_000, "unknown", 4, false, undefined],
    [
      "5 of 10, an hour after the copy: lost",
      3_600_000,
      "unknown",
      5,
      true,
      /^even if quiet: 5 of 10 .*deleted or lost/,
    ],
    [
      "5 of 10, 4 hours after: doubtful",
      4 * 3_600_000,
      "unknown",
      5,
      false,
      /^even if quiet: 5 of 10 .*may have been deleted/,
    ],
    ["5 of 10 on Redis: they logged out", 3_600_000, "redis", 5, false, undefined],
  ];
  for (const [name, agoMs, serverWorks, ended, partial, warning] of ends) {
    it(`${name}${partial ? ": exit 4, no mark and nothing retracted" : ""}`, async () => {
      const survey: Survey = {
        ...surveyOf({ keys: serverWorks === "redis" ? "server-saved" : "unknown", serverWorks }),
        directories: [factsOf({ mark: markAt(Date.now() - agoMs), serverWorks })],
      };
      const made = copyOf([{ a: "copied" }], { survey: async () => survey });
      const seen = [{ directory: "/d", latestMtimeMs: 0, covered: 10, ended }];
      const { lanes } = made.copy;
      const work: Copy["lanes"]["work"] = async (batch) => ({ ...(await lanes.work(batch)), seen });
      await copySessions({ ...made.copy, lanes: { ...lanes, work } });
      assert.equal(made.record.partial, partial);
      assert.equal(stepsOf(made).length, partial ? 0 : 2);
      if (warning === undefined) assert.deepEqual(made.warnings, []);
      else assert.match(made.warnings.join("|"), warning);
    });
  }
});

describe("copy-sessions: passes over what changed, until one finds nothing or three are done (A live server)", () => {
  const rows: readonly (readonly [
    name: string,
    plans: readonly PassPlan[],
    later: readonly Readonly<Record<string, number>>[],
    stillChanging: number,
  ])[] = [
    ["nothing changed: no row", [{ a: "copied" }], [], 0],
    ["changed once", [{ a: "copied", b: "copied" }, { a: "copied" }], [{ copied: 1 }], 0],
    [
      "found again as it was: a row, and no further pass",
      [{ a: "copied" }, { a: "identical" }, { a: "copied" }],
      [{ identical: 1 }],
      0,
    ],
    [
      "changed in every pass: three rows, and so many still change",
      [
        { a: "copied", b: "copied" },
        { a: "copied" },
        { b: "kept" },
        { a: "copied", b: "copied" },
        { a: "copied" },
      ],
      [{ copied: 1 }, { kept: 1 }, { copied: 2 }],
      2,
    ],
    [
      "the third pass finds all as it was",
      [{ a: "copied" }, { a: "copied" }, { a: "copied" }, { a: "identical" }],
      [{ copied: 1 }, { copied: 1 }, { identical: 1 }],
      0,
    ],
    ["a file that is empty by now is no session", [{ a: "copied" }, { a: "empty" }], [], 0],
    ["a failure of a later pass has its row", [{ a: "copied" }, { a: "redis-error" }], [{ failed: 1 }], 0],
  ];
  for (const [name, plans, later, stillChanging] of rows) {
    it(name, async () => {
      const made = copyOf(plans);
      await copySessions(made.copy);
      assert.deepEqual(made.record.laterPasses.map(countsOf), later);
      assert.equal(made.record.stillChanging, stillChanging);
      assert.equal(made.record.ledger.counts.found, Object.keys(plans[0] ?? {}).length);
    });
  }

  it("a pass that ends early has its row all the same", async () => {
    const made = copyOf([
      { a: "copied", b: "copied" },
      { a: "copied", b: "copied" },
    ]);
    const { scan } = made.copy;
    let scans = 0;
    const broken: Copy["scan"] = function* (tally) {
      yield* scan(tally);
      if (++scans === 2) throw new SourceError("gone");
    };
    await assert.rejects(copySessions({ ...made.copy, scan: broken }), SourceError);
    assert.deepEqual(made.record.laterPasses.map(countsOf), [{ copied: 2 }]);
  });
});

describe("copy-sessions: a session that ends after its write is vanished, in the row of that pass (Logouts)", () => {
  it("main pass and later passes", async () => {
    const made = copyOf([
      { a: "copied", b: "copied", c: "identical" },
      { b: "identical", c: "copied" },
      { c: "copied" },
    ]);
    made.ended.add("a").add("c");
    await copySessions(made.copy);
    assert.deepEqual(countsOf(made.record.ledger), { copied: 1, vanished: 1, identical: 1 });
    assert.deepEqual(made.record.laterPasses.map(countsOf), [{ identical: 1, vanished: 1 }, { vanished: 1 }]);
    assert.equal(made.record.ledger.counts.bytesWritten, 1);
    assert(markOf(made) !== undefined);
  });

  it("one that was written twice and taken back once, in the pass whose write stood", async () => {
    const made = copyOf([{ a: "copied" }, { a: "copied" }]);
    const takeBackEnded = async () => [{ pass: 1, count: 1, bytes: 1 }];
    await copySessions({ ...made.copy, lanes: { ...made.copy.lanes, takeBackEnded } });
    assert.deepEqual(countsOf(made.record.ledger), { copied: 1 });
    assert.deepEqual(made.record.laterPasses.map(countsOf), [{ vanished: 1 }]);
  });

  it("they are looked for behind the last pass, before the end of the watch", async () => {
    const made = copyOf([{ a: "copied" }, { a: "copied" }]);
    await copySessions(made.copy);
    assert.deepEqual(
      made.events.filter((event) => /^(scan|look|end)/.test(event)),
      ["scan 0", "scan 1", "scan 2", "look for a 0", "look for a 1", "end watch"],
    );
  });
});

describe("copy-sessions: the main pass begins again, the third time is the end (Redis that forgot)", () => {
  it("the survey, the watch, the note and what was written are made anew at each beginning", async () => {
    const made = copyOf([{ a: "copied" }]);
    const { endWatch } = made.copy;
    let times = 0;
    await untilKept(made.attempts, () =>
      copySessions({
        ...made.copy,
        endWatch: async () => {
          if (++times < 3) throw new RedisForgotError();
          return endWatch();
        },
      }),
    );
    const beginning = ["begin watch", "survey", "begin", "note start"];
    assert.deepEqual(
      made.events
        .filter((event) => !/^(scan|look|learn|leave)/.test(event))
        .map((event) => event.replace(/^(begin) \d+.*$/, "$1")),
      [...beginning, "begin again", ...beginning, "begin again", ...beginning, "end watch"],
    );
    assert.equal(made.events.filter((event) => event.startsWith("leave mark")).length, 1);
    assert.deepEqual(countsOf(made.record.ledger), { copied: 1 });
    assert.deepEqual(made.record.laterPasses, []);
    assert.equal(made.warnings.length, 2);
  });

  it("the mark is that of the beginning that came through", async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: startMs });
    const made = copyOf([{ a: "copied" }]);
    let times = 0;
    await untilKept(made.attempts, () =>
      copySessions({
        ...made.copy,
        endWatch: async () => {
          t.mock.timers.tick(1000);
          if (++times === 1) throw new RedisForgotError();
          return false;
        },
      }),
    );
    assert.equal(markOf(made), "leave mark 1000");
  });

  const rows: readonly (readonly [
    name: string,
    errors: readonly Error[],
    tries: number,
    rejection: object | undefined,
  ])[] = [
    ["never: once", [], 1, undefined],
    ["once: again", [new RedisForgotError()], 2, undefined],
    ["twice: again", [new RedisForgotError(), new RedisForgotError()], 3, undefined],
    [
      "three times: RedisError",
      [new RedisForgotError(), new RedisForgotError(), new RedisForgotError()],
      3,
      { name: "RedisError", kind: "unavailable" },
    ],
    ["another error is thrown as it is", [new SourceError("gone")], 1, { name: "SourceError" }],
    [
      "another error at the second time",
      [new RedisForgotError(), new RedisError("refused", "no")],
      2,
      { name: "RedisError", kind: "refused" },
    ],
  ];
  for (const [name, errors, expected, rejection] of rows) {
    it(name, async () => {
      let tries = 0;
      let begunAgain = 0;
      const warnings: string[] = [];
      const working = untilKept(
        {
          warn: (message) => warnings.push(message),
          onBeginAgain: () => begunAgain++,
          stop: new AbortController().signal,
        },
        async () => {
          const error = errors[tries++];
          if (error !== undefined) throw error;
        },
      );
      if (rejection === undefined) await working;
      else await assert.rejects(working, rejection);
      assert.deepEqual([tries, begunAgain, warnings.length], [expected, expected - 1, expected - 1]);
    });
  }

  it("no pass begins again once the run is to stop", async () => {
    const controller = new AbortController();
    let tries = 0;
    const working = untilKept(
      { warn: () => undefined, onBeginAgain: () => assert.fail("not to be called"), stop: controller.signal },
      async () => {
        tries++;
        controller.abort();
        throw new RedisForgotError();
      },
    );
    await assert.rejects(working, { name: "RedisError", kind: "unavailable" });
    assert.equal(tries, 1);
  });
});
