import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { before, describe, it } from "node:test";
import { compileNative } from "../../bench/native/compile-native.js";
import { provideCompiler } from "../../bench/rivals/rival-programs.js";
import { SourceError } from "../../src/model/errors.js";
import { isSid, newScanTally, type ScanTally } from "../../src/model/session-file.js";
import { isScatterFolder, layouts } from "../../src/source/layouts.js";
import { scanSessions } from "../../src/source/scan-sessions.js";
import { interceptCalls } from "../support/kills/intercept-calls.js";
import { callUnprivileged } from "../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const hex = (start: string): string => start.padEnd(40, "0");
const long = (start: string, length = 84): string => start.padEnd(length, "Ab9_-");

const scanModule = new URL("../../src/source/scan-sessions.js", import.meta.url).href;

/** A new session directory that holds these files; a name that ends with `/` is a directory. */
function makeTree(...names: readonly string[]): string {
  const directory = makeTemporaryDirectory();
  for (const name of names) {
    const path = join(directory, name);
    mkdirSync(name.endsWith("/") ? path : dirname(path), { recursive: true });
    if (!name.endsWith("/")) writeFileSync(path, "{}");
  }
  return directory;
}

function scan(
  directory: string,
  batchSize = 100,
): { names: string[]; sids: string[]; tally: ScanTally; batches: number[] } {
  const tally = newScanTally();
  const batches = [...scanSessions(directory, batchSize, tally, { shard: null })];
  const files = batches.flat();
  for (const file of files) assert.equal(file.directory, directory);
  return {
    names: files.map(({ name }) => name).sort(),
    sids: files.map(({ sid }) => sid).sort(),
    tally,
    batches: batches.map((batch) => batch.length),
  };
}

const flat = (start: string): string => `werkzeug_${hex(start)}.sess`;

