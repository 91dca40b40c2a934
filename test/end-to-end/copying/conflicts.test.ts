import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { signedInstant } from "../../../src/convert/sign.js";
import { between } from "../../support/process/between.js";
import { caretaker } from "../../support/process/caretaker.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { makeRandom } from "../../support/random.js";
import { connectRedis, type RedisArgument } from "../../support/servers/redis-client.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { heldOf, startGate } from "../support/gate.js";
import { run, start } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";
import { waitUntil } from "../support/wait-until.js";

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;
const fullSeconds = 604_800;
const full = fullSeconds * second;
const policies = ["newest", "keep", "overwrite"] as const;

const sidOf = (number: number): string => number.toString(16).padStart(40, "0");
const keyOf = (number: number): string => `session:${sidOf(number)}`;

/** Writes a flat session file in JSON, modified at an instant. */
function writeSession(directory: string, number: number, value: string, modifiedMs: number): void {
  const path = join(directory, `werkzeug_${sidOf(number)}.sess`);
  writeFileSync(path, value);
  utimesSync(path, modifiedMs / second, modifiedMs / second);
}

async function writingCommandsOf(redis: RedisServer): Promise<readonly string[]> {
  const statistics = String(await redisCommand(redis, "INFO", "commandstats"));
  const names = [...statistics.matchAll(/^cmdstat_([^:|]+)/gm)].map(([, name = ""]) => name);
  const facts = await redisCommand(redis, "COMMAND", "INFO", ...names);
  assert.ok(Array.isArray(facts));
  // What a script calls is counted too.
  return names.filter((_, index) => String(facts[index]).split(",").includes("write"));
}

/**
 * Every session that Redis holds: value and the instant of the end; a key of another type by its
 * type.
 */
async function stateOf(redis: RedisServer): Promise<Readonly<Record<string, readonly [string, number]>>> {
  const keys = await redisCommand(redis, "KEYS", "*");
  assert.ok(Array.isArray(keys));
  const names = keys
    .map(String)
    .filter((key) => !key.startsWith("tele-sessions:"))
    .sort();
  const replies = await redisPipeline(
    redis,
    names.flatMap((key) => [
      ["TYPE", key],
      ["GET", key],
      ["PEXPIRETIME", key],
    ]),
  );
  return Object.fromEntries(
    names.map((name, index) => {
      const [type, value, endsMs] = replies.slice(3 * index, 3 * index + 3);
      return [name, [String(type) === "string" ? String(value) : String(type), Number(endsMs)] as const];
    }),
  );
}

/**
 * What Redis holds before: a value and when it ends (-1: never), as a copy writes it or as a server
 * does; a list, or nothing.
 */
type Before = readonly [value: string, endsMs: number, by?: "copy"] | "list" | "nothing";
type Outcome = "copied" | "identical" | "kept" | "failed";
/**
 * `file`: the file's value and a full lifetime from now. `right`: the held value and such a
 * lifetime.
 */
type After = "file" | "right" | "untouched";

const file = '{"uid": 2, "v": "file"}';
const fileWithSet = '{"uid": 2, "s": {"_type": "set", "value": [1, 2]}}';
const heldWithSet = '{"uid": 2, "s": {"_type": "set", "value": [2, 1]}}';
const other = '{"uid": 2, "v": "held"}';

interface Case {
  readonly name: string;
  readonly value?: string;
  readonly before: (nowMs: number) => Before;
  /** Newest, keep, overwrite. */
  readonly expected: readonly [readonly [Outcome, After], readonly [Outcome, After], readonly [Outcome, After]];
}

const always = (outcome: Outcome, after: After): Case["expected"] => [
  [outcome, after],
  [outcome, after],
  [outcome, after],
];
const unlessOverwritten = (outcome: Outcome): Case["expected"] => [
  [outcome, "untouched"],
  [outcome, "untouched"],
  ["copied", "file"],
];

