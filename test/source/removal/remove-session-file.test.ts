import assert from "node:assert/strict";
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { ExactStamp } from "../../../src/model/session-file.js";
import { readPlaceExactly } from "../../../src/source/read-session-file.js";
import { type Removal, removeSessionFile } from "../../../src/source/removal/remove-session-file.js";
import { type FileCall, systemError, tamper } from "../../support/kills/intercept-calls.js";
import { callUnprivileged } from "../../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { asideIn, dayAgo, describePlace, replace, save, strangers } from "../support/hostile-files.js";

const sid = "a1".padEnd(40, "0");
const file = `werkzeug_${sid}.sess`;

interface Place {
  readonly folder: string;
  readonly path: string;
  /** A file outside the session directory. */
  readonly outside: string;
  /** The session file as it was when it was compared. */
  readonly compared: ExactStamp;
}

function makePlace(): Place {
  const folder = makeTemporaryDirectory();
  const path = join(folder, file);
  save(path, "proven");
  const outside = join(makeTemporaryDirectory(), "outside");
  save(outside, "outside");
  const reading = readPlaceExactly(path, 1000);
  assert(reading.kind === "read");
  return { folder, path, outside, compared: reading.exact };
}

type Action = (place: Place) => void;
type Meanwhile = readonly (readonly [side: "before" | "after", call: FileCall, action: Action, at?: number])[];

/** Removes the session file while something happens. */
function remove(place: Place, meanwhile: Meanwhile): Removal {
  const end = tamper(
    meanwhile.map(([side, call, action, at = 1]) => ({ side, call, file, at, action: () => action(place) })),
  );
  try {
    return removeSessionFile(place.folder, file, place.compared);
  } finally {
    end();
  }
}

/** The content of what got another name. */
function renamedIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /\.sess\.[0-9a-f]{16}$/.test(name))
    .map((name) => join(folder, name));
}

function answer(code: string): Action {
  return () => {
    throw systemError(code);
  };
}

const newSave: Action = ({ path }) => save(path, "saved since", dayAgo + 60);
const earlierSave: Action = ({ path }) => save(path, "earlier", dayAgo - 60);
const sameLooks: Action = ({ path }) => save(path, "PROVEN");

/** What may replace a file that was compared. */
const swaps: Readonly<Record<string, Action>> = {
  "a later save": newSave,
  "an earlier save": earlierSave,
  "another content of the same size and time": sameLooks,
  "the same content and time in another file": ({ path }) => save(path, "proven"),
  "a second name for a file outside": ({ path, outside }) => replace(path, () => linkSync(outside, path)),
  "a file without a byte": ({ path }) => save(path, ""),
  "another time": ({ path }) => utimesSync(path, dayAgo + 0.001, dayAgo + 0.001),
  "another size, in place": ({ path }) => writeFileSync(path, "grown since"),
  ...Object.fromEntries(
    Object.entries(strangers).map(([name, make]): [string, Action] => [
      name,
      ({ path, outside }) => replace(path, () => make(path, outside)),
    ]),
  ),
};

