import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { describe, it } from "node:test";
import type { Written } from "../../src/model/entry.js";
import { SourceError } from "../../src/model/errors.js";
import { WrittenSessions } from "../../src/source/written-sessions.js";
import { makeTemporaryDirectory, withTemporaryDirectory } from "../support/process/temporary-directory.js";

const directories = ["/srv/a/sessions", "/srv/b/sessions", "/srv/c"] as const;

/** A session that was written, another for each number, of every layout and length of sid. */
function writtenOf(number: number): Written {
  const digest = createHash("sha1").update(String(number)).digest("hex");
  const long = createHash("sha512").update(String(number)).digest("base64url");
  const isFlat = number % 3 === 0;
  const sid = isFlat ? digest : number % 3 === 1 ? long.slice(0, 84) : long;
  const name = isFlat ? `werkzeug_${sid}.sess` : `${sid.slice(0, 2)}/${sid}`;
  return {
    file: {
      directory: directories[number % 3] ?? directories[0],
      name,
      layout: isFlat ? "flat" : "scattered",
      sid,
    },
    pass: number % 4,
    reconnects: number * 70_001,
    expiresAtMs: 1_700_000_000_000.5 + number,
    digest: Buffer.from(digest, "hex"),
    bytes: number * 100_000,
    renewed: number % 5 === 0,
  };
}

describe("written-sessions: what this run wrote", () => {
  for (const count of [0, 1, 2, 255, 256, 257, 700, 5000]) {
    it(`${count} of them come back as they were, in their order, in batches`, () => {
      const all = Array.from({ length: count }, (_, number) => writtenOf(number));
      const written = new WrittenSessions(directories);
      for (const one of all) written.add(one);
      const batches = [...written.batches(256)];
      written.close();
      assert.deepEqual(batches.flat(), all);
      assert.deepEqual(
        batches.map((batch) => batch.length),
        [...Array.from({ length: Math.floor(count / 256) }, () => 256), ...(count % 256 === 0 ? [] : [count % 256])],
      );
    });
  }

  it("the largest numbers come back too", () => {
    const written = new WrittenSessions(directories);
    const one: Written = { ...writtenOf(1), pass: 255, reconnects: 2 ** 32 - 1, bytes: 2 ** 32 - 1 };
    const other: Written = { ...writtenOf(2), expiresAtMs: Number.MAX_SAFE_INTEGER };
    written.add(one);
    written.add(other);
    assert.deepEqual([...written.batches(10)], [[one, other]]);
    written.close();
  });

  it("may be read again and again, and added to in between", () => {
    const written = new WrittenSessions(directories);
    written.add(writtenOf(1));
    assert.deepEqual([...written.batches(10)].flat(), [writtenOf(1)]);
    assert.deepEqual([...written.batches(10)].flat(), [writtenOf(1)]);
    written.add(writtenOf(2));
    assert.deepEqual([...written.batches(1)], [[writtenOf(1)], [writtenOf(2)]]);
    written.close();
  });

  it("a digest that was given back does not change when more is read", () => {
    const written = new WrittenSessions(directories);
    for (let number = 0; number < 3000; number++) written.add(writtenOf(number));
    const kept = [...written.batches(7)];
    assert.deepEqual(
      kept.flat(),
      Array.from({ length: 3000 }, (_, number) => writtenOf(number)),
    );
    written.close();
  });

  it("stands in a file that has no name and that nobody else could open", () => {
    const directory = makeTemporaryDirectory();
    const written = withTemporaryDirectory(directory, () => new WrittenSessions(directories));
    for (let number = 0; number < 3000; number++) written.add(writtenOf(number));
    assert.equal([...written.batches(256)].length, 12);
    assert.deepEqual(readdirSync(directory), []);
    if (existsSync("/proc/self/fd")) {
      const open = readdirSync("/proc/self/fd").flatMap((descriptor) => linkOf(`/proc/self/fd/${descriptor}`));
      assert.equal(open.filter((path) => path.startsWith(directory)).length, 1);
    }
    written.close();
  });

  it("where no temporary file can be made: a SourceError that does not name it", () => {
    const none = `${makeTemporaryDirectory()}/none`;
    assert.throws(
      () => withTemporaryDirectory(none, () => new WrittenSessions(directories)),
      (error) => error instanceof SourceError && error.message === "no temporary file can be made (ENOENT)",
    );
  });

  it("where the file cannot be used any more: a SourceError", () => {
    const written = new WrittenSessions(directories);
    written.add(writtenOf(1));
    written.close();
    assert.throws(() => [...written.batches(10)], SourceError);
  });
});

/** Where a descriptor leads; nothing where it was closed meanwhile. */
function linkOf(path: string): string[] {
  try {
    return [readlinkSync(path)];
  } catch {
    return [];
  }
}
