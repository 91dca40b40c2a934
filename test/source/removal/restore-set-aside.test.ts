import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { SourceError } from "../../../src/model/errors.js";
import type { SessionFile, SetAsideFile } from "../../../src/model/session-file.js";
import { type Restored, restoreSetAside } from "../../../src/source/removal/restore-set-aside.js";
import { setAsideName } from "../../../src/source/removal/set-aside-name.js";
import { systemError, tamper } from "../../support/kills/intercept-calls.js";
import { callUnprivileged } from "../../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { asideIn, dayAgo, describePlace, save, strangers } from "../support/hostile-files.js";

const sid = "ab".padEnd(40, "0");
/** A process that has ended: Linux gives no pid this high. */
const endedPid = 4_194_305;

function sessionFile(directory: string, layout: SessionFile["layout"], own = sid): SessionFile {
  const name = layout === "flat" ? `werkzeug_${own}.sess` : `${own.slice(0, 2)}/${own}`;
  return { directory, name, layout, sid: own };
}

function newDirectory(): string {
  const directory = join(makeTemporaryDirectory(), "sessions");
  mkdirSync(join(directory, "ab"), { recursive: true });
  return directory;
}

/** Sets a file aside, as a killed purge leaves it. */
function layAside(file: SessionFile, content = "aside", pid = endedPid): SetAsideFile {
  const asideName = setAsideName(basename(file.name)).replace(String(process.pid), String(pid));
  save(join(file.directory, dirname(file.name), asideName), content);
  return { file, asideName, pid };
}

function pathOf(file: SessionFile): string {
  return join(file.directory, file.name);
}

const nothingDone: Restored = { files: [], inHand: 0, problems: [] };

describe("restore-set-aside: files that a crash left set aside (spec.md section 4, Purge)", () => {
  it("nothing is left", () => assert.deepEqual(restoreSetAside([]), nothingDone));

  it("files come back in both layouts and several directories, and are reported", () => {
    const directories = [newDirectory(), newDirectory()];
    const files = directories.flatMap((directory) => [
      sessionFile(directory, "flat"),
      sessionFile(directory, "scattered"),
    ]);
    const restored = restoreSetAside(files.map((file) => layAside(file)));
    assert.deepEqual(restored, { files, inHand: 0, problems: [] });
    for (const file of files) assert.equal(describePlace(pathOf(file)), "file: aside");
    for (const directory of directories) {
      assert.deepEqual(readdirSync(directory).sort(), ["ab", `werkzeug_${sid}.sess`]);
      assert.deepEqual(readdirSync(join(directory, "ab")), [sid]);
    }
  });

  it("two of one name: the later one stays, in either order, and is reported once", () => {
    for (const order of [1, -1]) {
      const file = sessionFile(newDirectory(), "scattered");
      const both = [layAside(file, "earlier"), layAside(file, "later")];
      const later = both[1];
      assert(later !== undefined);
      save(join(file.directory, "ab", later.asideName), "later", dayAgo + 1);
      const restored = restoreSetAside(order === 1 ? both : both.reverse());
      assert.deepEqual(restored, { files: [file], inHand: 0, problems: [] });
      assert.equal(describePlace(pathOf(file)), "file: later");
      assert.deepEqual(asideIn(join(file.directory, "ab")), []);
    }
  });

  it("if a file has the name, it is not reported: the scan has listed it", () => {
    const file = sessionFile(newDirectory(), "flat");
    save(pathOf(file), "later", dayAgo + 1);
    assert.deepEqual(restoreSetAside([layAside(file)]), nothingDone);
    assert.equal(describePlace(pathOf(file)), "file: later");
  });

  for (const [stranger, make] of Object.entries(strangers)) {
    it(`${stranger} that has the name gets another`, () => {
      const file = sessionFile(newDirectory(), "flat");
      const outside = join(makeTemporaryDirectory(), "outside");
      writeFileSync(outside, "outside");
      make(pathOf(file), outside);
      const before = describePlace(pathOf(file));
      assert.deepEqual(restoreSetAside([layAside(file)]), { ...nothingDone, files: [file] });
      assert.equal(describePlace(pathOf(file)), "file: aside");
      const others = readdirSync(file.directory).filter((name) => name.startsWith(`${file.name}.`));
      assert.deepEqual(
        others.map((name) => describePlace(join(file.directory, name))),
        [before],
      );
      assert.deepEqual(asideIn(file.directory), []);
    });
  }

  it("one that cannot be put back does not stop the others", () => {
    const directory = newDirectory();
    const [stuck, free] = [sessionFile(directory, "flat"), sessionFile(directory, "scattered")];
    const action = () => {
      throw systemError("EIO");
    };
    const end = tamper([{ side: "before", call: "linkSync", file: stuck.name, action }]);
    try {
      const restored = restoreSetAside([layAside(stuck), layAside(free)]);
      assert.deepEqual(restored, { files: [free], inHand: 0, problems: ["EIO"] });
    } finally {
      end();
    }
    assert.equal(asideIn(directory).length, 1);
  });

  it("one that has gone since it was listed is no problem", () => {
    const file = sessionFile(newDirectory(), "flat");
    const setAside = layAside(file);
    rmSync(join(file.directory, setAside.asideName));
    assert.deepEqual(restoreSetAside([setAside]), nothingDone);
  });

  for (const [stranger, make] of Object.entries(strangers)) {
    it(`${stranger} that was set aside comes back, a directory under another name, and is no session`, () => {
      const file = sessionFile(newDirectory(), "flat");
      const asideName = setAsideName(file.name);
      const outside = join(makeTemporaryDirectory(), "outside");
      writeFileSync(outside, "outside");
      make(join(file.directory, asideName), outside);
      const before = describePlace(join(file.directory, asideName));
      assert.deepEqual(restoreSetAside([{ file, asideName, pid: endedPid }]), nothingDone);
      const [now = "", ...more] = readdirSync(file.directory).filter((name) => name.startsWith(file.name));
      assert.equal(describePlace(join(file.directory, now)), before);
      assert.equal(now === file.name, !stranger.endsWith("directory"));
      assert.deepEqual([more, asideIn(file.directory)], [[], []]);
    });
  }
});