describe("scan-sessions: what is a session file (formats.md section 1)", () => {
  const rows: readonly (readonly [name: string, tree: readonly string[], found: readonly string[], ignored: number])[] =
    [
      ["an empty directory", [], [], 0],
      ["flat", [flat("a1"), flat("b2")], [flat("a1"), flat("b2")], 0],
      ["scattered, 40 hex", [`a1/${hex("a1")}`], [`a1/${hex("a1")}`], 0],
      [
        "scattered, 84 to 86",
        [84, 85, 86].map((n) => `xY/${long("xY", n)}`),
        [84, 85, 86].map((n) => `xY/${long("xY", n)}`),
        0,
      ],
      ["scattered, 83 and 87", [83, 87].map((n) => `xY/${long("xY", n)}`), [], 2],
      ["both layouts side by side", [flat("a1"), `a1/${hex("a1")}`], [flat("a1"), `a1/${hex("a1")}`], 0],
      ["a sid that begins with -", [`-6/${long("-6")}`], [`-6/${long("-6")}`], 0],
      ["a sid that begins with --", [`--/${long("--")}`], [`--/${long("--")}`], 0],
      ["a sid that begins with _", [`_a/${long("_a")}`], [`_a/${long("_a")}`], 0],
      ["a scatter folder of another sid", [`a2/${hex("a1")}`], [], 1],
      ["a sid that differs in case from its folder", [`XY/${long("xY")}`], [], 1],
      ["a long sid in the flat layout", [`werkzeug_${long("ab")}.sess`], [], 1],
      ["a scattered file in no folder", [hex("a1"), long("ab")], [], 2],
      ["a flat file in a scatter folder", [`we/${flat("a1")}`], [], 1],
      ["upper-case hex", [`werkzeug_${"A".repeat(40)}.sess`, `AA/${"A".repeat(40)}`], [], 2],
      ["39 and 41 hex", [`werkzeug_${"a".repeat(39)}.sess`, `werkzeug_${"a".repeat(41)}.sess`], [], 2],
      ["temporary files", ["tmpabc123.__wz_sess", "abc.__tx_sess__", "a1/tmpx.__wz_sess"], [], 3],
      ["an upload", [`werkzeug_${hex("a1")}_${"f".repeat(32)}.file`], [], 1],
      ["what a purge left", [".tele-sessions-12-abcdef"], [], 1],
      [
        "strangers",
        [`${flat("a1")}~`, `.${flat("a1")}`, `${flat("a1")}.bak`, "README", ".DS_Store", "werkzeug_.sess"],
        [],
        6,
      ],
      ["a directory with a flat session's name", [`${flat("a1")}/`], [], 1],
      ["a directory with a scattered session's name", [`a1/${hex("a1")}/`], [], 1],
      ["a folder of three characters", [`abc/${hex("ab")}`], [], 1],
      ["a folder in a scatter folder", [`a1/a1/${hex("a1")}`], [], 1],
      ["newlines at either end", [`${flat("a1")}\n`, `\n${flat("a1")}`, `a1/${hex("a1")}\n`, "a\n/x"], [], 4],
      ["control characters", [`werkzeug_\u0007${hex("a1")}.sess`, `a1/${hex("a1")}\u001b[2J`, "\u007f"], [], 3],
      ["an empty scatter folder", ["a1/"], [], 0],
    ];
  for (const [name, tree, found, ignored] of rows) {
    it(name, () => {
      const result = scan(makeTree(...tree));
      assert.deepEqual(result.names, [...found].sort());
      assert.equal(result.tally.ignored, ignored);
      assert.deepEqual(result.tally.unreadable, []);
      const { flat: flatCount, scattered } = result.tally.layouts;
      assert.equal(flatCount, found.filter((path) => !path.includes("/")).length);
      assert.equal(flatCount + scattered, found.length);
    });
  }

  it("the sid is that of the name", () => {
    const { sids } = scan(makeTree(flat("a1"), `-6/${long("-6")}`));
    assert.deepEqual(sids, [long("-6"), hex("a1")].sort());
  });

  it("a name that is not UTF-8", () => {
    const directory = makeTree(flat("a1"));
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]), "");
    const { names, tally } = scan(directory);
    assert.deepEqual([names, tally.ignored], [[flat("a1")], 1]);
  });

  it("symlinks, to files, to folders and to nothing, are never followed", () => {
    const elsewhere = makeTree(flat("a1"), `b2/${hex("b2")}`);
    const directory = makeTree();
    symlinkSync(join(elsewhere, flat("a1")), join(directory, flat("a1")));
    symlinkSync(join(elsewhere, "b2"), join(directory, "b2"));
    symlinkSync("nowhere", join(directory, flat("c3")));
    mkdirSync(join(directory, "d4"));
    symlinkSync(join(elsewhere, flat("a1")), join(directory, "d4", hex("d4")));
    const { names, tally } = scan(directory);
    assert.deepEqual([names, tally.ignored], [[], 4]);
  });

  it("pipes and sockets are ignored, and never opened", async () => {
    const directory = makeTree("a1/");
    execFileSync("mkfifo", [join(directory, flat("a1")), join(directory, "a1", hex("a1"))]);
    const server = createServer().listen(join(directory, "s"));
    await once(server, "listening");
    const { names, tally } = scan(directory);
    server.close();
    assert.deepEqual([names, tally.ignored], [[], 3]);
  });
});