describe("remove-session-file: removes the file that was compared, and no other (spec.md section 4, Purge)", () => {
  it("removes it, and leaves nothing of ours", () => {
    const place = makePlace();
    assert.deepEqual(remove(place, []), { kind: "removed" });
    assert.equal(describePlace(place.path), "nothing");
    assert.deepEqual(asideIn(place.folder), []);
  });

  for (const [name, swap] of Object.entries(swaps)) {
    for (const [when, call] of [
      ["before it is checked", "lstatSync"],
      ["after it was checked, before it is set aside", "renameSync"],
    ] as const) {
      it(`${name}, ${when}: it stays`, () => {
        const place = makePlace();
        let swapped = "";
        let inode = 0;
        const removal = remove(place, [
          [
            "before",
            call,
            (one) => {
              swap(one);
              swapped = describePlace(place.path);
              inode = lstatSync(place.path).ino;
            },
          ],
        ]);
        assert.deepEqual(removal, { kind: "changed" });
        // Back at its name, but for a directory that was set aside: that stays under another.
        const [now = place.path] = renamedIn(place.folder);
        assert.equal(describePlace(now), swapped);
        assert.equal(lstatSync(now).ino, inode);
        assert.equal(now !== place.path, call === "renameSync" && swapped.startsWith("directory"));
        assert.deepEqual(asideIn(place.folder), []);
        assert.equal(describePlace(place.outside), "file: outside");
      });
    }

    it(`${name} comes once it is set aside: it is removed, and that stays`, () => {
      const place = makePlace();
      let came = "";
      const removal = remove(place, [
        [
          "after",
          "renameSync",
          (one) => {
            // Something was there for a moment, for the swap to take its place.
            save(one.path, "x");
            swap(one);
            came = describePlace(one.path);
          },
        ],
      ]);
      assert.deepEqual(removal, { kind: "removed" });
      assert.equal(describePlace(place.path), came);
      assert.deepEqual(asideIn(place.folder), []);
      assert.equal(describePlace(place.outside), "file: outside");
    });
  }

  for (const [name, write] of [
    ["another content", "PROVEN"],
    ["the same content", "proven"],
  ] as const) {
    it(`${name}, rewritten in place with its mtime restored, is another file: its ctime differs`, () => {
      const place = makePlace();
      const { atime, mtime, ino } = statSync(place.path);
      // Repeats until the ctime differs; some systems count it in steps.
      do {
        writeFileSync(place.path, write);
        utimesSync(place.path, atime, mtime);
      } while (lstatSync(place.path, { bigint: true }).ctimeNs === place.compared.ctimeNs);
      assert.deepEqual(remove(place, []), { kind: "changed" });
      assert.equal(describePlace(place.path), `file: ${write}`);
      assert.equal(statSync(place.path).ino, ino);
    });
  }

  it("a changed mode alone: it stays, for more may have changed", () => {
    const place = makePlace();
    do chmodSync(place.path, 0o640);
    while (lstatSync(place.path, { bigint: true }).ctimeNs === place.compared.ctimeNs);
    assert.deepEqual(remove(place, []), { kind: "changed" });
  });
});

describe("remove-session-file: another file was set aside, and something came to its name", () => {
  const rows: readonly {
    readonly name: string;
    readonly first: Action;
    readonly second: Action;
    /** What has the name, and what got another name, if anything. */
    readonly ends: readonly string[];
  }[] = [
    {
      name: "a later save: it stays, as the server would have had it",
      first: sameLooks,
      second: newSave,
      ends: ["file: saved since"],
    },
    {
      name: "an earlier save: the later of both stays",
      first: sameLooks,
      second: earlierSave,
      ends: ["file: PROVEN"],
    },
    {
      name: "a file without a byte: it holds no session",
      first: sameLooks,
      second: ({ path }) => save(path, "", dayAgo + 60),
      ends: ["file: PROVEN"],
    },
    ...Object.entries(strangers).flatMap(([stranger, make]) => [
      {
        name: `${stranger}: both stay, the session file under its name`,
        first: sameLooks,
        second: ({ path, outside }: Place) => make(path, outside),
        ends: ["file: PROVEN", stranger],
      },
      {
        name: `a session file, while ${stranger} was set aside: both stay, the session file under its name`,
        first: ({ path, outside }: Place) => replace(path, () => make(path, outside)),
        second: newSave,
        ends: ["file: saved since", stranger],
      },
    ]),
  ];
  for (const { name, first, second, ends } of rows) {
    it(name, () => {
      const place = makePlace();
      const removal = remove(place, [
        ["before", "renameSync", first],
        ["after", "renameSync", second],
      ]);
      assert.deepEqual(removal, { kind: "changed" });
      const left = [place.path, ...renamedIn(place.folder)].map((path) => describePlace(path));
      const plain = (text: string) =>
        text.replace(/^(symlink|directory|pipe).*|^an? (?:empty )?(symlink|directory|pipe).*/, "$1$2");
      assert.deepEqual(left.map(plain), ends.map(plain));
      assert.deepEqual(asideIn(place.folder), []);
      assert.equal(describePlace(place.outside), "file: outside");
    });
  }
});

