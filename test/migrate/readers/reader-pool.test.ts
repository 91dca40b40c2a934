import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConvertedBatch } from "../../../src/migrate/readers/converted-batch.js";
import { maxCommandBytes } from "../../../src/migrate/readers/encoded-sessions.js";
import type { ReaderOptions } from "../../../src/migrate/readers/reader.js";
import { batchesFor, ReaderPool } from "../../../src/migrate/readers/reader-pool.js";
import { ReaderThread } from "../../../src/migrate/readers/reader-thread.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import { hourMs, SessionDirectory, sessionOfLength, sessionText } from "../../support/sessions/session-directory.js";
import { beside, conversion, remove } from "../copy-writer/writer-ground.js";

function optionsOf(directory: SessionDirectory, change: Partial<ReaderOptions> = {}): ReaderOptions {
  const startedMs = Date.now() - 1000;
  return {
    ...{ directories: [directory.path], maxFileSize: 8 * 1024 * 1024 },
    conversion,
    ...{ runStartedMs: startedMs, passStartedMs: startedMs, hashes: true },
    ...change,
  };
}

/** Files of every kind that a reader tells apart. */
function saveEach(directory: SessionDirectory): SessionFile[] {
  const files = Array.from({ length: 20 }, (_, number) => directory.save(number, sessionText(number)));
  return [
    ...files,
    directory.save(20, sessionText(), { mtimeMs: Date.now() }),
    directory.save(21, "{"),
    directory.save(22, ""),
    directory.file(23),
    directory.save(24, sessionText(), { layout: "scattered", mtimeMs: Date.now() + hourMs }),
  ];
}

/** A batch without what depends on the moment: instants, and times of the clock. */
function comparable({ sessions, leadMs, prepared, ...others }: ConvertedBatch, files: readonly SessionFile[]) {
  const rows = Array.from({ length: sessions.count }, (_, row) => {
    const file = files[sessions.place(row)] ?? assert.fail("no such file");
    return sessions.preparedAt(row, file, file.sid);
  });
  const timeless = [...rows, ...prepared].map((one) => {
    const { expiresAtMs, ...entry } = one.candidate.entry;
    assert(expiresAtMs > Date.now());
    const { expiresAtMs: its, ...outcome } = one.outcome;
    assert.equal(its, expiresAtMs);
    return { ...one, outcome, candidate: { ...one.candidate, entry } };
  });
  assert(Math.abs(leadMs - hourMs) < 5000);
  return { ...others, count: sessions.count, timeless };
}

describe("reader-pool: batches go to whichever reader is free", () => {
  it("a thread makes the same of a batch as the main thread", async () => {
    const directory = new SessionDirectory();
    const files = saveEach(directory);
    const thread = new ReaderThread();
    const byThread = new ReaderPool(optionsOf(directory), [thread]);
    const byMain = new ReaderPool(optionsOf(directory), []);
    beside(byThread.inline, "convert", { before: () => assert.fail("not by the main thread") });
    const converted = await byThread.convert(files);
    assert.deepEqual(comparable(converted, files), comparable(await byMain.convert(files), files));
    const [first = assert.fail()] = files;
    remove(first);
    const sinceMs = Date.now() - 5000;
    const changed = await byThread.changedSince(files, sinceMs);
    assert.equal(changed.length, files.length);
    assert.deepEqual(changed, await byMain.changedSince(files, sinceMs));
    await thread.end();
  });

  it("six batches for each thread, to the one with fewer, and then two to the main thread", async () => {
    const directory = new SessionDirectory();
    const files = [directory.save(1, sessionText())];
    const threads = [new ReaderThread(), new ReaderThread()];
    const pool = new ReaderPool(optionsOf(directory), threads);
    let inline = 0;
    beside(pool.inline, "convert", { before: () => inline++ });
    const pending: (readonly number[])[] = [];
    const batches = Array.from({ length: batchesFor(threads) }, () => {
      const batch = pool.convert(files);
      pending.push([...threads.map((thread) => thread.pending), inline]);
      return batch;
    });
    const byTurns = Array.from({ length: 12 }, (_, asked) => [Math.ceil((asked + 1) / 2), (asked + 1) >> 1, 0]);
    assert.deepEqual(pending, [...byTurns, [6, 6, 1], [6, 6, 2]]);
    for (const { sessions } of await Promise.all(batches)) assert.equal(sessions.count, 1);
    assert.deepEqual(
      threads.map(({ pending }) => pending),
      [0, 0],
    );
    await Promise.all(threads.map((thread) => thread.end()));
  });

  it("a new pool begins anew, on the same threads", async () => {
    const directory = new SessionDirectory();
    const file = directory.save(1, sessionText());
    const threads = [new ReaderThread()];
    const convert = (maxFileSize: number) =>
      new ReaderPool(optionsOf(directory, { maxFileSize }), threads).convert([file]);
    assert.deepEqual((await convert(10)).unread, [0]);
    assert.deepEqual((await convert(1000)).unread, []);
    // Neither is ended: a thread alone keeps no process alive, as the end of this file shows.
    assert.equal(new ReaderThread().pending, 0);
  });

  it("buffers are used again, but for large ones", async () => {
    const directory = new SessionDirectory();
    const small = [directory.save(1, sessionText())];
    const large = [2, 3].map((number) => directory.save(number, sessionOfLength(0.9 * maxCommandBytes)));
    const pool = new ReaderPool(optionsOf(directory), []);
    const roomOf = ({ sessions }: ConvertedBatch) => sessions.table.commands;
    const first = await pool.convert(small);
    assert.notEqual(roomOf(await pool.convert(small)), roomOf(first));
    pool.giveBack(first);
    assert.equal(roomOf(await pool.convert(small)), roomOf(first));
    const grown = await pool.convert(large);
    pool.giveBack(grown);
    assert.notEqual(roomOf(await pool.convert(small)), roomOf(grown));
  });
});

describe("reader-thread: what goes wrong is told to whoever waits", () => {
  const files: readonly SessionFile[] = [];

  it("it was not opened", async () => {
    const thread = new ReaderThread();
    const asked = thread.convert(files, new ArrayBuffer(10));
    await assert.rejects(asked, /a reader is asked before it is opened/);
    assert.equal(thread.pending, 0);
    await thread.end();
  });

  it("it ends: what it was asked before fails, and what it is asked later", async () => {
    const directory = new SessionDirectory();
    const thread = new ReaderThread();
    thread.open(optionsOf(directory));
    const asked = thread.convert([directory.save(1, sessionText())], new ArrayBuffer(10));
    const ended = thread.end();
    await assert.rejects(asked, /a reader's thread ended/);
    await ended;
    await assert.rejects(thread.changedSince(files, 0), /a reader's thread ended/);
  });
});