describe("scan-sessions: what a purge set aside (spec.md section 4, Purge)", () => {
  const aside = (name: string, pid: number | string = 12) => `.tele-sessions-${pid}-0123456789abcdef-${name}`;
  const asideFlat = aside(flat("a1"));
  const asideScattered = aside(hex("b2"), 4_194_305);

  it("is reported with its own name, layout and process, and neither returned nor ignored", () => {
    const directory = makeTree(asideFlat, `b2/${asideScattered}`, flat("c3"));
    const { names, tally } = scan(directory);
    assert.deepEqual([names, tally.ignored], [[flat("c3")], 0]);
    assert.deepEqual(tally.layouts, { flat: 1, scattered: 0 });
    const told = [...tally.setAside].sort((one, other) => one.pid - other.pid);
    assert.deepEqual(told, [
      {
        file: { directory, name: flat("a1"), layout: "flat", sid: hex("a1") },
        asideName: asideFlat,
        pid: 12,
      },
      {
        file: { directory, name: `b2/${hex("b2")}`, layout: "scattered", sid: hex("b2") },
        asideName: asideScattered,
        pid: 4_194_305,
      },
    ]);
  });

  it("may be something other than a file, which took its place", () => {
    const directory = makeTree(`${asideFlat}/`);
    symlinkSync("nowhere", join(directory, aside(flat("d4"))));
    execFileSync("mkfifo", [join(directory, aside(flat("e5")))]);
    const { names, tally } = scan(directory);
    assert.deepEqual([names, tally.ignored, tally.setAside.length], [[], 0, 3]);
  });

  const strangers: readonly (readonly [name: string, path: string])[] = [
    ["not a session's name after ours", aside("README")],
    ["a scattered session's name in the session directory", aside(hex("a1"))],
    ["a flat session's name in a scatter folder", `a1/${aside(flat("a1"))}`],
    ["a scattered session's name in another's folder", `a2/${aside(hex("a1"))}`],
    ["set aside twice", aside(aside(flat("a1")))],
    ["without a process", aside(flat("a1"), "")],
    ["in a folder that is no scatter folder", `abc/${aside(hex("ab"))}`],
  ];
  for (const [name, path] of strangers) {
    it(`${name}: a stranger`, () => {
      const { names, tally } = scan(makeTree(path));
      assert.deepEqual([names, tally.ignored, tally.setAside], [[], 1, []]);
    });
  }

  it("more than ten thousand wait for the next run", () => {
    const directory = makeTree(asideFlat, `b2/${asideScattered}`, aside(flat("c3")));
    const [one] = scan(directory).tally.setAside;
    assert(one !== undefined);
    const tally: ScanTally = { ...newScanTally(), setAside: Array.from({ length: 9_999 }, () => one) };
    assert.deepEqual([...scanSessions(directory, 100, tally, { shard: null })], []);
    assert.deepEqual([tally.setAside.length, tally.ignored], [10_000, 2]);
  });
});

describe("scan-sessions: batches", () => {
  for (const [files, size, expected] of [
    [0, 3, []],
    [3, 3, [3]],
    [7, 3, [3, 3, 1]],
    [2, 1, [1, 1]],
  ] as const) {
    it(`${files} files by ${size}`, () => {
      const tree = Array.from({ length: files }, (_, index) => flat(`${index.toString(16)}f`));
      assert.deepEqual(scan(makeTree(...tree), size).batches, expected);
    });
  }

  it("more names than are read at a time, each once", () => {
    const tree = Array.from({ length: 3000 }, (_, index) => `werkzeug_${index.toString(16).padStart(40, "0")}.sess`);
    const { names, batches } = scan(makeTree(...tree), 256);
    assert.deepEqual(names, tree.sort());
    assert.deepEqual(new Set(batches.slice(0, -1)), new Set([256]));
  });

  it("a scan that is stopped early closes its directories", () => {
    const directory = makeTree(...Array.from({ length: 20 }, (_, index) => flat(`${index.toString(16)}f`)));
    for (let round = 0; round < 2000; round++) {
      const batches = scanSessions(directory, 1, newScanTally(), { shard: null });
      batches.next();
      batches.return(undefined);
    }
    assert.equal(scan(directory).names.length, 20);
  });
});