describe("restore-set-aside: a running purge's files", () => {
  it("they stay there, and are counted", async () => {
    const child = spawn("sh", ["-c", "echo started; read line", "tele-sessions"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    const file = sessionFile(newDirectory(), "flat");
    const setAside = layAside(file, "in hand", child.pid);
    try {
      assert.deepEqual(restoreSetAside([setAside]), { ...nothingDone, inHand: 1 });
      assert.equal(describePlace(pathOf(file)), "nothing");
    } finally {
      child.stdin.end();
      await once(child, "exit");
    }
    assert.deepEqual(restoreSetAside([setAside]), { ...nothingDone, files: [file] });
  });

  it("they come back if another program has the pid by now, or we do", () => {
    for (const pid of [1, process.pid, 0]) {
      const file = sessionFile(newDirectory(), "flat");
      assert.deepEqual(restoreSetAside([layAside(file, "aside", pid)]), { ...nothingDone, files: [file] });
    }
  });
});

describe("restore-set-aside: leaves everything outside alone", () => {
  it("does not follow a scatter folder that became a symlink", () => {
    const [directory, outside] = [newDirectory(), newDirectory()];
    const inside = layAside(sessionFile(directory, "scattered"));
    const other = layAside(sessionFile(outside, "scattered"), "outside");
    renameSync(join(directory, "ab"), `${directory}-away`);
    symlinkSync(join(outside, "ab"), join(directory, "ab"));
    const listed = { ...other, file: inside.file };
    assert.deepEqual(restoreSetAside([listed]), nothingDone);
    assert.equal(describePlace(join(outside, "ab", other.asideName)), "file: outside");
    assert.deepEqual(readdirSync(join(outside, "ab")), [other.asideName]);
  });

  it("a session directory that became a symlink is a SourceError", () => {
    const [directory, outside] = [newDirectory(), newDirectory()];
    const { asideName, pid } = layAside(sessionFile(outside, "flat"), "outside");
    renameSync(directory, `${directory}-away`);
    symlinkSync(outside, directory);
    const listed = { file: sessionFile(directory, "flat"), asideName, pid };
    assert.throws(() => restoreSetAside([listed]), SourceError);
    assert.deepEqual(asideIn(outside), [asideName]);
  });

  it("a session directory that is gone is a SourceError", () => {
    const file = sessionFile(newDirectory(), "flat");
    const setAside = layAside(file);
    rmSync(file.directory, { recursive: true });
    assert.throws(() => restoreSetAside([setAside]), SourceError);
  });
});

it("restore-set-aside: a folder without permission is a problem, and the others come back", () => {
  const directory = newDirectory();
  const closed = layAside(sessionFile(directory, "scattered"));
  const open = layAside(sessionFile(directory, "flat"));
  chmodSync(join(directory, "ab"), 0);
  const restored = callUnprivileged<Restored>(
    directory,
    new URL("../../../src/source/removal/restore-set-aside.js", import.meta.url),
    `return module.restoreSetAside(${JSON.stringify([closed, open])});`,
  );
  chmodSync(join(directory, "ab"), 0o700);
  // If another's file may not be linked, it is renamed.
  assert.deepEqual(restored, { files: [open.file], inHand: 0, problems: ["EACCES"] });
  assert.equal(describePlace(pathOf(open.file)), "file: aside");
  assert.equal(asideIn(join(directory, "ab")).length, 1);
});
