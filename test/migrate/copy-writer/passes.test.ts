import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { describe, type TestContext, test } from "node:test";
import type { SessionFile } from "../../../src/model/session-file.js";
import { pathOf } from "../../../src/source/recent-files.js";
import { SessionFolders } from "../../../src/source/session-folders.js";
import { hourMs, sessionText } from "../../support/sessions/session-directory.js";
import { beside, remove, WriterGround } from "./writer-ground.js";

/** What a server does with a session file or its directory. */
type Change = (file: SessionFile, ground: WriterGround) => void;

/** By the moment: before or after a reading, a stat, a check that it is gone, a later stat. */
type Changes = Readonly<Record<string, Change>>;

/** What becomes of a session file in the main pass, and whether the next pass takes it. */
async function follow(t: TestContext, place: Change, changes: Changes) {
  const ground = new WriterGround({ maxFileSize: 1000 });
  const file = ground.directory.file(1);
  place(file, ground);
  const steps: string[] = [];
  const counts: Record<string, number> = {};
  const before = (kind: string) => () => {
    counts[kind] = (counts[kind] ?? 0) + 1;
    steps.push(`${kind} ${counts[kind]}`);
    changes[`before ${kind} ${counts[kind]}`]?.(file, ground);
  };
  const after = (kind: string) => () => changes[`after ${kind} ${counts[kind]}`]?.(file, ground);
  const step = (kind: string) => ({ before: before(kind), after: after(kind) });
  const { inline } = ground.readers;
  beside(inline, "convert", step("reading"));
  beside(inline, "read", step("reading"));
  beside(inline, "stampOf", step("stat"));
  beside(inline, "changedSince", step("later stat"));
  const { hasVanished } = SessionFolders.prototype;
  t.mock.method(SessionFolders.prototype, "hasVanished", function (this: SessionFolders, one: SessionFile) {
    before("check")();
    const result = hasVanished.call(this, one);
    after("check")();
    return result;
  });
  const [outcome] = await ground.write(file);
  ground.writer.beginPass(1, Date.now());
  const taken = (await ground.writer.changedOf([file])).length === 1;
  return { outcome, taken, steps };
}

const save: Change = (_, ground) => void ground.save(1);
const fill: Change = (file) => writeFileSync(pathOf(file), sessionText());
const places = {
  nothing: () => undefined,
  "an empty file": (file) => writeFileSync(pathOf(file), ""),
  "a file that is too large": (file) => writeFileSync(pathOf(file), "x".repeat(1001)),
} as const satisfies Record<string, Change>;

describe("copy-writer: a file that cannot be read, and is saved meanwhile, is taken then or in the next pass", () => {
  for (const [what, place] of Object.entries(places)) {
    for (const [how, change] of Object.entries({ save, fill })) {
      test(`${what}: ${how} before the stat`, async (t) => {
        const { outcome, taken } = await follow(t, place, { "before stat 1": change });
        assert.deepEqual({ outcome, taken }, { outcome: "copied", taken: false });
      });

      for (const moment of ["after stat 1", "after reading 2"]) {
        test(`${what}: ${how} ${moment}`, async (t) => {
          const { outcome, taken } = await follow(t, place, { [moment]: change });
          assert.ok(outcome === "copied" || taken, outcome);
        });
      }
    }
  }

  for (const [how, change] of Object.entries({ save, fill })) {
    test(`nothing: ${how} after the check that it is gone`, async (t) => {
      const { outcome, taken } = await follow(t, () => undefined, { "after check 1": change });
      assert.deepEqual({ outcome, taken }, { outcome: "vanished", taken: true });
    });
  }

  const folder: Change = (file) => mkdirSync(pathOf(file));
  for (const [what, place] of Object.entries({ ...places, "a folder": folder })) {
    test(`${what} that stays as it is: no pass takes it again`, async (t) => {
      const { taken, steps } = await follow(t, place, {});
      const readings = steps.filter((step) => !step.startsWith("check"));
      const expected = ["reading 1", "stat 1", "reading 2", "later stat 1"];
      assert.deepEqual({ taken, readings }, { taken: false, readings: expected });
    });
  }
});

/** As an unmount. */
const leave: Change = ({ directory }) => renameSync(directory, `${directory}-away`);
const comeBack: Change = ({ directory }) => renameSync(`${directory}-away`, directory);

