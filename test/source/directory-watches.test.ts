import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, {
  appendFileSync,
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { DirectoryWatches } from "../../src/source/directory-watches.js";
import { findMemoryDirectory } from "../support/process/memory-directory.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const name = `werkzeug_${"a".repeat(40)}.sess`;

/** A session directory with a session in each layout, and watches on it and on its folder. */
function watched(t: TestContext, directory = makeTemporaryDirectory()) {
  const folder = join(directory, "ab");
  const file = join(directory, name);
  const scattered = join(folder, `ab${"c".repeat(82)}`);
  mkdirSync(folder, { recursive: true });
  for (const path of [file, scattered]) writeFileSync(path, "before");
  const open = openSync(file, "r+");
  t.after(() => closeSync(open));
  const watches = new DirectoryWatches();
  t.after(() => watches.close());
  for (const path of [directory, folder]) watches.add(path);
  return { directory, folder, file, scattered, open, watches };
}

type Place = Omit<ReturnType<typeof watched>, "watches">;

/** What a server or an operator may do; each changes what a copy would find. */
const changes: Readonly<Record<string, (place: Place) => void>> = {
  "saves a session: a temporary file, renamed over the old one": ({ directory, file }) => {
    writeFileSync(join(directory, "tmp1.__wz_sess"), "after");
    renameSync(join(directory, "tmp1.__wz_sess"), file);
  },
  "saves a scattered session": ({ folder, scattered }) => {
    writeFileSync(join(folder, "tmp1.__wz_sess"), "after");
    renameSync(join(folder, "tmp1.__wz_sess"), scattered);
  },
  "makes a new session": ({ directory }) => writeFileSync(join(directory, name.replaceAll("a", "b")), ""),
  "makes a new session in a folder": ({ folder }) => writeFileSync(join(folder, "new"), ""),
  "makes a folder and a session in it": ({ directory }) => {
    mkdirSync(join(directory, "cd"));
    writeFileSync(join(directory, "cd", "new"), "");
  },
  "writes in place": ({ file }) => writeFileSync(file, "after!"),
  appends: ({ scattered }) => appendFileSync(scattered, "!"),
  "writes through a descriptor that was open before": ({ open }) => void writeSync(open, "after!"),
  "writes the same bytes again": ({ open }) => void writeSync(open, "before"),
  truncates: ({ file }) => truncateSync(file, 3),
  "sets times": ({ file }) => utimesSync(file, 1, 1),
  "changes permissions": ({ scattered }) => chmodSync(scattered, 0o600),
  "logs out: unlinks a session": ({ file }) => unlinkSync(file),
  "unlinks a scattered session": ({ scattered }) => unlinkSync(scattered),
  "moves a session to its folder": ({ file, folder }) => renameSync(file, join(folder, "moved")),
  "moves a session away": ({ file }) => renameSync(file, join(makeTemporaryDirectory(), "away")),
  "moves a session in": ({ folder }) => {
    const outside = join(makeTemporaryDirectory(), "outside");
    writeFileSync(outside, "");
    renameSync(outside, join(folder, "in"));
  },
  "links a session in": ({ file, folder }) => linkSync(file, join(folder, "link")),
  "makes a symlink": ({ directory }) => symlinkSync("nowhere", join(directory, "symlink")),
  "removes a folder": ({ folder }) => rmSync(folder, { recursive: true }),
  "moves a folder away and back": ({ folder }) => {
    renameSync(folder, `${folder}c`);
    renameSync(`${folder}c`, folder);
  },
  "moves the session directory away and back": ({ directory }) => {
    renameSync(directory, `${directory}c`);
    renameSync(`${directory}c`, directory);
  },
  "changes the session directory's permissions": ({ directory }) => chmodSync(directory, 0o755),
  "changes and undoes it": ({ directory }) => {
    mkdirSync(join(directory, "zz"));
    rmdirSync(join(directory, "zz"));
  },
};

describe("directory watches", () => {
  for (const [action, change] of Object.entries(changes)) {
    it(`see that somebody ${action}`, async (t) => {
      const { watches, ...place } = watched(t);
      assert.equal(await watches.areQuiet(), true);
      change(place);
      assert.equal(await watches.areQuiet(), false);
      assert.equal(await watches.areQuiet(), false, "an event counts once and for all");
    });
  }

  it("see a change of another process that ended just before the question", async (t) => {
    for (let round = 0; round < 20; round++) {
      const { watches, file } = watched(t);
      execFileSync("sh", ["-c", 'echo after > "$1"', "sh", file]);
      assert.equal(await watches.areQuiet(), false);
    }
  });

  it("see a change whenever the question is asked in the event loop", async (t) => {
    const moments: readonly ((then: () => void) => void)[] = [
      (then) => then(),
      (then) => setTimeout(then, 1),
      (then) => setImmediate(then),
      (then) => process.nextTick(then),
      (then) => fs.stat("/", then),
      (then) => setImmediate(() => setImmediate(then)),
      (then) => fs.stat("/", () => setImmediate(then)),
    ];
    for (const moment of moments) {
      const { watches, file } = watched(t);
      const isQuiet = await new Promise<boolean>((resolve) =>
        moment(() => {
          utimesSync(file, 1, 1);
          resolve(watches.areQuiet());
        }),
      );
      assert.equal(isQuiet, false);
    }
  });

  it("see more changes than the kernel keeps", async (t) => {
    const { watches, file, scattered } = watched(t);
    const most = Number(readFileSync("/proc/sys/fs/inotify/max_queued_events", "utf8"));
    // In turn, for the kernel merges an event with one before it that is the same.
    for (let count = 0; count <= most; count += 2) for (const path of [file, scattered]) utimesSync(path, 1, 1);
    assert.equal(await watches.areQuiet(), false);
  });

  for (const [place, path] of Object.entries({ memory: findMemoryDirectory(), disk: "/var/tmp" })) {
    it(`do not see that files are listed and read: ${place}`, async (t) => {
      if (path === undefined) return;
      const directory = mkdtempSync(join(path, "tele-sessions-"));
      t.after(() => rmSync(directory, { recursive: true }));
      writeFileSync(join(directory, name), "before");
      // So old that the next access changes it, unless the file system keeps none.
      utimesSync(join(directory, name), 1, 1);
      const { watches, folder, file, scattered } = watched(t, directory);
      for (const one of [directory, folder]) readdirSync(one);
      for (const one of [file, scattered]) readFileSync(one);
      assert.equal(await watches.areQuiet(), true);
    });
  }

  it("cannot tell of a folder on a file system that other machines may change", async (t) => {
    const { watches } = watched(t);
    watches.add("/proc/self");
    assert.equal(await watches.areQuiet(), false);
  });

  it("cannot tell of a folder that is gone", async (t) => {
    const { watches, directory } = watched(t);
    watches.add(join(directory, "none"));
    assert.equal(await watches.areQuiet(), false);
  });

  it("cannot tell of another directory at the path, which no watch is on", async (t) => {
    const above = makeTemporaryDirectory();
    const { watches } = watched(t, join(above, "data", "sessions"));
    // The folder above is not watched, so nothing tells of this.
    renameSync(join(above, "data"), join(above, "old"));
    mkdirSync(join(above, "data", "sessions", "ab"), { recursive: true });
    assert.equal(await watches.areQuiet(), false);
  });

  for (const code of ["ENOSPC", "EMFILE"]) {
    it(`cannot tell if the system has no watch to give (${code})`, async (t) => {
      const { watches, directory } = watched(t);
      const original = fs.watch;
      t.after(() => {
        fs.watch = original;
        syncBuiltinESMExports();
      });
      fs.watch = () => {
        throw Object.assign(new Error(code), { code });
      };
      syncBuiltinESMExports();
      watches.add(makeTemporaryDirectory());
      watches.add(directory);
      assert.equal(await watches.areQuiet(), false);
    });
  }

  it("are on every scatter folder that there can be, and on no more", async (t) => {
    const directory = makeTemporaryDirectory();
    const folders = Array.from({ length: 64 ** 2 }, (_, index) => join(directory, String(index)));
    for (const folder of folders) mkdirSync(folder);
    const watches = new DirectoryWatches();
    t.after(() => watches.close());
    for (const path of [directory, ...folders]) watches.add(path);
    assert.equal(await watches.areQuiet(), true);
    watches.add(directory);
    assert.equal(await watches.areQuiet(), true, "a folder that is watched already");
    watches.add(makeTemporaryDirectory());
    assert.equal(await watches.areQuiet(), false);
  });

  it("tell nothing once they are closed", async (t) => {
    const { watches } = watched(t);
    watches.close();
    assert.equal(await watches.areQuiet(), false);
  });

  it("do not keep the process alive", () => {
    const url = new URL("../../src/source/directory-watches.js", import.meta.url).href;
    const script = `const { DirectoryWatches } = await import(process.argv[1]);
      new DirectoryWatches().add(process.argv[2]);`;
    execFileSync(process.execPath, ["--input-type=module", "-e", script, url, makeTemporaryDirectory()], {
      timeout: 10_000,
    });
  });
});
