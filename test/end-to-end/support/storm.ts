import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { type FileWork, tamperOptions } from "../../support/kills/tampered-run.js";
import { between } from "../../support/process/between.js";
import { caretaker } from "../../support/process/caretaker.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { provideTool } from "../../support/programs/provide-tools.js";
import { projectRoot } from "../../support/project.js";
import type { RedisArgument } from "../../support/servers/redis-client.js";
import { redisPipeline } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { savedValue, threeHoursSeconds } from "../../support/sessions/earlier-copy.js";
import { heldOf, startGate } from "./gate.js";
import { dayMs, fullLifetimeMs, keyOf, pathOf, sidOf } from "./made-session.js";
import { type ObservedResult, run, start } from "./observed-run.js";
import { redisOf } from "./redis-of-test.js";

/** A run that is to be disturbed. */
export interface Storm {
  readonly args: readonly string[];
  readonly seed: number;
  readonly sessions: number;
  /**
   * What the run has sent to Redis when the adversary begins: it has opened its directories by
   * then.
   */
  readonly bytesBefore: number;
  /** Whether Redis holds every session before, last saved before the files were modified. */
  readonly held: boolean;
  /**
   * Whether an earlier copy left a mark; since then keys were deleted by hand, and a server saved
   * others in Redis for three hours.
   */
  readonly afterCopy?: true;
  /**
   * Whether the session directory and its folders are swapped for others too. A copy takes what is
   * missing in one that is there for ended, and a purge what has ended for what may go.
   */
  readonly swapsDirectories: boolean;
}

/** What a disturbed run and an undisturbed one behind it came to. */
export interface StormResult {
  readonly disturbed: ObservedResult;
  readonly undisturbed: ObservedResult;
  /** How often the adversary did each thing. */
  readonly done: Readonly<Record<string, number>>;
  /** A sentence for everything that must never be. */
  readonly wrongs: readonly string[];
  /** Names of ours that are left in the session directory. */
  readonly left: readonly string[];
  /** Files that were removed for a session file that stood in their place. */
  readonly replaced: number;
  /** Others that were set aside in a file's stead, and put back. */
  readonly putBack: number;
}

interface Ground {
  /** Holds all the others. */
  readonly top: string;
  readonly directory: string;
  readonly stage: string;
  readonly outside: string;
  readonly decoy: string;
}

/** The size of every content is the same. */
function contentOf(what: string, number: number): string {
  return `{"db": null, "uid": 2, "v": "${what.padEnd(9)} ${String(number).padStart(8, "0")}"}`;
}

/** Moments long enough for the adversary to come to the very file that is in hand. */
const pauses = { share: 0.04, milliseconds: 8 };

/** Lets an adversary loose on a run, from its start to its end, and judges what the run did. */
export async function raiseStorm(t: TestContext, storm: Storm): Promise<StormResult> {
  const ground = makeGround(storm.sessions);
  // A long sweep would leave millions of files.
  t.after(() => removeTemporaryDirectory(ground.top));
  const before = snapshot(ground);
  const redis = await redisOf(t);
  if (storm.held) await fill(redis, storm.sessions);
  if (storm.afterCopy) await copyEarlier(redis, ground, storm.sessions);

  const [log, logAgain] = [join(ground.top, "log"), join(ground.top, "log-again")];
  const gate = await startGate(t, redis.port, storm.bytesBefore);
  const common = [...storm.args, "--session-dir", ground.directory, "--json"];
  const asksRedis = !storm.args.includes("--unverified");
  const adversary = await prepareAdversary(ground, storm);
  if (!asksRedis) adversary.begin();
  const running = start([...common, ...(asksRedis ? ["--port", String(gate.port)] : [])], {
    ...tamperOptions({ log, pauses: { seed: storm.seed, ...pauses } }),
  });
  if (asksRedis) {
    await heldOf(gate, running.result);
    adversary.begin();
    gate.open();
  }
  const disturbed = await running.result;
  const { done, made } = await adversary.end();
  const runs = [await runOf(log, redis, storm)];
  const undisturbed = await start(
    [...common, ...(asksRedis ? ["--port", String(redis.port)] : [])],
    tamperOptions({ log: logAgain }),
  ).result;
  runs.push(await runOf(logAgain, redis, storm));

  const judged = runs.map((run) => judgeRemovals(run, asksRedis));
  return {
    disturbed,
    undisturbed,
    done,
    wrongs: [
      ...judged.flatMap(({ wrongs }) => wrongs),
      ...findLost(ground, storm.sessions, made, runs),
      ...differences(before, snapshot(ground)),
    ],
    left: filesIn(ground.directory).filter((path) => basename(path).startsWith(".tele-sessions-")),
    replaced: judged.reduce((sum, { replaced }) => sum + replaced, 0),
    putBack: runs.flatMap(({ work }) => work).filter(({ kind }) => kind === "put back").length,
  };
}

