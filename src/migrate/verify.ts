import type { Survey } from "../model/mark.js";
import { pause } from "../redis/pause.js";
import { judgeEnded } from "./earlier-runs/learn.js";
import { seeOtherShards, surveyRun } from "./earlier-runs/survey.js";
import { ReaderPool } from "./readers/reader-pool.js";
import type { Run } from "./run-context.js";
import { passOf, runMainPass } from "./run-pass.js";
import { scanAll } from "./session-scan.js";
import { showPass } from "./show-progress.js";
import { endedText, refuseUnreadable, tellDoubt, tellLongSids } from "./tell.js";
import { Verifier } from "./verifier.js";

/** Compares every session with Redis, and changes nothing. Throws what ends the run. */
export async function verify(run: Run): Promise<void> {
  const { record, redis, options, out, stop } = run;
  await redis.marks.read();
  const before = await surveyRun(run, "sample");
  const batches = scanAll(run, record.tally, { restores: false });
  const pass = passOf(run, verifierOf(run, before), batches);
  const compare = () => runMainPass(pass, before, record, (seen) => seeOtherShards(run, seen));
  const { survey, seen } = await showPass(run, "comparing", compare);
  // A run that only reads has no canary.
  await redis.marks.confirm();
  tellDoubt(run);
  tellLongSids(run);
  const verdict = stop.aborted ? "fine" : judgeEnded(survey, seen, options.conflicts.maxEnded, Date.now());
  if (verdict !== "fine") out.warn(endedText(verdict, seen), { evenIfQuiet: true });
  const { outcomes } = record.ledger.counts;
  const differing = outcomes.missing + outcomes.different + outcomes["wrong-lifetime"];
  // What an interrupted purge left aside was not compared.
  if (verdict === "lost" || differing + record.tally.setAside.length > 0) record.partial = true;
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
