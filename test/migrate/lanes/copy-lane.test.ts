import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { type CopyLaneParts, makeCopyLane } from "../../../src/migrate/lanes/copy-lane.js";
import type { Settlement } from "../../../src/migrate/lanes/settle-entries.js";
import type { Candidate } from "../../../src/model/entry.js";
import type { DirectoryFacts, Survey } from "../../../src/model/mark.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import type { Written } from "../../../src/model/written.js";
import { Looks } from "../../../src/source/looks.js";
import { ReadAhead } from "../../../src/source/read-ahead.js";
import { pathOf, RecentFiles } from "../../../src/source/recent-files.js";
import { SessionFolders } from "../../../src/source/session-folders.js";
import { makeTemporaryDirectory } from "../../support/temporary-directory.js";
import { expirations, factsOf, markAt, surveyOf } from "../survey-of.js";

const sid = "a".repeat(40);

/** Parts of a lane for which nothing happens: every file reads as corrupt, and nothing is written. */
const quiet: CopyLaneParts = {
  ahead: async () => undefined,
  read: () => ({ kind: "vanished" }),
  isSuperseded: () => false,
  look: async (files) => files.map(() => undefined),
  lookAt: () => undefined,
  hasVanished: () => true,
  convert: () => ({ kind: "failed", format: "json", reason: "corrupt", detail: "the session was read" }),
  settle: async () => [],
  deleteOver: async () => undefined,
  expirations,
  timesLost: () => 0,
  rememberFrom: (sinceMs) => new RecentFiles(sinceMs),
  isModifiedSince: () => true,
  runStartedMs: 0,
  again: false,
  written: () => undefined,
  note: () => undefined,
  exist: async (files) => files.map(() => true),
  digestOf: () => "",
  noneCanBeGone: () => true,
  takeBackGone: async () => new Set(),
  dryRun: false,
  tells: true,
  turn: async () => undefined,
  stop: new AbortController().signal,
  close: async () => undefined,
};

/**
 * A lane whose one session file a server saves beside it; `saves` come before or behind the lane's
 * looks, readings and checks.
 */
function makeGround(place: (path: string) => void, saves: Readonly<Record<string, (path: string) => void>>) {
  const directory = makeTemporaryDirectory();
  const file = { directory, name: `werkzeug_${sid}.sess`, layout: "flat", sid } as const;
  place(pathOf(file));
  const looks = new Looks();
  const files = new ReadAhead(1000);
  const folders = new SessionFolders([directory]);
  const steps: string[] = [];
  /** Does a step of the lane, and what the server does before and behind it. */
  const beside = <Result>(kind: string, step: () => Result): Result => {
    const name = `${kind} ${steps.filter((done) => done.startsWith(kind)).length + 1}`;
    steps.push(name);
    saves[`before ${name}`]?.(pathOf(file));
    const result = step();
    saves[`behind ${name}`]?.(pathOf(file));
    return result;
  };
  const startedMs = Date.now();
  const lane = makeCopyLane({
    ...quiet,
    read: (one) => beside("reading", () => files.read(one)),
    look: (batch) => beside("later look", () => looks.stampsOf(batch.map(pathOf))),
    lookAt: (one) => beside("look", () => looks.stampOf(pathOf(one))),
    hasVanished: (one) => beside("check", () => folders.hasVanished(one)),
    runStartedMs: startedMs,
  });
  /** What comes of the file in the main pass, and whether the pass behind it takes the file. */
  const run = async () => {
    await lane.begin({ startedMs, survey: surveyOf() });
    const { outcomes } = await lane.work([file]);
    await lane.beginPass({ pass: 1, startedMs: Date.now(), largestLeadMs: 0 });
    const taken = await lane.changedOf([file]);
    return { outcome: outcomes[0]?.failure?.detail ?? outcomes[0]?.kind, taken: taken.length === 1, steps };
  };
  return { run };
}

const places = {
  nothing: () => undefined,
  "an empty file": (path) => writeFileSync(path, ""),
  "a file that is too large": (path) => writeFileSync(path, "x".repeat(1001)),
} as const satisfies Readonly<Record<string, (path: string) => void>>;

/** As a server saves. */
function save(path: string): void {
  const written = join(dirname(path), "written.__wz_sess");
  writeFileSync(written, "{}");
  renameSync(written, path);
}