async function runOf(log: string, redis: RedisServer, { sessions }: Storm): Promise<Run> {
  return { work: JSON.parse(readFileSync(log, "utf8")), held: await heldSessions(redis, sessions) };
}

function layoutOf(number: number): "flat" | "scattered" {
  return number % 2 === 0 ? "flat" : "scattered";
}

function makeGround(sessions: number): Ground {
  const top = makeTemporaryDirectory();
  const [directory, stage, outside, decoy] = ["sessions", "stage", "outside", "decoy"].map((name) => {
    mkdirSync(join(top, name));
    return join(top, name);
  });
  assert.ok(directory !== undefined && stage !== undefined && outside !== undefined && decoy !== undefined);
  for (let number = 0; number < sessions; number++) {
    const modified = (Date.now() - dayMs) / 1000 + number / 1000;
    const [original, other, third] = [directory, outside, decoy].map((place) => {
      const path = pathOf(place, number, layoutOf(number));
      mkdirSync(dirname(path), { recursive: true });
      return path;
    });
    assert.ok(original !== undefined && other !== undefined && third !== undefined);
    const put = (path: string, what: string): void => {
      writeFileSync(path, contentOf(what, number));
      utimesSync(path, modified, modified);
    };
    put(original, "original");
    // Every third is the very same file: nothing but the way there tells that it is none of the
    // run's.
    if (number % 3 === 0) {
      linkSync(original, other);
      linkSync(original, third);
    } else {
      put(other, "outside");
      if (number % 3 === 1) put(third, "decoy");
    }
  }
  // What a purge that was killed would have left, in a place that is none of the run's.
  for (const folder of readdirSync(outside).filter((name) => name.length === 2)) {
    const [name = ""] = readdirSync(join(outside, folder));
    writeFileSync(join(outside, folder, `.tele-sessions-4194305-0123456789abcdef-${name}`), "set aside outside");
  }
  return { top, directory, stage, outside, decoy };
}

/** Redis holds what the files hold, and has held it since before they were modified. */
async function fill(redis: RedisServer, sessions: number): Promise<void> {
  const lifetime = String(fullLifetimeMs - 3 * dayMs);
  await redisPipeline(
    redis,
    Array.from({ length: sessions }, (_, number) => [
      "SET",
      keyOf(number),
      contentOf("original", number),
      "PX",
      lifetime,
    ]),
  );
}

/**
 * A copy, and what happened since: every tenth key was deleted, and every tenth saved by the
 * server.
 */
async function copyEarlier(redis: RedisServer, { directory }: Ground, sessions: number): Promise<void> {
  const { exitCode, stderr } = await run(["copy", ...between(directory, redis)]);
  assert.equal(exitCode, 0, stderr);
  const commands: RedisArgument[][] = [];
  for (let number = 0; number < sessions; number++) {
    if (number % 10 === 3) commands.push(["DEL", keyOf(number)]);
    if (number % 10 === 4) commands.push(["SET", keyOf(number), savedValue, "EX", threeHoursSeconds]);
  }
  await redisPipeline(redis, commands);
}

type Made = readonly (readonly [file: string, content: string])[];

interface Adversary {
  readonly begin: () => void;
  readonly end: () => Promise<{ readonly done: Record<string, number>; readonly made: Made }>;
}

