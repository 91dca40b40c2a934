import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { describe, it } from "node:test";
import type { ConvertedBatch } from "../../../src/migrate/readers/converted-batch.js";
import { maxCommandBytes } from "../../../src/migrate/readers/encoded-sessions.js";
import { Reader, type ReaderOptions } from "../../../src/migrate/readers/reader.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import { pathOf } from "../../../src/source/recent-files.js";
import {
  dayMs,
  hourMs,
  SessionDirectory,
  sessionOfLength,
  sessionText,
} from "../../support/session-directory.js";
import { conversion, keyPrefix, remove } from "../copy-writer/writer-ground.js";

const room = () => new ArrayBuffer(1000);

/** A reader over a real session directory. */
function makeGround(change: Partial<ReaderOptions> = {}) {
  const directory = new SessionDirectory();
  const startedMs = Date.now() - 1000;
  const reader = new Reader({
    ...{ directories: [directory.path], maxFileSize: 8 * 1024 * 1024 },
    conversion: { ...conversion, keyPrefix, clockLeadMs: 0 },
    ...{ runStartedMs: startedMs, passStartedMs: startedMs },
    ...change,
  });
  return { directory, reader };
}

function plainStampOf(reader: Reader, file: SessionFile | undefined) {
  const { dev, ino, size, mtimeMs, ctimeMs } = reader.stampOf(file ?? assert.fail()) ?? assert.fail();
  return { dev, ino, size, mtimeMs, ctimeMs };
}

const withMember = (member: string): string => sessionText().replace("}", `, ${member}}`);
const past = Math.floor(Date.now() / 1000) - 60;

/** What became of the only file of a batch. */
function wayOf({ sessions, prepared, finished, unread }: ConvertedBatch): string {
  const ways = [
    ...Array(sessions.count).fill("encoded"),
    ...prepared.map(() => "prepared"),
    ...finished.map(({ outcome, isOver }) => `${outcome.kind}${isOver ? ", over" : ""}`),
    ...unread.map(() => "unread"),
  ];
  return ways.join(" and ");
}

describe("reader: what can be sent as it is, and what needs a closer look", () => {
  const mebibyte = 1024 * 1024;
  const save =
    (content: string, mtimeMs?: () => number) =>
    ({ directory }: ReturnType<typeof makeGround>): SessionFile =>
      directory.save(1, content, mtimeMs === undefined ? {} : { mtimeMs: mtimeMs() });
  const rows: readonly (readonly [string, (ground: ReturnType<typeof makeGround>) => SessionFile, string])[] =
    [
      ["an ordinary session", save(sessionText()), "encoded"],
      ["just modified", save(sessionText(), () => Date.now() - 1000), "prepared"],
      ["with an expiration of its own", save(withMember('"expiration": 120')), "encoded"],
      ["about to expire", save(withMember('"expiration": 50')), "prepared"],
      ["with a warning", save(withMember('"expiration": "soon"')), "prepared"],
      ["with one key of a session only", save('{"uid": 1}'), "prepared"],
      ["a value as large as what is sent at a time", save(sessionOfLength(maxCommandBytes)), "prepared"],
      ["a little less", save(sessionOfLength(maxCommandBytes - 1)), "encoded"],
      ["over by its own expiration", save(withMember('"expiration": -5')), "expired"],
      ["over by its own deletion_time", save(withMember(`"deletion_time": ${past}`)), "expired, over"],
      ["corrupt", save("{"), "failed"],
      ["too large", save(sessionOfLength(8 * mebibyte + 1)), "unread"],
      ["empty", save(""), "unread"],
      ["gone", ({ directory }) => directory.file(1), "unread"],
      [
        "no regular file",
        ({ directory }) => {
          mkdirSync(pathOf(directory.file(1)));
          return directory.file(1);
        },
        "unread",
      ],
      [
        "superseded",
        ({ directory }) => {
          directory.save(1, sessionText(), { layout: "scattered" });
          return directory.save(1, "{", { mtimeMs: Date.now() - dayMs });
        },
        "superseded",
      ],
    ];
  for (const [name, place, expected] of rows) {
    it(`${name}: ${expected}`, async () => {
      const ground = makeGround();
      const batch = await ground.reader.convert([place(ground)], room());
      assert.equal(wayOf(batch), expected);
      assert.equal(batch.taken, 1);
    });
  }

  it("no file", async () => {
    const batch = await makeGround().reader.convert([], room());
    assert.deepEqual([batch.taken, wayOf(batch)], [0, ""]);
  });
});

