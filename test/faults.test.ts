import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { waitUntil } from "./end-to-end/support/wait-until.js";
import { aftermaths } from "./support/sessions/earlier-copy.js";
import { namedFaults } from "./support/sweep/named-faults.js";
import { type Calibration, type Place, places, planNamed, planRandom } from "./support/sweep/plan-sweep.js";
import { runSweep } from "./support/sweep/run-sweep.js";
import { SweepTally } from "./support/sweep/sweep-tally.js";
import { type SweptCommand, sweptCommands } from "./support/sweep/swept-commands.js";
import { makeSweptRun, type PlannedRun } from "./support/sweep/swept-run.js";
import { copyEarlier, makeSweptSessions, type SweptSessions } from "./support/sweep/swept-sessions.js";

/** `npm run test:faults` sets it: how many random schedules. */
const wanted = Number(process.env["TELE_SESSIONS_FAULTS"] ?? 4);
const isLong = wanted >= 100;
/** Three batches; in the short sweep little of the third. */
const count = isLong ? 700 : 530;
/** Runs of which each keeps half a processor busy, and runs in all, most of which wait. */
const width = { working: 4, all: 24 };
const mostMissed = 0.05;
const toldEvery = 100;

/** Sessions whose files are too old to be modified once more within the same time. */
async function makeSettledSessions(): Promise<(command: SweptCommand) => SweptSessions> {
  const made = await makeSweptSessions(count);
  await settle(made);
  const after = new Map<SweptCommand["afterCopy"], SweptSessions>();
  for (const aftermath of aftermaths) after.set(aftermath.serverWorks, await copyEarlier(made, aftermath));
  await settle(made);
  return ({ afterCopy }) => after.get(afterCopy) ?? made;
}

async function settle({ directory, contents }: SweptSessions): Promise<void> {
  const youngest = Math.max(...[...contents.keys()].map((path) => statSync(join(directory, path)).mtimeMs));
  await waitUntil("the files are settled", () => Date.now() > youngest + 2500);
}

/** Replies that runs take as they take one of the others: the short sweep goes without. */
const alike =
  /^answers (READONLY|MASTERDOWN|BUSY|TRYAGAIN|CLUSTERDOWN|UNBLOCKED|ERR max|MISCONF|NOREPLICAS|NOAUTH|WRONGPASS|ASK)/;

/** Makes the watchdog's 30 s two: the short sweep has not the time. */
const hurried = [
  "--import",
  `data:text/javascript,${encodeURIComponent(
    `const wait = globalThis.setTimeout;
    globalThis.setTimeout = (done, time, ...more) => wait(done, time === 30000 ? 2000 : time, ...more);`,
  )}`,
];

function waitsForWatchdog({ faults }: PlannedRun): boolean {
  return faults.some(({ fault }) => fault.watchdogs !== undefined);
}

/** Tells whoever waits for the long sweep. */
function tell(lines: readonly string[]): void {
  for (const line of lines) console.error(line);
}

/**
 * Every third fault once, over one phase of one command after the other, at one place in the batch
 * after the other.
 */
function planShort(calibrations: readonly Calibration[]): PlannedRun[] {
  const faults = namedFaults.filter(({ name }) => !alike.test(name)).filter((_, index) => index % 3 === 0);
  const turns = places.flatMap((place): { readonly place: Place; readonly calibration: Calibration }[] =>
    calibrations.map((calibration) => ({ place, calibration })),
  );
  return faults.flatMap((fault, index) => {
    const turn = turns[index % turns.length];
    if (turn === undefined) return [];
    const phases = planNamed(turn.calibration, fault, turn.place);
    return phases.slice(index % phases.length).slice(0, 1);
  });
}

test("whatever Redis and the connection do: no run hangs or says done too early, and no session is lost", async (t) => {
  const sessionsOf = await makeSettledSessions();
  const calibrations: Calibration[] = [];
  for (const command of sweptCommands) {
    const undisturbed = { name: command.name, command, faults: [] };
    const { replies, problems, exitCode } = await makeSweptRun(undisturbed, sessionsOf(command));
    assert.deepEqual([exitCode, problems], [0, []], `${command.name}, undisturbed`);
    calibrations.push({ command, replies });
  }

  const named = isLong
    ? calibrations.flatMap((calibration) =>
        namedFaults.flatMap((fault) => places.flatMap((place) => planNamed(calibration, fault, place))),
      )
    : planShort(calibrations);
  const random = Array.from({ length: wanted }, (_, index) => planRandom(calibrations, index + 1));
  const tally = new SweepTally();
  const planned = [...named, ...random].map((one) =>
    isLong || !waitsForWatchdog(one) ? one : { ...one, nodeArgs: hurried },
  );
  await runSweep(planned, sessionsOf, width, (run) => {
    tally.add(run);
    if (isLong) tell(run.problems.map((problem) => `${run.planned.name}: ${problem}`));
    if (isLong && tally.runs % toldEvery === 0) tell([`${tally.runs} of ${planned.length} runs`]);
  });

  t.diagnostic(tally.summary);
  if (isLong) for (const line of [...tally.table, ...tally.missed]) t.diagnostic(line);
  assert.deepEqual(tally.problems, []);
  assert.equal(tally.lost, 0);
  const names = new Set(named.flatMap(({ faults }) => faults.map(({ fault }) => fault.name)));
  const never = [...names].filter((name) => !tally.happened.has(name));
  assert.deepEqual(never, [], "these never happened");
  assert.ok(tally.missed.length <= mostMissed * planned.length, tally.missed.join("\n"));
});
