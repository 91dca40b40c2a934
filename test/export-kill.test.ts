import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { describeKillPoint, type KillPoint, watchOptions } from "./support/kills/kill-point.js";
import { between } from "./support/process/between.js";
import { runCommand } from "./support/process/command.js";
import { makeTemporaryDirectory } from "./support/process/temporary-directory.js";
import { redisCommand, redisPipeline } from "./support/servers/redis-command.js";
import { startRedis } from "./support/servers/redis-server.js";
import { hourMs, sessionText } from "./support/sessions/session-directory.js";

/** `npm run test:export` sets it. */
const wanted = Number(process.env["TELE_SESSIONS_EXPORT_KILLS"] ?? 6);
const sessions = 300;
const fullLifetimeMs = 604_800_000;
/** When Redis's sessions were saved. */
const savedMs = Date.now() - hourMs;
/** Of every ten sessions, one has an older file, and one a newer. */
const [older, newer] = [3, 7];
/** What is counted up to a kill, and about how often it comes in an export. */
const kinds = [
  { name: "openSync", most: 800 },
  { name: "reply", most: 1500 },
  { name: "linkSync", most: 200 },
  { name: "renameSync", most: 25 },
  { name: "unlinkSync", most: 200 },
  { name: "mkdirSync", most: 12 },
] as const;

const layouts = {
  "15.0": (sid: string) => `werkzeug_${sid}.sess`,
  "19.0": (sid: string) => `${sid.slice(0, 2)}/${sid}`,
};
type Server = keyof typeof layouts;

/** The sid of a session: the first digits of few are alike. */
function sidOf(number: number): string {
  const digits = [...number.toString(16).padStart(4, "0")].reverse();
  return digits.join("").padEnd(40, "e");
}

/** Empties the directory, but for the sessions that have a file before the export. */
function restore(directory: string, server: Server): void {
  rmSync(directory, { recursive: true, force: true });
  for (let number = 0; number < sessions; number++) {
    const path = join(directory, layouts[server](sidOf(number)));
    if (number % 10 !== older && number % 10 !== newer) continue;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, sessionText(`file ${number}`));
    const fileMs = Date.now() - (number % 10 === older ? 2 * hourMs : 60_000);
    utimesSync(path, fileMs / 1000, fileMs / 1000);
  }
}

/** Whether a name is one that servers ignore. */
function isIgnored(name: string): boolean {
  return /^tmp.*\.__wz_sess$/.test(name);
}

test("kill -9 at any point of an export: whole files only, no newer one replaced, one run more ends it", async (t) => {
  const redis = await startRedis();
  t.after(() => redis.stop());
  await redisPipeline(
    redis,
    Array.from({ length: sessions }, (_, number) => [
      ...["SET", `session:${sidOf(number)}`, sessionText(`redis ${number}`), "PXAT", String(savedMs + fullLifetimeMs)],
    ]),
  );
  let killed = 0;
  let partly = 0;
  for (let at = 0; at < wanted; at++) {
    const server: Server = at % 2 === 0 ? "15.0" : "19.0";
    const directory = join(makeTemporaryDirectory(), "s");
    restore(directory, server);
    // By JSON both servers' files can be compared with what Redis holds.
    const layout = server === "15.0" ? "flat" : "scattered";
    const args = ["export", ...between(directory, redis), "--layout", layout, "--format", "json"];
    const { name, most } = kinds[at % kinds.length] ?? kinds[0];
    const place: Pick<KillPoint, "at" | "side"> = {
      at: 1 + Math.floor((most * (at + 0.5)) / wanted),
      side: at % 4 < 2 ? "before" : "after",
    };
    const point: KillPoint = name === "reply" ? { kind: name, ...place } : { kind: "file operation", name, ...place };
    const { nodeArgs, environment } = watchOptions({ directory, redisPorts: [redis.port], point });
    const { signal } = await runCommand(args, { nodeArgs, environment });
    if (signal === "SIGKILL") killed++;
    const where = `${describeKillPoint(point)} (${name})`;
    const written = check(directory, server, where, signal === "SIGKILL");
    if (written > 0 && written < sessions) partly++;

    const again = await runCommand(args);
    assert.equal(again.exitCode, 0, again.stderr);
    assert.equal(check(directory, server, where, false), sessions * 0.9, where);
    rmSync(directory, { recursive: true });
  }
  t.diagnostic(`${killed} of ${wanted} exports of ${sessions} sessions were killed, ${partly} with some written`);
  assert.ok(killed >= wanted * 0.8, `only ${killed} were killed`);
  assert.equal(Number(await redisCommand(redis, "EXISTS", ...allKeys())), sessions);
});

function allKeys(): string[] {
  return Array.from({ length: sessions }, (_, number) => `session:${sidOf(number)}`);
}

/** Checks every file. Returns how many are as Redis holds them. */
function check(directory: string, server: Server, where: string, mayLack: boolean): number {
  let written = 0;
  for (let number = 0; number < sessions; number++) {
    const path = join(directory, layouts[server](sidOf(number)));
    const kind = number % 10;
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      assert.ok(mayLack && kind !== older && kind !== newer, `${number} has no file after a kill ${where}`);
      continue;
    }
    const text = readFileSync(path, "utf8");
    if (text === sessionText(`redis ${number}`)) {
      written++;
      assert.notEqual(kind, newer, `a newer file was replaced by a kill ${where}`);
      assert.ok(Math.abs(statSync(path).mtimeMs - savedMs) < 1000, `saved at another time ${where}`);
    } else {
      assert.equal(text, sessionText(`file ${number}`), `damaged by a kill ${where}`);
      assert.ok(kind === newer || mayLack, `an older file is left after a run more, the kill was ${where}`);
    }
  }
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  const others = names.filter((name) => name.includes(".") && !/^werkzeug_[0-9a-f]{40}\.sess$/.test(name));
  assert.deepEqual(
    others.filter((name) => !isIgnored(name)),
    [],
    where,
  );
  return written;
}
