import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { caretaker } from "../process/caretaker.js";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import { listen } from "../servers/listen.js";
import { type KillPoint, type NumberedWork, type WatchedRun, type Work, watchOptions } from "./kill-point.js";

/** Runs a script with its work watched. Gives the signal that ended it. */
async function runWatched(script: string, run: WatchedRun): Promise<NodeJS.Signals | null> {
  const { nodeArgs, environment } = watchOptions(run);
  const path = join(makeTemporaryDirectory(), "script.mjs");
  writeFileSync(path, script);
  const child = spawn(process.execPath, [...nodeArgs, path], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const spare = caretaker.killAtEnd(child.pid ?? 0);
  const [, signal] = await once(child, "exit");
  spare();
  return signal;
}

const removeFive = (directory: string, elsewhere: string): string => `
  import { existsSync, lstatSync, openSync, unlinkSync } from "node:fs";
  const directory = ${JSON.stringify(directory)};
  lstatSync(${JSON.stringify(elsewhere)});
  const descriptor = openSync(directory, "r");
  const through = existsSync("/proc/self/fd") ? \`/proc/self/fd/\${descriptor}\` : directory;
  for (const name of ["1", "2", "3", "4", "5"]) unlinkSync(\`\${name < "3" ? directory : through}/\${name}\`);
`;

function makeFive(): string {
  const directory = makeTemporaryDirectory();
  for (const name of ["1", "2", "3", "4", "5"]) writeFileSync(join(directory, name), name);
  return directory;
}

const fileKills: readonly { at: number; side: KillPoint["side"]; left: string }[] = [
  { at: 1, side: "before", left: "12345" },
  { at: 2, side: "before", left: "12345" },
  { at: 2, side: "after", left: "2345" },
  { at: 4, side: "before", left: "345" },
  { at: 4, side: "after", left: "45" },
  { at: 6, side: "after", left: "" },
];
for (const { at, side, left } of fileKills) {
  test(`killed ${side} file operation ${at}: an open and the removals before it are done, no other`, async () => {
    const directory = makeFive();
    const point = { kind: "file operation", at, side } as const;
    const script = removeFive(directory, makeTemporaryDirectory());
    assert.equal(await runWatched(script, { directory, redisPorts: [1], point }), "SIGKILL");
    assert.equal(readdirSync(directory).join(""), left);
  });
}

test("killed before the third removal: only removals are counted", async () => {
  const directory = makeFive();
  const point = { kind: "file operation", name: "unlinkSync", at: 3, side: "before" } as const;
  const script = removeFive(directory, makeTemporaryDirectory());
  assert.equal(await runWatched(script, { directory, redisPorts: [1], point }), "SIGKILL");
  assert.equal(readdirSync(directory).join(""), "345");
});

test("a run that is not killed tells what it did in the directory, and nothing else", async () => {
  const directory = makeFive();
  const log = join(makeTemporaryDirectory(), "work");
  const script = removeFive(directory, makeTemporaryDirectory());
  assert.equal(await runWatched(script, { directory, redisPorts: [1], log }), null);
  const work: NumberedWork[] = JSON.parse(readFileSync(log, "utf8"));
  assert.deepEqual(work, [
    { kind: "file operation", name: "openSync", path: directory, number: 0 },
    ...["1", "2", "3", "4", "5"].map((name, index) => ({
      kind: "file operation",
      name: "unlinkSync",
      path: join(directory, name),
      number: index + 1,
    })),
  ]);
});

/** Five replies, in pieces that end in their middle. */
const pieces = ["+OK\r", "\n$7\r\nfirst\r\n\r\n:3\r\n*2\r\n$1\r\na", "\r\n$-1\r\n", "-ERR no\r\n"];
const whole = ["+OK\r\n", "$7\r\nfirst\r\n\r\n", ":3\r\n", "*2\r\n$1\r\na\r\n$-1\r\n", "-ERR no\r\n"];

/**
 * Listens on a free port and sends the pieces, the next one as soon as the last was acknowledged by
 * a byte.
 */
async function startPieces(t: TestContext): Promise<number> {
  const server = createServer((socket) => {
    const left = pieces.values();
    const send = (): void => {
      const { value } = left.next();
      if (value !== undefined) socket.write(value);
    };
    socket.on("data", send).on("error", () => undefined);
    send();
  });
  t.after(() => server.close());
  return listen(server);
}

const readPieces = (port: number, seen: string): string => `
  import { appendFileSync } from "node:fs";
  import { connect } from "node:net";
  let missing = ${whole.join("").length};
  const socket = connect(${port}, "127.0.0.1").on("data", (chunk) => {
    appendFileSync(${JSON.stringify(seen)}, chunk);
    missing -= chunk.length;
    if (missing === 0) socket.end();
    else socket.write("+");
  });
`;

const replyKills: readonly { at: number; side: KillPoint["side"]; read: number }[] = [
  { at: 1, side: "after", read: 1 },
  { at: 2, side: "before", read: 1 },
  { at: 3, side: "before", read: 2 },
  { at: 3, side: "after", read: 3 },
  { at: 5, side: "before", read: 4 },
  { at: 5, side: "after", read: 5 },
];
for (const { at, side, read } of replyKills) {
  test(`killed ${side} reply ${at}: ${read} whole replies are read, and what came with them`, async (t) => {
    const redisPort = await startPieces(t);
    const seen = join(makeTemporaryDirectory(), "seen");
    const point = { kind: "reply", at, side } as const;
    const run = { directory: makeTemporaryDirectory(), redisPorts: [redisPort], point };
    assert.equal(await runWatched(readPieces(redisPort, seen), run), "SIGKILL");
    const text = readFileSync(seen, "latin1");
    assert.ok(text.startsWith(whole.slice(0, read).join("")), JSON.stringify(text));
    assert.ok(text.length < whole.slice(0, read + 1).join("").length || read === whole.length, JSON.stringify(text));
  });
}

test("replies are told apart however they are cut, and nothing is held back", async (t) => {
  const redisPort = await startPieces(t);
  const seen = join(makeTemporaryDirectory(), "seen");
  const log = join(makeTemporaryDirectory(), "work");
  const run = { directory: makeTemporaryDirectory(), redisPorts: [redisPort], log };
  assert.equal(await runWatched(readPieces(redisPort, seen), run), null);
  assert.equal(readFileSync(seen, "latin1"), whole.join(""));
  const work: Work[] = JSON.parse(readFileSync(log, "utf8"));
  assert.deepEqual(
    work.map((one) => (one.kind === "reply" ? one.type : one.name)),
    ["+", "$", ":", "*", "-"],
  );
});
