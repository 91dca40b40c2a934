import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DirectoryFacts } from "../../../src/model/mark.js";
import { dayMs, hourMs, sessionText } from "../../support/sessions/session-directory.js";
import { copiedAgo, type GroundChange, inADay, marked, WriterGround } from "./writer-ground.js";

const nowMs = Date.now();
const old = nowMs - 2 * dayMs;
const since = nowMs - hourMs;
const value = sessionText();
const other = sessionText("other");

/** What becomes of a missing key, and of another value that an earlier copy wrote. */
type Row = readonly [
  name: string,
  facts: Partial<DirectoryFacts>,
  mtimeMs: number,
  ifMissing: "copied" | "ended" | "deferred",
  conflict: "copied" | "kept",
  /** Whether the mark counts for the session. */
  covered: boolean,
  change?: GroundChange,
];

const again = { policy: "newest", again: true, maxEnded: 10 } as const;
const keptMark = { startedMs: nowMs - dayMs, renewedMs: nowMs - dayMs };
const rows: readonly Row[] = [
  ["no mark", {}, old, "copied", "copied", false],
  ["the server works on files", marked({ serverWorks: "files" }), old, "copied", "kept", true],
  ["on Redis", marked({ serverWorks: "redis" }), old, "ended", "kept", true],
  ["unknown", marked(), old, "deferred", "kept", true],
  ["unknown, but every file was seen", marked({ whole: true }), old, "ended", "kept", true],
  ["modified since the mark", marked({ serverWorks: "redis" }), since, "copied", "copied", false],
  ["nothing counts as ended", marked({ serverWorks: "redis", endedCounts: false }), old, "copied", "kept", true],
  [
    "the last complete runs kept what Redis held: the file may still be the newer one",
    { ...marked({ serverWorks: "redis" }), mark: keptMark },
    ...([old, "ended", "copied", true] as const),
  ],
  ["--again", marked({ serverWorks: "redis" }), old, "copied", "kept", true, { conflicts: again }],
];

describe("copy-writer: what a mark says about a session (spec.md section 4, Marks)", () => {
  for (const [name, facts, mtimeMs, ifMissing, conflict, isCovered, change] of rows) {
    it(`${name}: a missing key is ${ifMissing}, another value ${conflict}`, async () => {
      const ground = new WriterGround({ ...change, facts });
      const [missing, differs] = [ground.save(1, value, { mtimeMs }), ground.save(2, value, { mtimeMs })];
      ground.hold(differs, other, copiedAgo(other, 3 * dayMs));
      const { outcomes, deferred, seen } = await ground.writer.workOn([missing, differs]);
      const kinds = new Map(outcomes.map(({ sid, kind }) => [sid, kind]));
      if (ifMissing === "deferred") assert.deepEqual(deferred, [missing]);
      assert.equal(kinds.get(missing.sid) ?? "deferred", ifMissing);
      assert.equal(kinds.get(differs.sid), conflict);
      assert.equal(ground.stored(missing), ifMissing === "copied" ? value : undefined);
      assert.equal(ground.stored(differs), conflict === "copied" ? value : other);
      const covered = isCovered ? outcomes.length : 0;
      const ended = ifMissing === "ended" ? 1 : 0;
      const [{ latestMtimeMs, ...counts } = assert.fail("nothing seen")] = seen;
      assert.deepEqual(counts, { directory: ground.directory.path, covered, ended });
      assert(Math.abs(latestMtimeMs - mtimeMs) < 1);
      assert.deepEqual((await ground.writer.workOn([])).seen, [], "it is told once");
    });
  }

  it("a time in the future does not tell when the directory was last used", async () => {
    const ground = new WriterGround({ facts: marked() });
    const { seen } = await ground.writer.workOn([ground.save(1, value, { mtimeMs: nowMs + 5 * hourMs })]);
    assert.deepEqual(seen, []);
  });

  it("what the writer learns counts from then on, for conflicts too", async () => {
    const ground = new WriterGround({ facts: marked(), survey: { signsCount: false } });
    const files = [ground.save(1, value, { mtimeMs: old }), ground.save(2, value, { mtimeMs: since })];
    const [missing = assert.fail(), differs = assert.fail()] = files;
    ground.hold(differs, other, copiedAgo(other, 2 * hourMs));
    assert.deepEqual(await ground.write(...files), ["kept: in doubt"], "the first is deferred");
    ground.writer.learn(ground.survey(marked({ whole: true })));
    assert.deepEqual(await ground.write(...files), ["ended", "copied"]);
    assert.deepEqual([ground.stored(missing), ground.stored(differs)], [undefined, value]);
  });
});

describe("copy-writer: an older file never replaces what this run wrote for a newer one (Conflicts)", () => {
  for (const [policy, expected] of [
    ["newest", "kept"],
    ["overwrite", "copied"],
  ] as const) {
    it(`${policy}: ${expected}`, async () => {
      const ground = new WriterGround({ conflicts: { policy, again: false, maxEnded: 10 } });
      const newer = ground.save(1, value, { mtimeMs: Date.now() });
      assert.deepEqual(await ground.write(newer), ["copied"]);
      // The newer file was moved away: the older one is not superseded any more.
      ground.save(1, "", { mtimeMs: Date.now() });
      const older = ground.save(1, other, { layout: "scattered", mtimeMs: Date.now() - 1000 });
      assert.deepEqual(await ground.write(older), [expected]);
    });
  }
});

describe("copy-writer: keys of sessions that are over by their own deletion_time are deleted (Lifetime)", () => {
  const sessionWith = (member: string) => sessionText().replace("}", `, ${member}}`);
  const over = sessionWith(`"deletion_time": ${Math.floor(nowMs / 1000) - 60}`);
  const copied = inADay(other);
  const rows: readonly (readonly [
    name: string,
    content: string,
    expiresAtMs: number,
    stays: boolean,
    GroundChange?,
  ])[] = [
    ["its deletion_time is past, and a copy wrote the key", over, copied, false],
    ["a server saved the key", over, copied + 1, true],
    ["its own expiration is negative", sessionWith('"expiration": -5'), copied, true],
    ["it lives", value, copied, true],
    ["no sign survives in this Redis", over, copied, true, { survey: { signsCount: false } }],
    ["a dry run", over, copied, true, { dryRun: true }],
  ];
  for (const [name, content, expiresAtMs, stays, change] of rows) {
    it(`${name}: ${stays ? "left alone" : "deleted"}`, async () => {
      const ground = new WriterGround(change);
      const file = ground.save(1, content);
      ground.hold(file, other, expiresAtMs);
      await ground.write(file);
      assert.equal(ground.stored(file) !== undefined, stays);
    });
  }
});
