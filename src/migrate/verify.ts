import type { Survey } from "../model/mark.js";
import { pause } from "../redis/pause.js";
import { seeOtherShards, surveyRun } from "./earlier-runs/survey.js";
import { ReaderPool } from "./readers/reader-pool.js";
import type { Run } from "./run-context.js";
import { passOf, runMainPass, tellEnded } from "./run-pass.js";
import { scanAll } from "./session-scan.js";
import { showPass } from "./show-progress.js";
import { refuseUnreadable, tellDoubt, tellLongSids } from "./tell.js";
import { Verifier } from "./verifier.js";

/** Compares every session with Redis, and changes nothing. Throws what ends the run. */
export async function verify(run: Run): Promise<void> {
  const { record, redis, stop } = run;
  await redis.marks.read();
  const before = await surveyRun(run, "sample");
  const batches = scanAll(run, record.tally, { restores: false });
  const pass = passOf(run, verifierOf(run, before), batches);
  const compare = () => runMainPass(pass, before, record, (seen) => seeOtherShards(run, seen));
  const end = await showPass(run, "comparing", compare);
  // A run that only reads has no canary.
  await redis.marks.confirm();
  tellDoubt(run);
  tellLongSids(run);
  const lostEarlier = !stop.aborted && tellEnded(run, end);
  const { outcomes } = record.ledger.counts;
  const differing = outcomes.missing + outcomes.different + outcomes["wrong-lifetime"];
  // What an interrupted purge left aside was not compared.
  if (lostEarlier || differing + record.tally.setAside.length > 0) record.partial = true;
  refuseUnreadable(record.tally);
}

function verifierOf({ options, redis, files, stop }: Run, survey: Survey): Verifier {
  const startedMs = Date.now();
  const { directories, maxFileSize, conversion, threads } = files;
  const times = { runStartedMs: startedMs, passStartedMs: startedMs };
  const reading = { directories, maxFileSize, conversion, ...times, hashes: false };
  const { conflicts, output } = options;
  return new Verifier({ conversion, conflicts, collectsOutcomes: output.list }, survey, {
    store: redis.store,
    readers: new ReaderPool(reading, threads),
    wait: (milliseconds) => pause(milliseconds, stop),
  });
}