describe("scan-sessions: directories that cannot be read", () => {
  for (const [name, make] of [
    ["missing", () => join(makeTemporaryDirectory(), "none")],
    ["a file", () => join(makeTree("x"), "x")],
  ] as const) {
    it(`${name}: the run ends`, () => assert.throws(() => scan(make()), SourceError));
  }

  it("a scatter folder that vanishes after it was listed is no fault", () => {
    const directory = makeTree(flat("a1"), `b2/${hex("b2")}`, `c3/${hex("c3")}`);
    const tally = newScanTally();
    const names: string[] = [];
    for (const batch of scanSessions(directory, 1, tally, { shard: null })) {
      names.push(...batch.map((file) => file.name));
      for (const folder of ["b2", "c3"]) rmSync(join(directory, folder), { recursive: true, force: true });
    }
    assert.deepEqual(tally.unreadable, []);
    assert(names.length >= 1 && names.length <= 2);
  });

  it("a scatter folder that was replaced by a file after it was listed is no fault", () => {
    const folders = Array.from({ length: 30 }, (_, index) => `${index + 10}`);
    const directory = makeTree(...folders.map((folder) => `${folder}/${hex(folder)}`));
    const tally = newScanTally();
    const scanning = scanSessions(directory, 1, tally, { shard: null });
    scanning.next();
    for (const folder of folders) {
      rmSync(join(directory, folder), { recursive: true });
      writeFileSync(join(directory, folder), "");
    }
    assert.deepEqual([...scanning], []);
    assert.deepEqual(tally.unreadable, []);
  });

  const meanwhile: readonly (readonly [name: string, act: (directory: string) => void])[] = [
    ["is away", () => undefined],
    ["is another now", (directory) => mkdirSync(directory, { recursive: true })],
    ["was away for a moment", (directory) => comeBack(directory)],
  ];
  for (const [name, act] of meanwhile) {
    it(`a scatter folder of a session directory that ${name} has not vanished`, () => {
      const directory = makeTree(`b2/${hex("b2")}`, `c3/${hex("c3")}`);
      const tally = newScanTally();
      const scanning = scanSessions(directory, 1, tally, { shard: null });
      scanning.next();
      renameSync(directory, `${directory}-away`);
      const stop = interceptCalls(({ name: call, proceed }) => {
        if (call === "lstatSync") act(directory);
        return proceed();
      });
      try {
        assert.deepEqual([...scanning], []);
      } finally {
        stop();
      }
      assert.equal(tally.unreadable.length, 1);
      assert.match(tally.unreadable[0]?.message ?? "", /cannot be read \(ENOENT\)$/);
    });
  }

  function comeBack(directory: string): void {
    if (!existsSync(directory)) renameSync(`${directory}-away`, directory);
  }

  it("an unreadable scatter folder is named, and the scan goes on", () => {
    const directory = makeTree(flat("a1"), `b2/${hex("b2")}`, `c3/${hex("c3")}`);
    chmodSync(join(directory, "b2"), 0);
    const result = callUnprivileged<{ names: string[]; tally: ScanTally }>(
      directory,
      new URL("../../src/source/scan-sessions.js", import.meta.url),
      `const tally = ${JSON.stringify(newScanTally())};
       const batches = [...module.scanSessions(${JSON.stringify(directory)}, 10, tally, { shard: null })];
       const names = batches.flat().map((file) => file.name);
       return { names, tally };`,
    );
    assert.deepEqual(result.names.sort(), [flat("a1"), `c3/${hex("c3")}`].sort());
    assert.equal(result.tally.unreadable.length, 1);
    assert.match(result.tally.unreadable[0]?.message ?? "", /b2 cannot be read .*\(EACCES\)/);
  });

  it("an unreadable session directory ends the run", () => {
    const directory = makeTree(flat("a1"));
    chmodSync(directory, 0);
    const result = callUnprivileged<{ name: string; message: string }>(
      dirname(directory),
      new URL("../../src/source/scan-sessions.js", import.meta.url),
      `const tally = ${JSON.stringify(newScanTally())};
       try { return [...module.scanSessions(${JSON.stringify(directory)}, 10, tally, { shard: null })]; }
       catch (error) { return { name: error.name, message: error.message }; }`,
    );
    assert.equal(result.name, "SourceError");
    assert.match(result.message, /\(EACCES\)/);
  });
});