async function prepareAdversary(ground: Ground, { seed, swapsDirectories }: Storm): Promise<Adversary> {
  const child = spawn(
    await provideTool("python"),
    [
      ...["-B", join(projectRoot, "test", "python", "adversary.py")],
      ...[ground.directory, ground.stage, ground.outside, ground.decoy, String(seed)],
      ...(swapsDirectories ? ["--swap-directories"] : []),
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  assert.ok(child.pid !== undefined);
  const spare = caretaker.killAtEnd(child.pid);
  child.once("exit", spare);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "close");
  // It reads the directory before anything runs.
  const ready = (async () => {
    while (!said.startsWith("ready\n")) await once(child.stdout, "data");
  })();
  const failed = ended.then(() => {
    throw new Error("the adversary ended before its time");
  });
  await Promise.race([ready, failed]);
  failed.catch(() => undefined);
  return {
    begin: () => void child.stdin.write("go\n"),
    end: async () => {
      child.stdin.end();
      const [code] = await ended;
      assert.equal(code, 0, "the adversary failed");
      return JSON.parse(said.slice("ready\n".length));
    },
  };
}

/** What Redis holds for a session: what it was last saved with, and when that was. */
interface HeldSession {
  readonly value: string;
  readonly savedMs: number;
}

async function heldSessions(redis: RedisServer, sessions: number): Promise<ReadonlyMap<string, HeldSession>> {
  const numbers = Array.from({ length: sessions }, (_, number) => number);
  const replies = await redisPipeline(
    redis,
    numbers.flatMap((number) => [
      ["GET", keyOf(number)],
      ["PEXPIRETIME", keyOf(number)],
    ]),
  );
  return new Map(
    numbers.flatMap((number): [string, HeldSession][] => {
      const value = replies[2 * number] ?? null;
      const lifetimeMs = String(value) === savedValue ? threeHoursSeconds * 1000 : fullLifetimeMs;
      const savedMs = Number(replies[2 * number + 1]) - lifetimeMs;
      return value === null ? [] : [[sidOf(number), { value: String(value), savedMs }]];
    }),
  );
}

interface Run {
  readonly work: readonly FileWork[];
  /**
   * What Redis held when it was over. A purge writes nothing, so it held that while files were
   * removed.
   */
  readonly held: ReadonlyMap<string, HeldSession>;
}

interface Judgement {
  readonly wrongs: readonly string[];
  readonly replaced: number;
}

/**
 * Whether every removal was of a file that was read and that Redis held then, or that a later
 * session file had replaced.
 */
function judgeRemovals({ work, held }: Run, asksRedis: boolean): Judgement {
  const read = new Set<string>();
  const wrongs: string[] = [];
  let replaced = 0;
  for (const one of work) {
    const { file, content, mtimeNs } = one;
    if (one.kind === "read") read.add(`${file} ${content}`);
    if (one.kind !== "removed") continue;
    const what = `${file.slice(0, 15)}…: ${JSON.stringify(content)}`;
    if (content === undefined) wrongs.push(`${what} was removed, which is no file`);
    else if (isReplaced(one)) replaced++;
    else if (!read.has(`${file} ${content}`)) wrongs.push(`${what} was removed unread`);
    else if (asksRedis && !isHeld(held.get(sidIn(file)), content, mtimeNs)) {
      wrongs.push(`${what} was removed, and Redis holds ${held.get(sidIn(file))?.value ?? "nothing"}`);
    }
  }
  return { wrongs, replaced };
}

function isReplaced({ content, mtimeNs, standing }: Extract<FileWork, { readonly kind: "removed" }>): boolean {
  if (standing?.content === undefined) return false;
  return content === "" || (standing.size > 0 && BigInt(standing.mtimeNs) >= BigInt(mtimeNs));
}

/** An equal entry, or one that was saved when the file had been modified already. */
function isHeld(held: HeldSession | undefined, content: string, mtimeNs: string): boolean {
  return held !== undefined && (held.value === content || Number(BigInt(mtimeNs) / 1_000_000n) <= held.savedMs);
}

function sidIn(file: string): string {
  return file.replace(/^werkzeug_|\.sess$/g, "");
}

/** Contents that are nowhere any more and that no run removed. */
function findLost(ground: Ground, sessions: number, made: Made, runs: readonly Run[]): string[] {
  const known = new Set([
    ...Array.from({ length: sessions }, (_, number) => contentOf("original", number)),
    ...made.map(([, content]) => content),
  ]);
  for (const path of filesIn(ground.top)) {
    const full = join(ground.top, path);
    if (lstatSync(full).isFile()) known.delete(readFileSync(full, "latin1"));
  }
  for (const { work } of runs) {
    for (const { kind, content = "" } of work) if (kind === "removed") known.delete(content);
  }
  return [...known].map((content) => `${content} is gone, and no run removed it`);
}

function filesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" });
}

/**
 * All there is in the places that are none of the run's, to the last time of a directory, which
 * tells of what came and went.
 */
function snapshot({ outside, decoy }: Ground): ReadonlyMap<string, string> {
  return new Map(
    [outside, decoy].flatMap((place) =>
      ["", ...filesIn(place)].map((name) => {
        const path = join(place, name);
        const { mode, ino, mtimeNs, ...stats } = lstatSync(path, { bigint: true });
        const content = isFile(path) ? readFileSync(path, "utf8") : "";
        return [path, [mode, ino, stats.size, mtimeNs, content].join()] as const;
      }),
    ),
  );
}

function isFile(path: string): boolean {
  return lstatSync(path).isFile();
}

function differences(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .map((path) => `outside: ${path} was ${before.get(path) ?? "nothing"} and is ${after.get(path) ?? "gone"}`);
}
