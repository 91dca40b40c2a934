import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConvertedBatch } from "../../../src/migrate/readers/converted-batch.js";
import { maxCommandBytes } from "../../../src/migrate/readers/encoded-sessions.js";
import { Reader, type ReaderOptions } from "../../../src/migrate/readers/reader.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import { hourMs, SessionDirectory, sessionOfLength, sessionText } from "../../support/sessions/session-directory.js";
import { conversion, remove } from "../copy-writer/writer-ground.js";

const room = () => new ArrayBuffer(1000);

/** A reader over a real session directory. */
function makeGround(change: Partial<ReaderOptions> = {}) {
  const directory = new SessionDirectory();
  const startedMs = Date.now() - 1000;
  const reader = new Reader({
    ...{ directories: [directory.path], maxFileSize: 8 * 1024 * 1024 },
    conversion,
    ...{ runStartedMs: startedMs, passStartedMs: startedMs, hashes: true },
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
  const rows: readonly (readonly [name: string, content: string, expected: string, ageMs?: number])[] = [
    ["an ordinary session", sessionText(), "encoded"],
    ["just modified", sessionText(), "prepared", 1000],
    ["with an expiration of its own", withMember('"expiration": 120'), "encoded"],
    ["about to expire", withMember('"expiration": 50'), "prepared"],
    ["with a warning", withMember('"expiration": "soon"'), "prepared"],
    ["with one key of a session only", '{"uid": 1}', "prepared"],
    ["a value as large as what is sent at a time", sessionOfLength(maxCommandBytes), "prepared"],
    ["a little less", sessionOfLength(maxCommandBytes - 1), "encoded"],
    ["over by its own expiration", withMember('"expiration": -5'), "expired"],
    ["over by its own deletion_time", withMember(`"deletion_time": ${past}`), "expired, over"],
    ["corrupt", "{", "failed"],
    ["empty", "", "unread"],
  ];
  for (const [name, content, expected, ageMs = hourMs] of rows) {
    it(`${name}: ${expected}`, async () => {
      const { directory, reader } = makeGround();
      const file = directory.save(1, content, { mtimeMs: Date.now() - ageMs });
      const batch = await reader.convert([file], room());
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
    const files = [big, sessionText(2), big, sessionText(4)].map((text, number) => directory.save(number, text));
    const batch = await reader.convert(files, room());
    assert.deepEqual([batch.taken, batch.sessions.count], [3, 3]);
  });

  it("notes files that a later pass could take for changed, and how far their times are ahead", async () => {
    for (const [passStartedMs, expected] of [
      [Date.now(), [0, 1, 2]],
      // Only once a time was seen to be ahead, a pass looks back further.
      [Date.now() + hourMs, [1, 2]],
    ] as const) {
      const { directory, reader } = makeGround({ passStartedMs });
      const files = [
        directory.save(1, sessionText()),
        directory.save(2, sessionText(), { mtimeMs: Date.now() + 2 * hourMs }),
        directory.save(3, sessionText()),
      ];
      const { recent, leadMs } = await reader.convert(files, room());
      assert.deepEqual(
        recent.map(({ place }) => place),
        expected,
      );
      assert.deepEqual(recent.at(-1)?.stamp, plainStampOf(reader, files[2]));
      assert(Math.abs(leadMs - 2 * hourMs) < 5000);
    }
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