describe("scan-sessions: a file system that does not list types (hazards.md, Files)", () => {
  interface Scanned {
    readonly names?: readonly string[];
    readonly tally: ScanTally;
    /** The error that ended the scan. */
    readonly error?: string;
  }

  let untold = "";
  before(async () => {
    const flags = ["-shared", "-fPIC", "-ldl"];
    untold = await compileNative(await provideCompiler(), "untold_types", makeTemporaryDirectory(), flags);
  });

  /** Scans in a process that is told no types; names that begin with `gone` vanish when listed. */
  function scanUntold(directory: string, { gone, behind = 0 }: { gone?: string; behind?: number } = {}): Scanned {
    const script = `
      import { scanSessions } from ${JSON.stringify(scanModule)};
      const tally = ${JSON.stringify(newScanTally())};
      const answer = { tally };
      try {
        const files = [...scanSessions(${JSON.stringify(directory)}, 100, tally, { shard: null })].flat();
        answer.names = files.map(({ name }) => name).sort();
      } catch (error) {
        answer.error = error.name;
      }
      console.log(JSON.stringify(answer));`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      encoding: "utf8",
      env: {
        ...{ ...process.env, LD_PRELOAD: untold, UNTOLD_BEHIND: String(behind) },
        ...(gone === undefined ? {} : { UNTOLD_GONE: gone }),
      },
    });
    assert.notEqual(stdout, "", stderr);
    const answer: Scanned = JSON.parse(stdout);
    return answer;
  }

  const many = (make: (index: string) => string, count = 60): string[] =>
    Array.from({ length: count }, (_, index) => make(String(index + 10)));
  const whole = { ignored: 0, unreadable: [], longSids: 0, setAside: [] };

  it("files, folders, symlinks and pipes are told apart by a stat", () => {
    const elsewhere = makeTree(flat("a1"), `b2/${hex("b2")}`);
    const directory = makeTree(flat("f6"), `${flat("a9")}/`, `e5/${hex("e5")}`, `e5/${hex("e51")}/`, "ab", "x/");
    symlinkSync(join(elsewhere, flat("a1")), join(directory, flat("a1")));
    symlinkSync(join(elsewhere, "b2"), join(directory, "b2"));
    symlinkSync(join(elsewhere, flat("a1")), join(directory, "e5", hex("e52")));
    symlinkSync("nowhere", join(directory, flat("c3")));
    execFileSync("mkfifo", [join(directory, flat("d4"))]);
    writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]), "");
    const { names, tally } = scan(directory);
    assert.deepEqual(names, [`e5/${hex("e5")}`, flat("f6")]);
    assert.deepEqual(scanUntold(directory), { names, tally });
  });

  it("temporary files that vanish in the session directory cost no session", () => {
    const tree = many(flat);
    const { names, tally } = scanUntold(makeTree(...tree, ...many((index) => `tmp${index}`)), {
      gone: "tmp",
    });
    assert.deepEqual(names, tree.sort());
    assert.deepEqual(tally, { ...whole, layouts: { flat: 60, scattered: 0 }, ignored: tally.ignored });
    // The very first name that is statted is gone before the listing.
    assert(tally.ignored === 60 || tally.ignored === 59);
  });

  it("a temporary file that vanishes in a scatter folder costs no session", () => {
    const tree = many((index) => `ab/${hex(`ab${index}`)}`);
    const { names, tally } = scanUntold(makeTree(...tree, "ab/tmp1", "ab/tmp2"), { gone: "tmp" });
    assert.deepEqual(names, tree.sort());
    assert.deepEqual(tally, { ...whole, layouts: { flat: 0, scattered: 60 }, ignored: 2 });
  });

  it("sessions that vanish while being listed are returned like those that vanish later", () => {
    const tree = [...many(flat), ...many((index) => `ab/${hex(`ab${index}`)}`)];
    for (const gone of ["werkzeug_2", "ab3"]) {
      const { names = [], tally } = scanUntold(makeTree(...tree), { gone });
      // The very first name that is statted is gone before the listing.
      const missing = tree.filter((name) => !names.includes(name));
      assert(missing.length <= 1 && missing.every((name) => name.startsWith("werkzeug_2")), missing.join());
      const layouts = { flat: 60 - missing.length, scattered: 60 };
      assert.deepEqual(tally, { ...whole, layouts });
      assert.equal(new Set(names).size, names.length);
    }
  });

  it("a scatter folder that vanishes as it is listed is no fault", () => {
    const tree = many((index) => `${index}/${hex(index)}`);
    const { names, tally } = scanUntold(makeTree(...tree, "b2/"), { gone: "b2" });
    assert.deepEqual(names, tree.sort());
    assert.deepEqual(tally, { ...whole, layouts: { flat: 0, scattered: 60 } });
  });

  it("types that stop coming during a listing lose nothing silently", () => {
    for (const behind of [2, 5, 30, 80]) {
      const flatTree = many(flat);
      const one = scanUntold(makeTree(...flatTree, ...many((index) => `tmp${index}`)), {
        gone: "tmp",
        behind,
      });
      if (one.error === undefined) assert.deepEqual(one.names, flatTree.sort());
      else assert.equal(one.error, "SourceError");
      const scattered = many((index) => `ab/${hex(`ab${index}`)}`);
      const other = scanUntold(makeTree(...scattered, "ab/tmp"), { gone: "tmp", behind });
      assert.equal(other.error, undefined);
      if (other.tally.unreadable.length === 0) assert.deepEqual(other.names, scattered.sort());
    }
  });
});