/** Files were modified a day ago. */
const cases: readonly Case[] = [
  { name: "absent", before: () => "nothing", expected: always("copied", "file") },
  {
    name: "identical",
    before: (nowMs) => [file, nowMs + full - 2 * day],
    expected: always("identical", "untouched"),
  },
  {
    name: "identical, a set in another order",
    value: fileWithSet,
    before: (nowMs) => [heldWithSet, nowMs + hour],
    expected: always("identical", "untouched"),
  },
  { name: "identical without lifetime", before: () => [file, -1], expected: always("identical", "right") },
  {
    name: "identical, set in another order, without lifetime",
    value: fileWithSet,
    before: () => [heldWithSet, -1],
    expected: always("identical", "right"),
  },
  {
    name: "identical, lifetime too long",
    before: (nowMs) => [file, nowMs + full + hour],
    expected: always("identical", "right"),
  },
  {
    name: "written by a copy, older than the file",
    before: (nowMs) => [other, nowMs - 2 * day + full, "copy"],
    expected: [
      ["copied", "file"],
      ["kept", "untouched"],
      ["copied", "file"],
    ],
  },
  {
    name: "written by a copy, newer than the file",
    before: (nowMs) => [other, nowMs - hour + full, "copy"],
    expected: unlessOverwritten("kept"),
  },
  {
    name: "saved by a server, maybe before the file",
    before: (nowMs) => [other, nowMs - 2 * day + full],
    expected: unlessOverwritten("kept"),
  },
  {
    name: "saved by a server after the file",
    before: (nowMs) => [other, nowMs - hour + full],
    expected: unlessOverwritten("kept"),
  },
  { name: "another value without lifetime", before: () => [other, -1], expected: unlessOverwritten("kept") },
  {
    name: "saved in the future",
    before: (nowMs) => [other, nowMs + 2 * full],
    expected: unlessOverwritten("kept"),
  },
  { name: "no session", before: (nowMs) => ["[]", nowMs + hour], expected: unlessOverwritten("kept") },
  { name: "no JSON", before: (nowMs) => ["\u0001", nowMs + hour], expected: unlessOverwritten("kept") },
  { name: "another type", before: () => "list", expected: unlessOverwritten("failed") },
];

async function prepare(redis: RedisServer, directory: string): Promise<void> {
  const nowMs = Date.now();
  mkdirSync(directory);
  const commands: RedisArgument[][] = [["CONFIG", "RESETSTAT"]];
  for (const [number, { value = file, before }] of cases.entries()) {
    writeSession(directory, number, value, nowMs - day);
    const held = before(nowMs);
    if (held === "nothing") continue;
    if (held === "list") commands.push(["RPUSH", keyOf(number), "x"]);
    else {
      commands.push(["SET", keyOf(number), held[0]]);
      const [text, endsMs, by] = held;
      const signedMs = signedInstant(endsMs, text, 0);
      if (endsMs !== -1) commands.push(["PEXPIREAT", keyOf(number), by === "copy" ? signedMs : signedMs + 1]);
    }
  }
  await redisPipeline(redis, commands);
}

async function judgePolicy(t: TestContext, policy: (typeof policies)[number]): Promise<void> {
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  await prepare(redis, directory);
  const before = await stateOf(redis);
  const index = policies.indexOf(policy);
  const counts = { copied: 0, identical: 0, kept: 0, failed: 0 };
  for (const { expected } of cases) counts[expected[index]?.[0] ?? "failed"] += 1;
  const args = ["copy", ...between(directory, redis), "--json"];
  const chosen = policy === "newest" ? [] : ["--on-conflict", policy];

  await redisCommand(redis, "CONFIG", "RESETSTAT");
  const dry = await run([...args, ...chosen, "--dry-run"]);
  assert.deepEqual(await writingCommandsOf(redis), [], "a dry run writes nothing");
  assert.deepEqual(await stateOf(redis), before);

  const beganMs = Date.now();
  const { report, stderr, exitCode } = await run([...args, ...chosen]);
  const endedMs = Date.now();
  const { copied, identical, kept, failed } = report.sessions;
  assert.deepEqual({ copied, identical, kept, failed }, counts, stderr);
  assert.deepEqual(dry.report.sessions, report.sessions, "a dry run counts the same");
  assert.deepEqual(dry.report.failures, report.failures);
  assert.deepEqual(dry.report.warnings, report.warnings);
  assert.equal(exitCode, counts.failed > 0 ? 1 : 0);
  assert.equal(dry.exitCode, exitCode);
  assert.deepEqual(
    new Set(report.failures.map(({ reason }) => reason)),
    new Set(counts.failed > 0 ? ["wrong-redis-type"] : []),
  );
  assert.ok(endedMs - beganMs >= 5 * second, "a key without lifetime is given 5 s");
  if (policy === "newest") {
    assert.match(report.warnings.join("\n"), /4 sessions differ between file and Redis/);
  }

  const after = await stateOf(redis);
  for (const [number, { name, value = file, expected }] of cases.entries()) {
    const key = keyOf(number);
    const [text, endsMs] = after[key] ?? ["nothing", -2];
    const how = expected[index]?.[1];
    if (how === "untouched") {
      assert.deepEqual(after[key], before[key], name);
      continue;
    }
    assert.equal(text, how === "file" ? value : before[key]?.[0], name);
    const countedFromMs = endsMs - full + 2 * second;
    assert.ok(countedFromMs > beganMs - second && countedFromMs <= endedMs, `${name}: ${countedFromMs - beganMs} ms`);
  }

  const again = await run([...args, ...chosen]);
  assert.equal(again.report.sessions.copied, 0, "nothing is left to be copied");
  assert.equal(again.report.sessions.identical, counts.copied + counts.identical);
  assert.deepEqual(await stateOf(redis), after, "a second copy changes no value and no lifetime");
}

