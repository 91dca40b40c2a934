import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, it, mock } from "node:test";
import { type Reading, readPlaceExactly, readSessionFile } from "../../src/source/read-session-file.js";
import { interceptCalls } from "../support/kills/intercept-calls.js";
import { callUnprivileged } from "../support/process/call-unprivileged.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const sid = "a1".padEnd(40, "0");
const maxSize = 1000;

function read(directory: string, name = "s", max = maxSize): Reading {
  return readSessionFile({ directory, name, layout: "flat", sid }, max);
}

describe("read-session-file: what stands there when it is opened", () => {
  const rows: readonly (readonly [name: string, make: (path: string) => void, expected: Reading])[] = [
    ["nothing", () => undefined, { kind: "vanished" }],
    ["an empty file", (path) => writeFileSync(path, ""), { kind: "empty" }],
    ["a pipe, without blocking", (path) => void execFileSync("mkfifo", [path]), { kind: "ignored" }],
    ["a directory", (path) => void mkdirSync(path), { kind: "ignored" }],
    [
      "a symlink to a file",
      (path) => {
        writeFileSync(`${path}2`, "{}");
        symlinkSync(`${path}2`, path);
      },
      { kind: "ignored" },
    ],
    ["a symlink to nothing", (path) => symlinkSync("nowhere", path), { kind: "ignored" }],
    ["a symlink to itself", (path) => symlinkSync(path, path), { kind: "ignored" }],
    ["a device", (path) => symlinkSync("/dev/zero", path), { kind: "ignored" }],
    [
      "a byte too many",
      (path) => writeFileSync(path, "x".repeat(maxSize + 1)),
      { kind: "failed", reason: "too-large", detail: `a file of ${maxSize + 1} bytes` },
    ],
    [
      "a terabyte of nothing",
      (path) => {
        writeFileSync(path, "");
        truncateSync(path, 2 ** 40);
      },
      { kind: "failed", reason: "too-large", detail: `a file of ${2 ** 40} bytes` },
    ],
  ];
  for (const [name, make, expected] of rows) {
    it(name, () => {
      const directory = makeTemporaryDirectory();
      make(join(directory, "s"));
      assert.deepEqual(read(directory), expected);
    });
  }

  it("a socket", async () => {
    const directory = makeTemporaryDirectory();
    const server = createServer().listen(join(directory, "s"));
    await once(server, "listening");
    assert.deepEqual(read(directory), { kind: "ignored" });
    server.close();
  });

  it("a scattered file whose folder became a file", () => {
    const directory = makeTemporaryDirectory();
    writeFileSync(join(directory, "a1"), "");
    assert.deepEqual(read(directory, `a1/${sid}`), { kind: "vanished" });
  });

  it("a session directory that is gone", () => {
    assert.deepEqual(read(join(makeTemporaryDirectory(), "none")), { kind: "vanished" });
  });
});

describe("read-session-file: what is read", () => {
  it("is every byte, with the file's time and our clock before the opening", () => {
    const directory = makeTemporaryDirectory();
    const bytes = Buffer.from(Array.from({ length: maxSize }, (_, index) => index % 256));
    writeFileSync(join(directory, "s"), bytes);
    utimesSync(join(directory, "s"), 1_700_000_000.25, 1_700_000_000.25);
    const before = Date.now();
    const reading = read(directory);
    const after = Date.now();
    assert(reading.kind === "read");
    assert.deepEqual(Buffer.from(reading.read.bytes), bytes);
    assert.equal(reading.read.mtimeMs, 1_700_000_000_250);
    assert(reading.read.openedAtMs >= before && reading.read.openedAtMs <= after);
  });

  it("never makes a later write of another file show in it", () => {
    const directory = makeTemporaryDirectory();
    writeFileSync(join(directory, "s"), "one");
    writeFileSync(join(directory, "t"), "two");
    const one = read(directory, "s");
    read(directory, "t");
    assert(one.kind === "read" && one.read.bytes.toString() === "one");
  });
});