describe("layouts", () => {
  it("isSid accepts the sids of every server and nothing else", () => {
    for (const sid of [hex("a1"), long("-_"), long("a", 85), long("a", 86)]) assert(isSid(sid), sid);
    for (const text of [
      "",
      "a",
      "A".repeat(40),
      hex("g"),
      long("a", 83),
      long("a", 87),
      `${hex("a")}\n`,
      `${long("a")}=`,
      " ".repeat(84),
    ])
      assert(!isSid(text), text);
  });

  it("scatter folders have two characters of a sid", () => {
    for (const name of ["ab", "-6", "__", "--", "Zz"]) assert(isScatterFolder(name));
    for (const name of ["", "a", "abc", "..", "a.", "é1", "a\n", " a"]) assert(!isScatterFolder(name));
  });

  it("a flat file lies in no folder, a scattered one in its own", () => {
    assert.equal(layouts.flat.sidOf("a1", flat("a1")), undefined);
    assert.equal(layouts.scattered.sidOf("", hex("a1")), undefined);
    assert.equal(layouts.scattered.sidOf("a1", hex("a1")), hex("a1"));
  });
});

it("scanning fifty thousand names keeps none in memory", () => {
  const directory = makeTemporaryDirectory();
  const script = `
    import { writeFileSync } from "node:fs";
    import { scanSessions } from ${JSON.stringify(scanModule)};
    import { newScanTally } from ${JSON.stringify(new URL("../../src/model/session-file.js", import.meta.url).href)};
    const directory = ${JSON.stringify(directory)};
    for (let index = 0; index < 50000; index++) {
      const sid = index.toString(16).padStart(40, "0");
      writeFileSync(directory + "/werkzeug_" + sid + ".sess", "");
    }
    const before = process.memoryUsage().rss;
    let count = 0;
    for (const batch of scanSessions(directory, 256, newScanTally(), { shard: null })) count += batch.length;
    console.log(JSON.stringify({ count, grown: process.memoryUsage().rss - before }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  rmSync(directory, { recursive: true });
  const { count, grown }: { count: number; grown: number } = JSON.parse(stdout || JSON.stringify({ count: stderr }));
  assert.equal(count, 50_000);
  assert(grown < 60 * 2 ** 20, `${Math.round(grown / 2 ** 20)} MiB`);
});