describe("remove-session-file: a failure leaves the file where it was", () => {
  const rows: readonly {
    readonly name: string;
    readonly meanwhile: Meanwhile;
    readonly removal: Removal;
    /** What has the name. */
    readonly path: string;
    readonly aside?: number;
  }[] = [
    {
      name: "it cannot be statted",
      meanwhile: [["before", "lstatSync", answer("EACCES")]],
      removal: { kind: "failed", code: "EACCES" },
      path: "file: proven",
    },
    {
      name: "the directory may not be written to",
      meanwhile: [["before", "renameSync", answer("EROFS")]],
      removal: { kind: "denied", code: "EROFS" },
      path: "file: proven",
    },
    {
      name: "it is gone",
      meanwhile: [["before", "lstatSync", ({ path }) => rmSync(path)]],
      removal: { kind: "vanished" },
      path: "nothing",
    },
    {
      name: "it disappears after it was checked",
      meanwhile: [["before", "renameSync", ({ path }) => rmSync(path)]],
      removal: { kind: "vanished" },
      path: "nothing",
    },
    {
      name: "it may not be opened any more",
      meanwhile: [["before", "openSync", answer("EACCES")]],
      removal: { kind: "failed", code: "EACCES" },
      path: "file: proven",
    },
    {
      name: "it cannot be unlinked",
      meanwhile: [["before", "unlinkSync", answer("EIO")]],
      removal: { kind: "failed", code: "EIO" },
      path: "file: proven",
    },
    {
      name: "it can be neither unlinked nor put back",
      meanwhile: [
        ["before", "unlinkSync", answer("EIO")],
        ["before", "linkSync", answer("EIO")],
      ],
      removal: { kind: "failed", code: "EIO, set aside" },
      path: "nothing",
      aside: 1,
    },
    {
      name: "another file is set aside and cannot be put back",
      meanwhile: [
        ["before", "renameSync", sameLooks],
        ["before", "linkSync", answer("EACCES")],
      ],
      removal: { kind: "failed", code: "EACCES" },
      path: "nothing",
      aside: 1,
    },
    {
      name: "another file is set aside, on a file system without links: it is still put back",
      meanwhile: [
        ["before", "renameSync", sameLooks],
        ["before", "linkSync", answer("EPERM")],
      ],
      removal: { kind: "changed" },
      path: "file: PROVEN",
    },
    {
      name: "another run takes it for a crash's leftover and puts it back before it is opened",
      meanwhile: [["before", "openSync", putBackByOther]],
      removal: { kind: "vanished" },
      path: "file: proven",
    },
    {
      name: "the same, before it is unlinked",
      meanwhile: [["before", "unlinkSync", putBackByOther]],
      removal: { kind: "vanished" },
      path: "file: proven",
    },
  ];
  for (const { name, meanwhile, removal, path, aside = 0 } of rows) {
    it(name, () => {
      const place = makePlace();
      assert.deepEqual(remove(place, meanwhile), removal);
      assert.equal(describePlace(place.path), path);
      assert.equal(asideIn(place.folder).length, aside);
    });
  }

  it("throws errors that are not the system's", () => {
    const bug: Action = () => {
      throw new TypeError("a bug");
    };
    for (const call of ["lstatSync", "openSync", "unlinkSync"] as const) {
      assert.throws(() => remove(makePlace(), [["before", call, bug]]), TypeError);
    }
  });

  it("an account that may not write to the directory", () => {
    const folder = join(makeTemporaryDirectory(), "sessions");
    mkdirSync(folder);
    save(join(folder, file), "proven");
    const removal = callUnprivileged<Removal>(
      folder,
      new URL("../../../src/source/removal/remove-session-file.js", import.meta.url),
      `const fs = await import("node:fs");
       const folder = ${JSON.stringify(folder)};
       const compared = fs.lstatSync(folder + "/${file}", { bigint: true });
       fs.chmodSync(folder, 0o500);
       return module.removeSessionFile(folder, "${file}", compared);`,
    );
    assert.deepEqual(removal, { kind: "denied", code: "EACCES" });
    assert.equal(describePlace(join(folder, file)), "file: proven");
    chmodSync(folder, 0o700);
  });
});

function putBackByOther({ folder, path }: Place): void {
  renameSync(join(folder, asideIn(folder)[0] ?? ""), path);
}