describe("read-session-file: a small file at rest is statted once", () => {
  /** Reads a file by a clock ten seconds ahead, and does something between read and stat. */
  function readLater(content: string, meanwhile: (path: string) => void): Reading {
    const directory = makeTemporaryDirectory();
    const path = join(directory, "s");
    writeFileSync(path, content);
    mock.timers.enable({ apis: ["Date"], now: Date.now() + 10_000 });
    let reads = 0;
    const end = interceptCalls(({ name, proceed }) => {
      const result = proceed();
      if (name === "readSync" && reads++ === 0) {
        // What is written now is ten seconds old by that clock, so the times are set accordingly.
        meanwhile(path);
      }
      return result;
    });
    try {
      return read(directory);
    } finally {
      end();
      mock.timers.reset();
    }
  }
  const nowSeconds = () => Date.now() / 1000;

  it("its content, time and size are what they are", () => {
    const reading = readLater("content", () => undefined);
    assert(reading.kind === "read");
    assert.equal(reading.read.bytes.toString(), "content");
    assert.equal(reading.stamp.size, 7);
  });

  it("what was written to it while it was read is read", () => {
    const reading = readLater("content", (path) => {
      writeFileSync(path, "CONTENT");
      utimesSync(path, nowSeconds(), nowSeconds());
    });
    assert(reading.kind === "read");
    assert.equal(reading.read.bytes.toString(), "CONTENT");
  });

  it("and what was added to it", () => {
    const reading = readLater("content", (path) => appendFileSync(path, " and more"));
    assert(reading.kind === "read");
    assert.equal(reading.read.bytes.toString(), "content and more");
  });

  it("one that is empty by then is empty", () => {
    assert.deepEqual(
      readLater("content", (path) => truncateSync(path, 0)),
      { kind: "empty" },
    );
  });

  it("many of them keep their contents, whatever their sizes", () => {
    const directory = makeTemporaryDirectory();
    const sizes = [1, 7, 8191, 8192, 8193, 65_535, 65_536, 65_537, 200_000, ...Array(300).fill(777)];
    const contents = sizes.map((size, index) => Buffer.alloc(size, String(index)));
    for (const [index, content] of contents.entries()) writeFileSync(join(directory, `s${index}`), content);
    mock.timers.enable({ apis: ["Date"], now: Date.now() + 10_000 });
    const readings = contents.map((_, index) => read(directory, `s${index}`, 1_000_000));
    mock.timers.reset();
    for (const [index, reading] of readings.entries()) {
      assert(reading.kind === "read");
      assert(reading.read.bytes.equals(contents[index] ?? Buffer.alloc(0)), `of ${sizes[index]} bytes`);
    }
  });
});

