import assert from "node:assert/strict";
import { linkSync, lstatSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { putBack } from "../../../src/source/removal/put-back.js";
import { setAsideName } from "../../../src/source/removal/set-aside-name.js";
import { type FileCall, systemError, tamper } from "../../support/kills/intercept-calls.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { asideIn, dayAgo, describePlace, save, strangers } from "../support/hostile-files.js";

const file = `werkzeug_${"a1".padEnd(40, "0")}.sess`;

interface Place {
  readonly folder: string;
  readonly path: string;
  readonly aside: string;
  readonly outside: string;
}

function makePlace(): Place {
  const folder = makeTemporaryDirectory();
  const outside = join(makeTemporaryDirectory(), "outside");
  writeFileSync(outside, "outside");
  return { folder, path: join(folder, file), aside: join(folder, setAsideName(file)), outside };
}

describe("put-back: what has the name decides (spec.md section 4, Purge: never over a newer one)", () => {
  const rows: readonly {
    readonly name: string;
    readonly aside: (place: Place) => void;
    readonly standing: (place: Place) => void;
    /** What has another name in the end; nothing by default. */
    readonly renamed?: string;
    /** In the end: what has the name, and what lies aside. */
    readonly ends: readonly [path: string, aside: string];
  }[] = [
    {
      name: "nothing: it comes back",
      aside: ({ aside }) => save(aside, "aside"),
      standing: () => undefined,
      ends: ["file: aside", "nothing"],
    },
    {
      name: "a later file: the one aside goes, as the server would have replaced it",
      aside: ({ aside }) => save(aside, "aside"),
      standing: ({ path }) => save(path, "later", dayAgo + 1),
      ends: ["file: later", "nothing"],
    },
    {
      name: "a file of the same time: it came later",
      aside: ({ aside }) => save(aside, "aside"),
      standing: ({ path }) => save(path, "same"),
      ends: ["file: same", "nothing"],
    },
    {
      name: "an earlier file: it goes, and the later one comes back",
      aside: ({ aside }) => save(aside, "aside"),
      standing: ({ path }) => save(path, "earlier", dayAgo - 1),
      ends: ["file: aside", "nothing"],
    },
    {
      name: "a later file without a byte, which a full disk leaves: it holds no session",
      aside: ({ aside }) => save(aside, "aside"),
      standing: ({ path }) => save(path, "", dayAgo + 1),
      ends: ["file: aside", "nothing"],
    },
    {
      name: "an earlier file, while the one aside is empty",
      aside: ({ aside }) => save(aside, ""),
      standing: ({ path }) => save(path, "earlier", dayAgo - 1),
      ends: ["file: earlier", "nothing"],
    },
    {
      name: "no byte in either",
      aside: ({ aside }) => save(aside, ""),
      standing: ({ path }) => save(path, "", dayAgo - 1),
      ends: ["file: ", "nothing"],
    },
    {
      name: "the same file: a crash came between giving its name and taking ours",
      aside: ({ aside }) => save(aside, "aside"),
      standing: ({ aside, path }) => linkSync(aside, path),
      ends: ["file: aside", "nothing"],
    },
    {
      name: "nothing is aside any more",
      aside: () => undefined,
      standing: ({ path }) => save(path, "standing"),
      ends: ["file: standing", "nothing"],
    },
    ...Object.entries(strangers).flatMap(([stranger, make]) => [
      {
        name: `nothing, and aside lies ${stranger}`,
        aside: ({ aside, outside }: Place) => make(aside, outside),
        standing: () => undefined,
        ...(stranger.endsWith("directory")
          ? { ends: ["nothing", "nothing"] as const, renamed: stranger }
          : { ends: [stranger, "nothing"] as const }),
      },
      {
        name: `a session file, and aside lies ${stranger}: neither is removed, and that gets another name`,
        aside: ({ aside, outside }: Place) => make(aside, outside),
        standing: ({ path }: Place) => save(path, "standing", dayAgo + 1),
        ends: ["file: standing", "nothing"] as const,
        renamed: stranger,
      },
      {
        name: `${stranger}: neither is removed, and that gets another name`,
        aside: ({ aside }: Place) => save(aside, "aside"),
        standing: ({ path, outside }: Place) => make(path, outside),
        ends: ["file: aside", "nothing"] as const,
        renamed: stranger,
      },
      {
        name: `${stranger}, and a pipe aside: neither is removed`,
        aside: ({ aside }: Place) => strangers["a pipe"](aside),
        standing: ({ path, outside }: Place) => make(path, outside),
        ends: [stranger, "nothing"] as const,
        renamed: "a pipe",
      },
    ]),
  ];
  for (const withLinks of [true, false]) {
    describe(withLinks ? "by link" : "on a file system without links", () => {
      for (const { name, aside, standing, renamed, ends } of rows) {
        it(name, () => {
          const place = makePlace();
          aside(place);
          standing(place);
          const inode = lstatSync(place.aside, { throwIfNoEntry: false })?.ino;
          const end = withLinks ? () => undefined : withoutLinks();
          try {
            assert.equal(putBack(place.aside, place.path), undefined);
          } finally {
            end();
          }
          const others = readdirSync(place.folder).filter((one) => one !== file);
          assert.deepEqual(
            [place.path, place.aside].map((path) => describePlace(path)),
            ends.map((one) => describedAs(one, place)),
          );
          assert.deepEqual(
            others.map((one) => describePlace(join(place.folder, one))),
            renamed === undefined ? [] : [describedAs(renamed, place)],
          );
          for (const other of others) assert.match(other, new RegExp(`^${file}\\.[0-9a-f]{16}$`));
          assert.equal(describePlace(place.outside), "file: outside");
          if (ends[0] === "file: aside") assert.equal(lstatSync(place.path).ino, inode);
        });
      }
    });
  }
});

/** The description of a stranger, else the text itself. */
function describedAs(name: string, { outside }: Place): string {
  const make = Object.entries(strangers).find(([one]) => one === name)?.[1];
  if (make === undefined) return name;
  const path = join(makeTemporaryDirectory(), file);
  make(path, outside);
  return describePlace(path);
}

/** As FAT and some network file systems have it. */
function withoutLinks(): () => void {
  const all = Array.from({ length: 20 }, (_, index) => index + 1);
  return tamper(
    all.map((at) => ({
      side: "before",
      call: "linkSync",
      file,
      at,
      action: () => {
        throw systemError("EPERM");
      },
    })),
  );
}

describe("put-back: names that come and go meanwhile", () => {
  const rows: readonly {
    readonly name: string;
    readonly moments: (
      place: Place,
    ) => readonly (readonly [side: "before" | "after", call: FileCall, at: number, action: () => void])[];
    readonly problem?: string;
    readonly path: string;
    /** How many files are still set aside. */
    readonly left: number;
  }[] = [
    {
      name: "a save between the look and the link: it stays",
      moments: ({ path }) => [["before", "linkSync", 1, () => save(path, "later", dayAgo + 1)]],
      path: "file: later",
      left: 0,
    },
    {
      name: "what was there disappears before it is checked",
      moments: ({ path }) => [
        ["before", "linkSync", 1, () => save(path, "later", dayAgo + 1)],
        ["after", "linkSync", 1, () => undefined],
        ["before", "lstatSync", 2, () => rmSync(path)],
      ],
      path: "file: aside",
      left: 0,
    },
    {
      name: "an earlier one goes before it is taken aside",
      moments: ({ path }) => [
        ["before", "linkSync", 1, () => save(path, "earlier", dayAgo - 1)],
        ["before", "renameSync", 1, () => rmSync(path)],
      ],
      path: "file: aside",
      left: 0,
    },
    {
      name: "an earlier one is replaced by a later one before it is taken aside: the later one stays",
      moments: ({ path }) => [
        ["before", "linkSync", 1, () => save(path, "earlier", dayAgo - 1)],
        ["before", "renameSync", 1, () => save(path, "later", dayAgo + 1)],
      ],
      path: "file: later",
      left: 0,
    },
    {
      name: "a later one comes once an earlier one is taken aside: it stays, both others go",
      moments: ({ path }) => [
        ["before", "linkSync", 1, () => save(path, "earlier", dayAgo - 1)],
        ["after", "renameSync", 1, () => save(path, "later", dayAgo + 1)],
      ],
      path: "file: later",
      left: 0,
    },
    {
      name: "another run puts it back first",
      moments: ({ folder, path }) => [
        ["before", "linkSync", 1, () => renameSync(join(folder, asideIn(folder)[0] ?? ""), path)],
      ],
      path: "file: aside",
      left: 0,
    },
    {
      name: "another run puts it back too, at the same time",
      moments: ({ aside, path }) => [
        ["before", "linkSync", 1, () => linkSync(aside, path)],
        ["before", "unlinkSync", 1, () => rmSync(aside)],
      ],
      path: "file: aside",
      left: 0,
    },
    {
      name: "the folder may not be written to: it stays aside",
      moments: () => [
        [
          "before",
          "linkSync",
          1,
          () => {
            throw systemError("EACCES");
          },
        ],
      ],
      problem: "EACCES",
      path: "nothing",
      left: 1,
    },
  ];
  for (const { name, moments, problem, path, left } of rows) {
    it(name, () => {
      const place = makePlace();
      save(place.aside, "aside");
      const end = tamper(moments(place).map(([side, call, at, action]) => ({ side, call, at, action, file })));
      try {
        assert.equal(putBack(place.aside, place.path), problem);
      } finally {
        end();
      }
      assert.equal(describePlace(place.path), path);
      assert.equal(asideIn(place.folder).length, left);
    });
  }

  for (const [came, make] of [
    ["a session file", (path: string) => save(path, "came")],
    ["a directory", strangers["a directory"]],
  ] as const) {
    it(`a directory lies aside, and ${came} comes between the check and its return: both stay`, () => {
      const place = makePlace();
      strangers["a directory"](place.aside);
      const action = () => make(place.path);
      const end = tamper([{ side: "before", call: "renameSync", file, action }]);
      try {
        assert.equal(putBack(place.aside, place.path), undefined);
      } finally {
        end();
      }
      const [other = "", ...more] = readdirSync(place.folder).filter((name) => name !== file);
      assert.deepEqual([describePlace(join(place.folder, other)), more], ["directory: file", []]);
      assert.equal(describePlace(place.path), came === "a directory" ? "directory: file" : "file: came");
    });
  }

  it("an empty directory lies aside, and another takes its name just then: neither replaces the other", () => {
    const place = makePlace();
    strangers["an empty directory"](place.aside);
    const inode = lstatSync(place.aside).ino;
    const action = () => strangers["an empty directory"](place.path);
    const end = tamper([{ side: "before", call: "renameSync", file, action }]);
    try {
      assert.equal(putBack(place.aside, place.path), undefined);
    } finally {
      end();
    }
    const inodes = readdirSync(place.folder).map((name) => lstatSync(join(place.folder, name)).ino);
    assert.equal(inodes.length, 2);
    assert(inodes.includes(inode));
  });

  it("earlier files that keep coming: it ends, and the latest of all still exists", () => {
    const place = makePlace();
    save(place.aside, "the latest");
    let came = 0;
    const action = () => save(place.path, `earlier ${++came}`, dayAgo - came);
    const moments = Array.from({ length: 100 }, (_, index) => index + 1);
    const end = tamper(moments.map((at) => ({ side: "before", call: "linkSync", file, at, action })));
    try {
      assert.equal(putBack(place.aside, place.path), "EEXIST");
    } finally {
      end();
    }
    assert(came < 20, `${came} came`);
    const left = [file, ...asideIn(place.folder)].map((name) => describePlace(join(place.folder, name)));
    assert(left.includes("file: the latest"), left.join());
    // A later run puts it in order.
    for (const name of asideIn(place.folder)) {
      assert.equal(putBack(join(place.folder, name), place.path), undefined);
    }
    assert.deepEqual([describePlace(place.path), asideIn(place.folder)], ["file: the latest", []]);
  });

  it("throws errors that are not the system's", () => {
    const place = makePlace();
    save(place.aside, "aside");
    const action = () => {
      throw new TypeError("a bug");
    };
    const end = tamper([{ side: "before", call: "linkSync", file, action }]);
    try {
      assert.throws(() => putBack(place.aside, place.path), TypeError);
    } finally {
      end();
    }
  });
});