function fill(path: string): void {
  writeFileSync(path, "{}");
}

describe("a file that cannot be read, and is saved meanwhile, is taken then or in the pass behind", () => {
  for (const [what, place] of Object.entries(places)) {
    for (const [how, change] of Object.entries({ save, fill })) {
      test(`${what}: ${how} before it is looked at`, async () => {
        const { outcome, taken } = await makeGround(place, { "before look 1": change }).run();
        assert.deepEqual({ outcome, taken }, { outcome: "the session was read", taken: false });
      });

      test(`${what}: ${how} behind the look`, async () => {
        const { outcome, taken } = await makeGround(place, { "behind look 1": change }).run();
        assert.ok(outcome === "the session was read" || taken, outcome);
      });

      test(`${what}: ${how} behind the last reading`, async () => {
        const { outcome, taken } = await makeGround(place, { "behind reading 2": change }).run();
        assert.ok(outcome === "the session was read" || taken, outcome);
      });
    }
  }

  for (const [how, change] of Object.entries({ save, fill })) {
    test(`nothing: ${how} behind the check that it is gone`, async () => {
      const { outcome, taken } = await makeGround(() => undefined, { "behind check 1": change }).run();
      assert.deepEqual({ outcome, taken }, { outcome: "vanished", taken: true });
    });
  }

  for (const [what, place] of Object.entries({ ...places, "a folder": (path: string) => mkdirSync(path) })) {
    test(`${what} that stays as it is: no pass takes it again`, async () => {
      const { taken, steps } = await makeGround(place, {}).run();
      const readings = steps.filter((step) => !step.startsWith("check"));
      const expected = ["reading 1", "look 1", "reading 2", "later look 1"];
      assert.deepEqual({ taken, readings }, { taken: false, readings: expected });
    });
  }
});

/** As an unmount. */
function leave(path: string): void {
  renameSync(dirname(path), `${dirname(path)}-away`);
}

function comeBack(path: string): void {
  renameSync(`${dirname(path)}-away`, dirname(path));
}

describe("a session directory that is away for a while: none of its files counts as gone", () => {
  const read = "the session was read";
  const away = "its session directory was away";

  for (const back of ["behind reading 1", "behind look 1", "behind reading 2", "behind check 1"]) {
    test(`back ${back}: the file is read`, async () => {
      const changes = { "before reading 1": leave, [back]: comeBack };
      assert.equal((await makeGround(fill, changes).run()).outcome, read);
    });
  }

  test("away again for each reading: the file fails", async () => {
    const changes: Record<string, typeof leave> = {};
    for (const number of [1, 2, 3]) {
      changes[`before reading ${number}`] = leave;
      changes[`behind reading ${number}`] = comeBack;
    }
    assert.equal((await makeGround(fill, changes).run()).outcome, away);
  });

  test("it does not come back: the file fails, also where another directory is in its place", async () => {
    const swap = (path: string) => {
      leave(path);
      mkdirSync(dirname(path));
    };
    for (const change of [leave, swap]) {
      assert.equal((await makeGround(fill, { "before reading 1": change }).run()).outcome, away);
    }
  });

  test("back without the file: it vanished", async () => {
    const changes = {
      "before reading 1": leave,
      "behind reading 2": (path: string) => {
        comeBack(path);
        rmSync(path);
      },
    };
    assert.equal((await makeGround(fill, changes).run()).outcome, "vanished");
  });

  test("a file that is saved and away when a later pass looks for it is taken", async () => {
    for (const later of [{ "behind later look 1": comeBack }, {}]) {
      const changes = { "behind reading 1": save, "before later look 1": leave, ...later };
      const { outcome, taken } = await makeGround(fill, changes).run();
      assert.deepEqual({ outcome, taken }, { outcome: read, taken: true });
    }
  });

  test("a file that is gone when a later pass looks for it is not taken", async () => {
    const { taken } = await makeGround(fill, { "before later look 1": (path) => rmSync(path) }).run();
    assert.ok(!taken);
  });
});

const nowMs = Date.now();
const hour = 3_600_000;
const day = 24 * hour;
const fileAt = (mtimeMs: number, name: string = sid): SessionFile & { readonly mtimeMs: number } => ({
  ...{ directory: "/d", name: `werkzeug_${name}.sess`, layout: "flat", sid: name, mtimeMs },
});