describe("reader: a batch", () => {
  it("each session at the place of its file; the room is used, or a larger one", async () => {
    const { directory, reader } = makeGround();
    const files = Array.from({ length: 200 }, (_, number) => {
      if (number % 10 === 3) return directory.file(number);
      return directory.save(number, number % 10 === 5 ? "{" : sessionText(number));
    });
    const given = new ArrayBuffer(200_000);
    const batch = await reader.convert(files, given);
    assert.equal(batch.sessions.table.commands, given);
    assert.equal(batch.taken, 200);
    assert.deepEqual(
      batch.unread,
      files.flatMap((_, place) => (place % 10 === 3 ? [place] : [])),
    );
    assert.deepEqual(
      batch.finished.map(({ file }) => file),
      files.filter((_, place) => place % 10 === 5),
    );
    assert.equal(batch.sessions.count, 160);
    for (let row = 0; row < batch.sessions.count; row++) {
      const place = batch.sessions.place(row);
      const { value } = batch.sessions.preparedAt(row, files[place] ?? assert.fail(), "").candidate.entry;
      assert.equal(value, sessionText(place));
    }
  });

  it("ends once its values are as much as is sent at a time: the files after that are not taken", async () => {
    const { directory, reader } = makeGround();
    const big = sessionOfLength(0.75 * maxCommandBytes);
    const files = [big, sessionText(2), big, sessionText(4)].map((text, number) =>
      directory.save(number, text),
    );
    const batch = await reader.convert(files, room());
    assert.deepEqual([batch.taken, batch.sessions.count], [3, 3]);
  });

  it("notes files that a later pass could take for changed, and how far their times are ahead", async () => {
    for (const [passStartedMs, expected] of [
      [Date.now(), [0, 1]],
      [Date.now() + hourMs, [1]],
    ] as const) {
      const { directory, reader } = makeGround({ passStartedMs });
      const files = [
        directory.save(1, sessionText()),
        directory.save(2, sessionText(), { mtimeMs: Date.now() + 2 * hourMs }),
      ];
      const { recent, leadMs } = await reader.convert(files, room());
      assert.deepEqual(
        recent.map(({ place }) => place),
        expected,
      );
      assert.deepEqual(recent.at(-1)?.stamp, plainStampOf(reader, files[1]));
      assert(Math.abs(leadMs - 2 * hourMs) < 5000);
    }
  });

  it("tells when the files of each directory were last modified, but for times in the future", async () => {
    const { directory, reader } = makeGround();
    const mtimes = [Date.now() - dayMs, Date.now() - 2 * hourMs, Date.now() + 5 * hourMs];
    const files = mtimes.map((mtimeMs, number) => directory.save(number, sessionText(), { mtimeMs }));
    const { seen } = await reader.convert(files, room());
    const [{ latestMtimeMs, ...others } = assert.fail("nothing seen")] = seen;
    assert(Math.abs(latestMtimeMs - (mtimes[1] ?? 0)) < 1);
    assert.deepEqual(others, { directory: directory.path, covered: 0, ended: 0 });
  });

  it("in use: a file was modified since the run began, and not only renamed", async () => {
    const { directory, reader } = makeGround();
    const old = directory.save(1, sessionText());
    const young = directory.save(2, sessionText(), { mtimeMs: Date.now() });
    assert.equal((await reader.convert([old], room())).inUse, false);
    assert.equal((await reader.convert([old, young], room())).inUse, true);
  });
});

describe("reader: files that changed since an instant", () => {
  it("those with a time after it, as they stand, and those that are gone", async () => {
    const { directory, reader } = makeGround();
    const files = [1, 2, 3].map((number) => directory.save(number, sessionText()));
    const [first, , last = assert.fail()] = files;
    remove(last);
    const changed = await reader.changedSince(files, Date.now() - 5000);
    assert.deepEqual(
      changed.map(({ place, stamp }) => [place, stamp === undefined]),
      [
        [0, false],
        [1, false],
        [2, true],
      ],
    );
    assert.deepEqual(changed[0]?.stamp, plainStampOf(reader, first));
    const later = await reader.changedSince(files, Date.now() + 5000);
    assert.deepEqual(later, [{ place: 2, stamp: undefined }]);
  });
});