async function judgeSecondCopy(t: TestContext, more: readonly string[]): Promise<void> {
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  const sessions = 150;
  await makeSessions(directory, { count: sessions, mtimes: "spread" });
  const args = ["copy", ...between(directory, redis), "--json", ...more];
  const first = await run(args);
  assert.equal(first.report.sessions.copied + first.report.sessions.expired, sessions);
  const after = await stateOf(redis);
  await redisCommand(redis, "CONFIG", "RESETSTAT");
  const again = await run(args);
  assert.deepEqual(
    { copied: again.report.sessions.copied, identical: again.report.sessions.identical },
    { copied: 0, identical: first.report.sessions.copied },
  );
  assert.equal(again.report.bytes.written, 0);
  assert.equal(again.exitCode, 0);
  const renewed = await stateOf(redis);
  assert.deepEqual(Object.keys(renewed), Object.keys(after));
  for (const [key, [value, endsMs]] of Object.entries(renewed)) {
    const [before, endedMs] = after[key] ?? ["nothing", 0];
    assert.equal(value, before);
    assert.ok(endsMs >= endedMs, "a lifetime only grows");
  }
}

/** What the live server in another process tells when it is told to stop. */
interface LiveServerReport {
  /** The number of each key's last save. */
  readonly last: readonly number[];
  readonly saves: number;
  /** Keys that held the file's value at their first save. */
  readonly afterFile: number;
  /** Values of ours that were gone when the same key was saved again. */
  readonly lost: readonly string[];
}

const liveValue = (number: number, save: number): string => `{"uid": 2, "v": "live ${number} ${save}"}`;
const liveFile = (number: number): string => `{"uid": 2, "v": "file ${number}"}`;

/**
 * Saves sessions as the applet does, SET and a while later EXPIRE, in random order, until it is
 * told to stop and each is saved.
 */
async function liveServer(port: number, keys: number, seed: number): Promise<void> {
  const client = await connectRedis({ port });
  const random = makeRandom(seed);
  const last: number[] = Array.from({ length: keys }, () => 0);
  const unfinished: number[] = [];
  const lost: string[] = [];
  let afterFile = 0;
  let saves = 0;
  let stopped = false;
  process.once("message", () => {
    stopped = true;
  });
  const expire = async (key: number) => client.pipeline([["EXPIRE", keyOf(key), fullSeconds]]);
  while (!stopped || last.includes(0)) {
    const order = Array.from({ length: keys }, (_, key) => key);
    for (let at = keys - 1; at > 0; at--) {
      const other = Math.floor(random() * (at + 1));
      [order[at], order[other]] = [order[other] ?? 0, order[at] ?? 0];
    }
    for (const key of order) {
      if (stopped && !last.includes(0)) break;
      const save = ++saves;
      const [reply] = await client.pipeline([["SET", keyOf(key), liveValue(key, save), "GET"]]);
      const found = String(reply);
      const before = last[key] ?? 0;
      if (before === 0 && found === liveFile(key)) afterFile += 1;
      if (before !== 0 && found !== liveValue(key, before)) lost.push(`${key}: ${found}`);
      last[key] = save;
      unfinished.push(key);
      while (unfinished.length > 0 && random() < 0.5) await expire(unfinished.shift() ?? 0);
      if (save === 500) process.send?.("busy");
    }
  }
  for (const key of unfinished) await expire(key);
  client.close();
  const report: LiveServerReport = { last, saves, afterFile, lost };
  process.send?.(report, () => process.disconnect());
}

function startLiveServer(port: number, keys: number, seed: number) {
  const child = fork(fileURLToPath(import.meta.url), ["live-server", String(port), String(keys), String(seed)], {
    execArgv: [],
  });
  if (child.pid !== undefined) child.once("exit", caretaker.killAtEnd(child.pid));
  let busy = false;
  const report = new Promise<LiveServerReport>((resolve, reject) => {
    child.on("message", (message: "busy" | LiveServerReport) => {
      if (message === "busy") busy = true;
      else resolve(message);
    });
    child.once("exit", (code) => reject(new Error(`the live server ended: ${code}`)));
  });
  report.catch(() => undefined);
  return { report, isBusy: () => busy, stop: () => child.send("stop") };
}

