import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import { projectRoot, python } from "../project.js";
import { redisPipeline } from "../servers/redis-command.js";
import { startRedis } from "../servers/redis-server.js";
import { checkSessions } from "./check-sessions.js";
import { type MadeSession, makeSessions, readManifest } from "./make-sessions.js";

async function readAll(manifest: string): Promise<MadeSession[]> {
  const sessions: MadeSession[] = [];
  for await (const session of readManifest(manifest)) sessions.push(session);
  return sessions;
}

test("made sessions are what the manifest says, as Python itself reads them", async () => {
  const directory = makeTemporaryDirectory();
  const sessions = join(directory, "sessions");
  const manifest = join(directory, "manifest");
  const made = await makeSessions(sessions, {
    count: 1600,
    strays: true,
    mtimes: "spread",
    manifest,
    values: true,
  });
  const script = join(projectRoot, "test", "python", "check_made_sessions.py");
  const { stdout } = await promisify(execFile)(python, [script, sessions, manifest]);
  assert.deepEqual(JSON.parse(stdout), { right: 1610, strays: made.ignored + made.empty, wrong: [] });

  const listed = await readAll(manifest);
  assert.equal(made.sessions, 1610);
  assert.equal(made.expired, 10);
  assert.equal(listed.filter(({ outcome }) => outcome === "expired").length, 10);
  assert.equal(new Set(listed.map(({ sid }) => sid)).size, 1610);
  assert.deepEqual(Object.keys(made.formats).sort(), [
    ...["json", "pickle0", "pickle1", "pickle2", "pickle3", "pickle4", "pickle5", "python2"],
  ]);
  assert.equal(new Set(listed.map(({ layout, format, sid }) => `${layout} ${format} ${sid.length}`)).size, 23);
  assert.equal(statSync(sessions).mode & 0o777, 0o700);
});

test("Python 2's pickles hold byte strings, and unicode strings too", async () => {
  const directory = makeTemporaryDirectory();
  const manifest = join(directory, "manifest");
  await makeSessions(directory, { count: 300, formats: ["python2"], layouts: ["flat"], manifest });
  const contents = (await readAll(manifest)).map(({ path }) => readFileSync(join(directory, path), "latin1"));
  assert.ok(contents.every((content) => content.includes("U\x02db")));
  assert.ok(contents.some((content) => content.includes("U\x07Z\xc3\xbcrich")));
  assert.ok(contents.some((content) => content.includes("X\x0a\0\0\0S\xc3\xa3o Paulo")));
  assert.ok(contents.some((content) => content.includes("cdatetime\ndate\n") && /U\x04\x07\xe3/.test(content)));
});

test("the same seed makes the same sessions, another one others", async () => {
  const make = async (seed: number): Promise<readonly MadeSession[]> => {
    const directory = makeTemporaryDirectory();
    const manifest = join(directory, "manifest");
    await makeSessions(join(directory, "sessions"), { count: 50, seed, manifest });
    return readAll(manifest);
  };
  const [one, same, other] = await Promise.all([make(1), make(1), make(2)]);
  assert.deepEqual(one, same);
  assert.notDeepEqual(
    one.map(({ sid }) => sid),
    other.map(({ sid }) => sid),
  );
});

test("the check finds every kind of difference", async () => {
  const directory = makeTemporaryDirectory();
  const manifest = join(directory, "manifest");
  await makeSessions(join(directory, "sessions"), { count: 300, strays: true, manifest, values: true });
  const sessions = await readAll(manifest);
  const server = await startRedis();
  const beganMs = Date.now();
  const set = ({ sid, value = "", lifetime }: MadeSession, more: number): (string | number)[] => {
    return ["SET", `session:${sid}`, value, "PXAT", beganMs + lifetime * 1000 + more];
  };
  const live = sessions.filter(({ outcome }) => outcome === "copied");
  await redisPipeline(
    server,
    live.map((session) => set(session, -2000)),
  );
  const endedMs = Date.now();
  const check = () => checkSessions(server, readManifest(manifest), { beganMs, endedMs });
  assert.deepEqual(await check(), { right: 300, absent: 10, differences: [] });

  const [absent, bytes, endless, short, long] = live;
  const over = sessions.find(({ outcome }) => outcome === "expired");
  assert.ok(absent && bytes && endless && short && long && over);
  await redisPipeline(server, [
    ["DEL", `session:${absent.sid}`],
    set({ ...bytes, value: `${bytes.value} ` }, 0),
    ["PERSIST", `session:${endless.sid}`],
    set(short, -60_000),
    set(long, 60_000),
    ["SET", `session:${over.sid}`, over.value ?? ""],
  ]);
  const { right, absent: stillAbsent, differences } = await check();
  assert.deepEqual([right, stillAbsent], [295, 9]);
  const expected = [
    [absent, /^is not there$/],
    [bytes, /^has other bytes$/],
    [endless, /^has no lifetime$/],
    [short, /^has \d+ ms left of \d+ s$/],
    [long, /^has \d+ ms left of \d+ s$/],
    [over, /^is there, though it was over$/],
  ] as const;
  assert.equal(differences.length, expected.length);
  for (const [index, [{ sid, format }, pattern]] of expected.entries()) {
    const [head, tail = ""] = differences[index]?.split(": ") ?? [];
    assert.equal(head, `${sid.slice(0, 6)}… (${format})`);
    assert.match(tail, pattern);
  }
  await server.stop();
});