it("a file that grows at every read is changed-repeatedly, and one that rests again is read", async () => {
  const directory = makeTemporaryDirectory();
  const path = join(directory, "s");
  const size = 40_000_000;
  writeFileSync(path, Buffer.alloc(size, "x"));
  const script = `const file = fs.openSync(process.argv[1], "a");
    process.stdout.write("growing");
    for (const end = Date.now() + 60000; Date.now() < end; ) fs.writeSync(file, "x");`;
  const child = spawn(process.execPath, ["-e", script, path], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await once(child.stdout, "data");
    // The scheduler may let a read slip in between.
    let reading = read(directory, "s", 2 * size);
    while (reading.kind === "read") reading = read(directory, "s", 2 * size);
    assert.deepEqual(reading, { kind: "failed", reason: "changed-repeatedly", detail: "at each of 5 reads" });
  } finally {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  assert.equal(read(directory, "s", 2 * size).kind, "read");
});

it("a file without permission is unreadable, and the error code says why", () => {
  const directory = makeTemporaryDirectory();
  const path = join(directory, "s");
  writeFileSync(path, "{}");
  chmodSync(path, 0);
  if (process.getuid?.() === 0) chownSync(path, 65_534, 65_534);
  const reading = callUnprivileged<Reading>(
    directory,
    new URL("../../src/source/read-session-file.js", import.meta.url),
    `const file = { directory: ${JSON.stringify(directory)}, name: "s", layout: "flat", sid: "a" };
     return module.readSessionFile(file, 100);`,
  );
  assert.deepEqual(reading, { kind: "failed", reason: "unreadable", detail: "EACCES" });
});

describe("read-session-file: exactly, for what a removal compares (spec.md section 4, Purge)", () => {
  it("is the same content, and what tells the file from every other, to the nanosecond", () => {
    const path = join(makeTemporaryDirectory(), "s");
    writeFileSync(path, "content");
    utimesSync(path, 1_700_000_000.123456, 1_700_000_000.123456);
    const reading = readPlaceExactly(path, maxSize);
    assert(reading.kind === "read");
    assert.equal(reading.read.bytes.toString(), "content");
    const { dev, ino, size, mtimeNs, ctimeNs } = lstatSync(path, { bigint: true });
    assert.deepEqual(reading.exact, { dev, ino, size, mtimeNs, ctimeNs });
    assert.notEqual(reading.exact.mtimeNs % 1_000_000n, 0n);
  });

  it("reads one place only: a flat file that was moved has vanished", () => {
    const directory = makeTemporaryDirectory();
    mkdirSync(join(directory, "a1"));
    writeFileSync(join(directory, "a1", sid), "moved");
    assert.equal(read(directory, `werkzeug_${sid}.sess`).kind, "read");
    assert.deepEqual(readPlaceExactly(join(directory, `werkzeug_${sid}.sess`), maxSize), {
      kind: "vanished",
    });
  });

  const rows: readonly (readonly [name: string, make: (path: string) => void, expected: Reading])[] = [
    ["nothing", () => undefined, { kind: "vanished" }],
    ["a symlink to a file", (path) => symlinkSync("/dev/zero", path), { kind: "ignored" }],
    ["a pipe", (path) => void execFileSync("mkfifo", [path]), { kind: "ignored" }],
    ["a directory", (path) => mkdirSync(path), { kind: "ignored" }],
    ["no byte", (path) => writeFileSync(path, ""), { kind: "empty" }],
    [
      "a byte too many",
      (path) => writeFileSync(path, "x".repeat(maxSize + 1)),
      { kind: "failed", reason: "too-large", detail: `a file of ${maxSize + 1} bytes` },
    ],
  ];
  for (const [name, make, expected] of rows) {
    it(name, () => {
      const path = join(makeTemporaryDirectory(), "s");
      make(path);
      assert.deepEqual(readPlaceExactly(path, maxSize), expected);
    });
  }

  /** Reads a file that is rewritten in place after that many reads, its size and mtime kept. */
  function readWhileWritten(times: number): { readonly reading: Reading; readonly last: string } {
    const path = join(makeTemporaryDirectory(), "s");
    writeFileSync(path, "content 0");
    utimesSync(path, 1_700_000_000, 1_700_000_000);
    let written = 0;
    const end = interceptCalls(({ name, proceed }) => {
      const result = proceed();
      if (name !== "readSync" || written === times) return result;
      written++;
      const { ctimeNs } = lstatSync(path, { bigint: true });
      do {
        writeFileSync(path, `content ${written}`);
        utimesSync(path, 1_700_000_000, 1_700_000_000);
        // Some systems count the change time in steps.
      } while (lstatSync(path, { bigint: true }).ctimeNs === ctimeNs);
      return result;
    });
    try {
      return { reading: readPlaceExactly(path, maxSize), last: `content ${times}` };
    } finally {
      end();
    }
  }

  it("a file that is written during the read with the same size and time is read again", () => {
    for (const times of [0, 1, 3]) {
      const { reading, last } = readWhileWritten(times);
      assert(reading.kind === "read");
      assert.equal(reading.read.bytes.toString(), last);
    }
  });

  it("and one that never rests is changed-repeatedly", () => {
    assert.deepEqual(readWhileWritten(1000).reading, {
      kind: "failed",
      reason: "changed-repeatedly",
      detail: "at each of 5 reads",
    });
  });
});
