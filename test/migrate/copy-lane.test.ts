import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { makeCopyLane } from "../../src/migrate/copy-lane.js";
import { Looks } from "../../src/source/looks.js";
import { ReadAhead } from "../../src/source/read-ahead.js";
import { pathOf, RecentFiles } from "../../src/source/recent-files.js";
import { SessionFolders } from "../../src/source/session-folders.js";
import { makeTemporaryDirectory } from "../support/temporary-directory.js";

const sid = "a".repeat(40);

/** A lane whose one session file a server saves beside it; `saves` come before or behind the lane's looks, readings and checks. */
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
    ahead: async () => undefined,
    read: (one) => beside("reading", () => files.read(one)),
    isSuperseded: () => false,
    look: (batch) => beside("later look", () => looks.stampsOf(batch.map(pathOf))),
    lookAt: (one) => beside("look", () => looks.stampOf(pathOf(one))),
    hasVanished: (one) => beside("check", () => folders.hasVanished(one)),
    convert: () => ({ kind: "failed", format: "json", reason: "corrupt", detail: "the session was read" }),
    settle: async () => [],
    timesLost: () => 0,
    rememberFrom: (sinceMs) => new RecentFiles(sinceMs),
    isCovered: () => false,
    isModifiedSince: () => true,
    runStartedMs: startedMs,
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
  });
  /** What comes of the file in the main pass, and whether the pass behind it takes the file. */
  const run = async () => {
    await lane.begin({ startedMs, marks: [] });
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
