import type { Survey } from "../model/mark.js";
import { pause } from "../redis/pause.js";
import { judgeEnded } from "./earlier-runs/learn.js";
import { surveyRun } from "./earlier-runs/survey.js";
import { runMainPass } from "./main-pass.js";
import { batchSizeFor, makePace } from "./pace.js";
import { ReaderPool } from "./readers/reader-pool.js";
import type { Run } from "./run-context.js";
import { type ScanOptions, scanAll } from "./session-scan.js";
import { showPass } from "./show-progress.js";
import { endedText, refuseUnreadable, tellDoubt, tellLongSids } from "./tell.js";
import { Verifier } from "./verifier.js";

const sessionsOfBatch = 128;

/** Compares every session with Redis, and changes nothing. Throws what ends the run. */
export async function verify(run: Run): Promise<void> {
  const { record, redis, options, out, stop } = run;
  await redis.marks.read();
  const before = await surveyRun(run, "sample");
  const scan = scanOf(run);
  const verifier = verifierOf(run, before);
  const { survey, seen } = await showPass(run, "comparing", () =>
    runMainPass(passOf(run, verifier, scan), before, record),
  );
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

function scanOf({ files, options, out: { warn } }: Run): ScanOptions {
  return {
    directories: files.directories,
    batchSize: batchSizeFor(options.run.maxRate, sessionsOfBatch),
    sample: options.source.sample,
    restores: false,
    warn,
  };
}

function verifierOf({ options, redis, files, stop }: Run, survey: Survey): Verifier {
  const startedMs = Date.now();
  const { directories, maxFileSize, conversion, threads } = files;
  const reading = { directories, maxFileSize, conversion, runStartedMs: startedMs, passStartedMs: startedMs };
  return new Verifier(
    {
      conversion: options.conversion,
      conflicts: options.conflicts,
      clockLeadMs: redis.clockLeadMs,
      collectsOutcomes: options.output.verbose,
    },
    survey,
    {
      store: redis.store,
      readers: new ReaderPool(reading, threads),
      wait: (milliseconds) => pause(milliseconds, stop),
    },
  );
}

function passOf({ record, options, files, out, stop }: Run, verifier: Verifier, scan: ScanOptions) {
  return {
    batches: scanAll(scan, record.tally),
    worker: verifier,
    batchesInFlight: 2 * files.threads.length + 2,
    pace: makePace(options.run.maxRate, (milliseconds) => pause(milliseconds, stop)),
    ledger: record.ledger,
    onOutcome: out.onOutcome,
    stop,
  };
}