describe("copy-writer: a session directory that is away for a while: none of its files counts as gone", () => {
  const away = "failed: its session directory was away";

  for (const back of ["after reading 1", "after stat 1", "after reading 2", "after check 1"]) {
    test(`back ${back}: the file is read`, async (t) => {
      const changes = { "before reading 1": leave, [back]: comeBack };
      assert.equal((await follow(t, fill, changes)).outcome, "copied");
    });
  }

  test("away again for each reading: the file fails", async (t) => {
    const changes: Record<string, Change> = {};
    for (const number of [1, 2, 3]) {
      changes[`before reading ${number}`] = leave;
      changes[`after reading ${number}`] = comeBack;
    }
    assert.equal((await follow(t, fill, changes)).outcome, away);
  });

  const swap: Change = (file, ground) => {
    leave(file, ground);
    mkdirSync(file.directory);
  };
  for (const [how, change] of Object.entries({
    "it does not come back": leave,
    "another takes its place": swap,
  })) {
    test(`${how}: the file fails`, async (t) => {
      assert.equal((await follow(t, fill, { "before reading 1": change })).outcome, away);
    });
  }

  test("back without the file: it vanished", async (t) => {
    const backWithout: Change = (file, ground) => {
      comeBack(file, ground);
      remove(file);
    };
    const changes = { "before reading 1": leave, "after reading 2": backWithout };
    assert.equal((await follow(t, fill, changes)).outcome, "vanished");
  });

  test("a file that is saved, and away when a later pass looks for it, is taken", async (t) => {
    for (const later of [{ "after later stat 1": comeBack }, {}]) {
      const changes = { "after reading 1": save, "before later stat 1": leave, ...later };
      const { outcome, taken } = await follow(t, fill, changes);
      assert.deepEqual({ outcome, taken }, { outcome: "copied", taken: true });
      t.mock.restoreAll();
    }
  });

  test("a file that is gone when a later pass looks for it is not taken", async (t) => {
    assert.ok(!(await follow(t, fill, { "before later stat 1": remove })).taken);
  });
});

describe("copy-writer: later passes (spec.md section 4, A live server)", () => {
  test("only what was saved since it was read is taken, once", async () => {
    const ground = new WriterGround();
    const files = [1, 2, 3, 4].map((number) => ground.save(number));
    await ground.write(...files);
    ground.save(2, sessionText("again"), { mtimeMs: Date.now() });
    remove(ground.directory.file(4));
    const added = ground.save(5);
    ground.writer.beginPass(1, Date.now());
    const changed = await ground.writer.changedOf([...files, added]);
    assert.deepEqual(changed, [ground.directory.file(2), added]);
    assert.deepEqual(await ground.write(...changed), ["copied", "copied"]);
    ground.writer.beginPass(2, Date.now());
    assert.deepEqual(await ground.writer.changedOf([...files, added]), []);
  });

  test("a pass takes what changed since the one before began", async () => {
    const ground = new WriterGround();
    const file = ground.save(1);
    const isTaken = async () => (await ground.writer.changedOf([file])).length === 1;
    ground.writer.beginPass(1, Date.now() + hourMs);
    assert(await isTaken());
    ground.writer.beginPass(2, Date.now() + 2 * hourMs);
    assert(!(await isTaken()));
  });

  test("times that are ahead of our clock, as any reader saw them: a pass looks back as much further", async () => {
    const ground = new WriterGround({ passStartedMs: Date.now() + hourMs });
    const old = ground.save(1);
    const isTaken = async () => (await ground.writer.changedOf([old])).length === 1;
    assert(!(await isTaken()), "it changed before the pass began");
    const { convert } = ground.readers;
    const another: typeof convert = async (files) => {
      return { ...(await convert.call(ground.readers, files)), leadMs: 2 * hourMs };
    };
    Object.assign(ground.readers, { convert: another });
    await ground.write(ground.save(2));
    ground.writer.beginPass(1, Date.now());
    assert(await isTaken());
  });

  test("in use: only if a file was read that was modified since the run began", async () => {
    const ground = new WriterGround({ runStartedMs: Date.now() - 5000 });
    await ground.write(ground.save(1));
    assert(!ground.writer.inUse, "renamed since, and not modified");
    await ground.write(ground.save(2, sessionText(), { mtimeMs: Date.now() + 1 }));
    assert(ground.writer.inUse);
    const other = new WriterGround({ runStartedMs: Date.now() - 5000 });
    const file = other.directory.file(1);
    beside(other.readers.inline, "stampOf", {
      before: () => other.save(1, sessionText(), { mtimeMs: Date.now() }),
    });
    assert.deepEqual(await other.write(file), ["copied"]);
    assert(other.writer.inUse, "read at the second reading");
  });

  test("a directory that goes for good: its files are taken, and fail", async () => {
    const ground = new WriterGround();
    const file = ground.save(1);
    await ground.write(file);
    rmSync(file.directory, { recursive: true });
    ground.writer.beginPass(1, Date.now());
    assert.deepEqual(await ground.writer.changedOf([file]), [file]);
  });
});