/**
 * A lane over files of which only their times matter; each lives for the authenticated expiration,
 * and is settled so.
 */
function judgingLane(settlement: Settlement["kind"], change: Partial<CopyLaneParts> = {}) {
  const candidates: Candidate[] = [];
  const surveys: Survey[] = [];
  const mtimes = new Map<SessionFile, number>();
  const lane = makeCopyLane({
    ...quiet,
    read: (file) => {
      const mtimeMs = mtimes.get(file) ?? 0;
      return {
        kind: "read",
        read: { bytes: Buffer.from("{}"), mtimeMs, openedAtMs: nowMs },
        stamp: { dev: 1, ino: 1, size: 2, mtimeMs, ctimeMs: mtimeMs },
      };
    },
    convert: (_, key) => ({
      kind: "entry",
      format: "json",
      entry: { key, value: "{}", expiresAtMs: nowMs + day },
      fullLifetimeMs: 1000 * expirations.expiration,
      lifetimeOrigin: "authenticated",
      facts: { authenticated: true, lossy: false },
    }),
    settle: async (given, survey) => {
      candidates.push(...given);
      surveys.push(survey);
      if (settlement === "failed")
        return given.map(() => ({ kind: "failed", reason: "redis-error", detail: "why" }));
      return given.map(() => ({ kind: settlement }));
    },
    ...change,
  });
  const work = (files: readonly (SessionFile & { readonly mtimeMs: number })[]) => {
    for (const file of files) mtimes.set(file, file.mtimeMs);
    return lane.work(files);
  };
  return { lane, work, candidates, surveys };
}

/** What a run knows that found a mark a day old. */
const surveyWith = (facts: Partial<DirectoryFacts>): Survey => {
  const directory = factsOf({ mark: markAt(nowMs - day), ...facts });
  return surveyOf({ serverWorks: directory.serverWorks, directories: [directory] });
};

describe("copy-lane: what a mark says about a session goes with its candidate (spec.md section 4, Marks)", () => {
  const old = nowMs - 2 * day;
  const since = nowMs - hour;
  const covered = { covered: true, unmodifiedSinceMark: true } as const;
  const rows: readonly (readonly [
    name: string,
    survey: Survey,
    mtimeMs: number,
    expected: Pick<Candidate, "ifMissing" | "covered" | "unmodifiedSinceMark">,
  ])[] = [
    ["no mark: written", surveyOf(), old, {}],
    ["the server works on files: written", surveyWith({ serverWorks: "files" }), old, covered],
    ["on Redis: ended", surveyWith({ serverWorks: "redis" }), old, { ifMissing: "ended", ...covered }],
    ["unknown: deferred", surveyWith({}), old, { ifMissing: "unknown", ...covered }],
    [
      "unknown, but every file was seen: ended",
      surveyWith({ whole: true }),
      old,
      { ifMissing: "ended", ...covered },
    ],
    ["modified since the mark: written", surveyWith({ serverWorks: "redis" }), since, {}],
    [
      "nothing counts as ended: written",
      surveyWith({ serverWorks: "redis", endedCounts: false }),
      old,
      covered,
    ],
    [
      "the last complete runs kept what Redis held: its file may still be the newer one",
      surveyWith({ serverWorks: "redis", mark: { startedMs: nowMs - day, renewedMs: nowMs - day } }),
      old,
      { ifMissing: "ended", covered: true },
    ],
  ];
  for (const [name, survey, mtimeMs, expected] of rows) {
    test(name, async () => {
      const { lane, work, candidates, surveys } = judgingLane("copied");
      await lane.begin({ startedMs: nowMs, survey });
      await work([fileAt(mtimeMs)]);
      const [{ entry: _, mtimeMs: __, fullLifetimeMs: ___, ...judged } = assert.fail("not settled")] =
        candidates;
      assert.deepEqual(judged, expected);
      assert.deepEqual(surveys, [survey], "conflicts are decided by the same knowledge");
    });
  }

  test("--again: a missing key is written, and the mark still tells which value is later", async () => {
    const { lane, work, candidates } = judgingLane("copied", { again: true });
    await lane.begin({ startedMs: nowMs, survey: surveyWith({ serverWorks: "redis" }) });
    await work([fileAt(old)]);
    const [{ ifMissing, unmodifiedSinceMark } = assert.fail("not settled")] = candidates;
    assert.deepEqual([ifMissing, unmodifiedSinceMark], [undefined, true]);
  });

  test("what a lane learns counts from then on", async () => {
    const { lane, work, candidates, surveys } = judgingLane("copied");
    const learned = surveyWith({ whole: true });
    await lane.begin({ startedMs: nowMs, survey: surveyWith({}) });
    await work([fileAt(old)]);
    await lane.learn(learned);
    await work([fileAt(old)]);
    assert.deepEqual(
      candidates.map(({ ifMissing }) => ifMissing),
      ["unknown", "ended"],
    );
    assert.equal(surveys[1], learned);
  });

  test("a lane that has not begun settles nothing", async () => {
    const { error } = await judgingLane("copied").work([fileAt(old)]);
    assert.match(String(error), /before it begins/);
  });
});

