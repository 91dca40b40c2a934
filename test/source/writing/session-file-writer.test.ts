import assert from "node:assert/strict";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { SourceError } from "../../../src/model/errors.js";
import type { ExactStamp, SessionFile } from "../../../src/model/session-file.js";
import { type FileWritten, SessionFileWriter } from "../../../src/source/writing/session-file-writer.js";
import { removeLeftTemporaries, temporaryName } from "../../../src/source/writing/temporary-files.js";
import { interceptCalls, systemError } from "../../support/kills/intercept-calls.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";

const sid = "ab".padEnd(40, "0");
const mtimeMs = Date.now() - 7_200_000;
const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: 0o640 };

interface Place {
  readonly directory: string;
  readonly file: SessionFile;
  readonly path: string;
}

function makePlace(layout: SessionFile["layout"] = "flat"): Place {
  const directory = makeTemporaryDirectory();
  const name = layout === "flat" ? `werkzeug_${sid}.sess` : `ab/${sid}`;
  return { directory, file: { directory, name, layout, sid }, path: join(directory, name) };
}

async function write({ directory, file }: Place, replaces: ExactStamp | "empty" | null): Promise<FileWritten> {
  const writer = new SessionFileWriter(directory, owner);
  try {
    const [written] = await writer.write([{ file, bytes: Buffer.from("new"), mtimeMs, replaces }]);
    assert(written !== undefined);
    return written;
  } finally {
    writer.close();
  }
}

/** Does something just before the call that gives the new file its place. */
function before(t: TestContext, call: "linkSync" | "renameSync", action: () => void): void {
  let done = false;
  t.after(
    interceptCalls(({ name, paths, proceed }) => {
      if (name === call && !done && basename(paths[1] ?? "").includes(sid)) {
        done = true;
        action();
      }
      return proceed();
    }),
  );
}

function saveOther(path: string): void {
  writeFileSync(`${path}.other`, "saved by a server");
  renameSync(`${path}.other`, path);
}

const stampOf = (path: string): ExactStamp => lstatSync(path, { bigint: true });
const namesIn = (directory: string) => readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();

describe("session-file-writer: a whole file takes its place, or nothing does", () => {
  for (const layout of ["flat", "scattered"] as const) {
    it(`a new file, ${layout}: content, time and mode`, async () => {
      const place = makePlace(layout);
      assert.deepEqual(await write(place, null), { kind: "written" });
      const stats = statSync(place.path);
      assert.equal(readFileSync(place.path, "utf8"), "new");
      assert.deepEqual([stats.mode & 0o777, stats.nlink], [0o640, 1]);
      assert.ok(Math.abs(stats.mtimeMs - mtimeMs) < 1);
      assert.deepEqual(namesIn(place.directory).length, layout === "flat" ? 1 : 2);
    });
  }

  it("takes the place of the file that was seen", async () => {
    const place = makePlace();
    writeFileSync(place.path, "old");
    assert.deepEqual(await write(place, stampOf(place.path)), { kind: "written" });
    assert.equal(readFileSync(place.path, "utf8"), "new");
  });

  it("takes the place of an empty file, and of no other", async () => {
    const place = makePlace();
    writeFileSync(place.path, "");
    assert.deepEqual(await write(place, "empty"), { kind: "written" });
    assert.deepEqual(await write(place, "empty"), { kind: "changed" });
  });

  const changes: readonly (readonly [name: string, (path: string) => void])[] = [
    ["saved again", saveOther],
    ["gone", (path) => rmSync(path)],
    ["touched", (path) => utimesSync(path, 1, 1)],
    ["linked", (path) => linkSync(path, `${path}.link`)],
    [
      "a symlink",
      (path) => {
        rmSync(path);
        symlinkSync("/etc/passwd", path);
      },
    ],
  ];
  for (const [name, change] of changes) {
    it(`leaves what is ${name} since it was seen`, async () => {
      const place = makePlace();
      writeFileSync(place.path, "old");
      const seen = stampOf(place.path);
      change(place.path);
      const now = namesIn(place.directory);
      assert.deepEqual(await write(place, seen), { kind: "changed" });
      assert.deepEqual(namesIn(place.directory), now);
    });
  }

  it("a file that comes at the last moment stays", async (t) => {
    const place = makePlace();
    before(t, "linkSync", () => saveOther(place.path));
    assert.deepEqual(await write(place, null), { kind: "changed" });
    assert.equal(readFileSync(place.path, "utf8"), "saved by a server");
    assert.deepEqual(namesIn(place.directory).length, 1);
  });

  it("without hard links it looks, then renames", async (t) => {
    const place = makePlace();
    t.after(
      interceptCalls(({ name, proceed }) => {
        if (name === "linkSync") throw systemError("EPERM");
        return proceed();
      }),
    );
    assert.deepEqual(await write(place, null), { kind: "written" });
    assert.deepEqual(await write(place, null), { kind: "changed" });
    assert.deepEqual(namesIn(place.directory).length, 1);
  });

  it("a server's clean-up that takes the temporary file makes it a change", async (t) => {
    const place = makePlace();
    before(t, "linkSync", () => {
      for (const name of readdirSync(place.directory)) rmSync(join(place.directory, name));
    });
    assert.deepEqual(await write(place, null), { kind: "changed" });
  });

  const obstacles: readonly (readonly [name: string, make: (place: Place) => void, code: string])[] = [
    ["a file in the folder's place", ({ path }) => writeFileSync(dirname(path), "x"), "ENOTDIR"],
    ["a symlink in the folder's place", ({ path }) => symlinkSync(makeTemporaryDirectory(), dirname(path)), "ENOTDIR"],
  ];
  for (const [name, make, code] of obstacles) {
    it(`${name} fails this file alone`, async () => {
      const place = makePlace("scattered");
      make(place);
      assert.deepEqual(await write(place, null), { kind: "failed", code });
      assert.deepEqual(namesIn(place.directory), ["ab"]);
    });
  }

  it("a full disk ends it, and leaves no temporary file", async (t) => {
    const place = makePlace();
    before(t, "linkSync", () => {
      throw systemError("ENOSPC");
    });
    await assert.rejects(write(place, null), (error) => {
      assert(error instanceof SourceError);
      assert.match(error.message, /cannot be written: .*free some space there \(ENOSPC\)/);
      return true;
    });
    assert.deepEqual(namesIn(place.directory), []);
  });

  it("what a killed export left goes after ten minutes, and nothing else", () => {
    const directory = makeTemporaryDirectory();
    const [left, others] = [temporaryName("0".repeat(16)), ["tmp1.__wz_sess", "tmp-tele-sessions-1", "ab"]];
    for (const name of [left, ...others.slice(0, 2)]) writeFileSync(join(directory, name), "x");
    mkdirSync(join(directory, "ab"));
    assert.equal(removeLeftTemporaries(directory), 0);
    assert.equal(removeLeftTemporaries(directory, Date.now() + 11 * 60_000), 1);
    assert.deepEqual(namesIn(directory), [...others].sort());
  });
});