async function judgeLiveServer(t: TestContext, seed: number): Promise<void> {
  const keys = 2400;
  const redis = await redisOf(t);
  const directory = join(makeTemporaryDirectory(), "s");
  mkdirSync(directory);
  const nowMs = Date.now();
  const older: RedisArgument[][] = [];
  for (let key = 0; key < keys; key++) {
    writeSession(directory, key, liveFile(key), nowMs - hour);
    const value = `{"uid": 2, "v": "older ${key}"}`;
    // A third is absent; the others are older than their files, for which the file's is to replace
    // them.
    if (key % 3 !== 0) {
      older.push(["SET", keyOf(key), value, "PXAT", signedInstant(nowMs - day + full, value, 0)]);
    }
  }
  await redisPipeline(redis, older);

  const gate = await startGate(t, redis.port, 180_000);
  const args = ["copy", "--session-dir", directory, "--on-conflict", "newest", "--json"];
  const first = start([...args, "--port", String(gate.port)]);
  await heldOf(gate, first.result);
  const server = startLiveServer(redis.port, keys, seed);
  await waitUntil("the live server is busy", server.isBusy);
  gate.open();
  const results = [await first.result];
  results.push(
    ...(await Promise.all([
      run([...args, "--port", String(redis.port)]),
      run([...args, "--port", String(redis.port)]),
    ])),
  );
  server.stop();
  const { last, saves, afterFile, lost } = await server.report;

  t.diagnostic(
    [
      `${saves} saves`,
      ...results.map(({ report: { sessions } }) => `${sessions.copied} copied, ${sessions.kept} kept`),
    ].join("; "),
  );
  for (const { exitCode, stderr, report } of results) {
    assert.equal(exitCode, 0, stderr);
    assert.equal(report.sessions.copied + report.sessions.kept + report.sessions.identical, keys);
  }
  assert.deepEqual(lost, [], "no newer value was replaced by the file's");
  assert.ok(afterFile > 0, "the copy wrote some before they were saved");
  assert.ok((results[0]?.report.sessions.kept ?? 0) > 0, "and found some that were saved before");
  const state = await stateOf(redis);
  for (let key = 0; key < keys; key++) {
    const [value, endsMs] = state[keyOf(key)] ?? ["nothing", -2];
    assert.equal(value, liveValue(key, last[key] ?? 0));
    assert.ok(endsMs >= nowMs + full && endsMs <= Date.now() + full, "and its own lifetime");
  }
}

function registerTests(): void {
  test("each kind of key under each policy, dry and in earnest (spec.md section 4, Conflicts)", async (t) => {
    await Promise.all(policies.map((policy) => t.test(policy, (t) => judgePolicy(t, policy))));
  });

  test("a second copy right after the first finds all identical", async (t) => {
    const rows = [
      ...policies.map((policy) => ({ name: policy, args: ["--on-conflict", policy] })),
      { name: "--ttl remaining", args: ["--ttl", "remaining"] },
    ];
    for (const { name, args } of rows) await t.test(name, (t) => judgeSecondCopy(t, args));
  });

  test("a live server saves while copies run: no newer value is ever replaced", async (t) => {
    await judgeLiveServer(t, 1);
  });

  test("a user who may not EVAL: refused, naming it, and only where something is to be replaced", async (t) => {
    const redis = await redisOf(t);
    await redisCommand(redis, "ACL", "SETUSER", "u", "on", "nopass", "~*", "+@all", "-eval");
    const directory = join(makeTemporaryDirectory(), "s");
    mkdirSync(directory);
    writeSession(directory, 1, file, Date.now() - day);
    const args = ["copy", ...between(directory, redis), "--username", "u"];
    const environment = { TELE_SESSION_REDIS_PASSWORD: "NotToBeShown" };
    assert.equal((await run(args, { environment })).exitCode, 0);
    const endsMs = signedInstant(Date.now() - 2 * day + full, other, 0);
    await redisCommand(redis, "SET", keyOf(1), other, "PXAT", endsMs);
    const { exitCode, stderr } = await run(args, { environment });
    assert.equal(exitCode, 5, stderr);
    assert.match(stderr, /EVAL/);
    assert.deepEqual((await stateOf(redis))[keyOf(1)], [other, endsMs]);
  });
}

const [role, port, keys, seed] = process.argv.slice(2);
if (role === "live-server") await liveServer(Number(port), Number(keys), Number(seed));
else registerTests();
