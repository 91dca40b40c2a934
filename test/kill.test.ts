import assert from "node:assert/strict";
import { test } from "node:test";
import { describeKillPoint } from "./support/kills/kill-point.js";
import { sweepSecondRuns } from "./support/kills/kill-second-runs.js";
import { type KillResult, sweepKills } from "./support/kills/kill-sweep.js";
import { isOurs } from "./support/sessions/locate-sessions.js";

/** `npm run test:kill` sets it. */
const wanted = Number(process.env["TELE_SESSIONS_KILLS"] ?? 2);
/** Of second runs, over a directory that was copied before. */
const wantedOfSecond = Math.max(2, Math.ceil(wanted / 2.5));
/** Sessions of each run; fewer where the kills are few, as part of all the tests. */
const sessions = wanted >= 100 ? 5000 : 2000;
/** Readers share files by who is free, so a kill by file operation may miss its phase. */
const leastMixed = wanted < 50 ? 0.5 : 0.7;
const killsBetweenLines = 50;

/** Whether a kill found some sessions moved and some not. */
function isMixed({ killed }: KillResult): boolean {
  const isPart = (count: number): boolean => count > 0 && count < sessions;
  return isPart(killed.inRedis) || isPart(killed.onDisk);
}

function describeSweep(results: readonly KillResult[], seconds: number): string {
  const count = (isSo: (result: KillResult) => boolean): number => results.filter(isSo).length;
  const sum = (of: (result: KillResult) => readonly string[]): number => results.flatMap(of).length;
  return [
    `${results.length} kills of copy --purge of ${sessions} sessions`,
    `${count(({ point }) => point.kind === "reply")} by reply`,
    `${count(({ point }) => point.kind === "file operation")} by file operation`,
    `some sessions moved and some not at ${count(isMixed)}`,
    `files being removed at ${count(({ killed }) => killed.onDisk < sessions)}`,
    `a file set aside at ${count(({ killed }) => killed.renamed > 0)}`,
    `lost ${sum(({ killed }) => killed.lost)}`,
    `damaged ${sum(({ killed }) => killed.wrong)}`,
    `after one run more wrong ${sum(({ differences }) => differences)}`,
    `files of ours left ${sum(({ left }) => left.filter(isOurs))}`,
    `${Math.round(seconds)} s`,
  ].join(", ");
}

test("kill -9 at any point: every session is in Redis or on disk, and one run more finishes the job", async (t) => {
  const began = performance.now();
  const results = await sweepKills({ sessions, points: wanted, seed: 1 }, (done) => {
    if (done % killsBetweenLines === 0) console.error(`${done} of ${wanted} kills`);
  });
  t.diagnostic(describeSweep(results, (performance.now() - began) / 1000));
  assert.equal(results.length, wanted);
  for (const { point, killed, differences, left } of results) {
    const where = describeKillPoint(point);
    assert.deepEqual(killed.lost, [], `lost by a kill ${where}`);
    assert.deepEqual(killed.wrong, [], `damaged by a kill ${where}`);
    assert.deepEqual(differences, [], `not right in Redis after a run more, the kill was ${where}`);
    assert.deepEqual(left, [], `files left after a run more, the kill was ${where}`);
  }
  const mixed = results.filter(isMixed).length;
  assert.ok(mixed >= wanted * leastMixed, `only at ${mixed} of ${wanted} some were moved and some not`);
});

test("kill -9 at any point of a second run: no session is lost, outdated or alive again", async (t) => {
  const began = performance.now();
  const ofEach = sessions / 4;
  const results = await sweepSecondRuns({ sessions: ofEach, points: wantedOfSecond, seed: 1 }, (done) => {
    if (done % killsBetweenLines === 0) console.error(`${done} of ${wantedOfSecond} kills of second runs`);
  });
  const problems = results.flatMap(({ problems }) => problems);
  const seconds = Math.round((performance.now() - began) / 1000);
  const removing = results.filter(({ removed }) => removed > 0).length;
  t.diagnostic(
    `${results.length} kills of a second copy --purge of ${ofEach} sessions, ` +
      `files being removed at ${removing}, ${problems.length} problems, ${seconds} s`,
  );
  assert.equal(results.length, wantedOfSecond);
  assert.deepEqual(problems.slice(0, 10), [], `${problems.length} problems`);
  // Few kills may all fall before the purge.
  assert.ok(removing > 0 || wantedOfSecond < 20);
});