describe("copy-lane: what a batch adds to what is known about a directory (Where the server works, Marks 3)", () => {
  const old = nowMs - 2 * day;
  const covered = { directory: "/d", latestMtimeMs: old, covered: 1, ended: 0 };
  const rows: readonly (readonly [
    name: string,
    survey: Survey,
    settlement: Settlement["kind"],
    mtimeMs: number,
    seen: readonly object[],
  ])[] = [
    ["no mark: nothing", surveyOf(), "copied", old, []],
    ["a session that the mark counts for", surveyWith({}), "identical", old, [covered]],
    ["one that ended", surveyWith({}), "ended", old, [{ ...covered, ended: 1 }]],
    [
      "one that is deferred is counted once it is settled",
      surveyWith({}),
      "deferred",
      old,
      [{ ...covered, covered: 0 }],
    ],
    [
      "one that was modified since",
      surveyWith({}),
      "copied",
      nowMs - hour,
      [{ ...covered, latestMtimeMs: nowMs - hour, covered: 0 }],
    ],
    ["a time in the future tells nothing", surveyWith({}), "copied", nowMs + 5 * hour, []],
  ];
  for (const [name, survey, settlement, mtimeMs, seen] of rows) {
    test(name, async () => {
      const { lane, work } = judgingLane(settlement);
      await lane.begin({ startedMs: nowMs, survey });
      assert.deepEqual((await work([fileAt(mtimeMs)])).seen, seen);
      assert.deepEqual((await lane.work([])).seen, [], "it is told once");
    });
  }
});

describe("copy-lane: keys that were written are looked for at the end (A Redis that may run out)", () => {
  const lives = Date.now() + hour;
  const writtenOf = (name: string, expiresAtMs = lives, pass = 0): Written => ({
    ...{ file: fileAt(nowMs, name), pass, timesLost: 0, expiresAtMs, digest: "", bytes: 2 },
  });
  const rows: readonly (readonly [
    name: string,
    written: readonly Written[] | undefined,
    gone: readonly string[],
    missing: number | undefined,
  ])[] = [
    ["all there", [writtenOf("there")], [], 0],
    ["one is missing", [writtenOf("there"), writtenOf("lost")], [], 1],
    ["written in two passes, missing once", [writtenOf("lost"), writtenOf("lost", lives, 1)], [], 1],
    [
      "one that has no more than a minute to live may be missing",
      [writtenOf("lost", Date.now() + 59_000)],
      [],
      0,
    ],
    ["one that was retracted may be missing", [writtenOf("lost")], ["lost"], 0],
    ["it was not kept what was written: unknown", undefined, [], undefined],
  ];
  for (const [name, written, gone, missing] of rows) {
    test(name, async () => {
      function* batches(): Generator<Written[]> {
        yield [...(written ?? [])];
      }
      const { lane } = judgingLane("copied", {
        written: () => (written === undefined ? undefined : { forget: () => undefined, batches }),
        noneCanBeGone: () => false,
        takeBackGone: async (some) => new Set(some.filter(({ file }) => gone.includes(file.sid))),
        exist: async (files) => files.map((file) => file.sid === "there"),
      });
      await lane.takeBackEnded();
      assert.equal(await lane.countMissing(), missing);
    });
  }
});
