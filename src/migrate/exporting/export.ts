import { SourceError } from "../../model/errors.js";
import type { Ledger } from "../../model/ledger.js";
import { countOf, countText } from "../../model/number-text.js";
import { showablePath } from "../../model/showable.js";
import { pause } from "../../redis/pause.js";
import { inodeOf } from "../../source/file-identity.js";
import { openFiles } from "../../source/removal/open-files.js";
import { SessionFileWriter } from "../../source/writing/session-file-writer.js";
import { removeLeftTemporaries } from "../../source/writing/temporary-files.js";
import { mayRetract } from "../earlier-runs/learn.js";
import { surveyRun } from "../earlier-runs/survey.js";
import { forEachBatch } from "../for-each-batch.js";
import { keyPages } from "../key-pages.js";
import { batchSizeFor, makePace } from "../pace.js";
import type { Run } from "../run-context.js";
import { takeLaterPasses } from "../run-pass.js";
import { SessionLog } from "../session-log.js";
import type { FileTarget } from "./choose-file-target.js";
import { type Exported, ExportWorker } from "./export-worker.js";
import { removeEnded } from "./remove-ended.js";

/** Keys that are read and written at a time. */
const maxBatch = 512;
const batchesInFlight = 2;
/** Failures of earlier passes that are remembered, so that none is told twice. */
const maxRemembered = 10_000;
/** What follows if it is not kept what was written. */
const fileStays = "the file of a session that ends during the export stays";

/** A key, by its sid; if it has no valid one, by what follows the prefix. */
interface FoundKey {
  readonly sid: string;
  readonly isValid: boolean;
}

/**
 * Writes every session in Redis to its file, or with `--reverse` compares them. `total`: keys that
 * were counted beforehand. Throws what ends the run.
 */
export async function exportSessions(run: Run, target: FileTarget, total: number): Promise<void> {
  const { redis, options, record, out, stop, files: reading } = run;
  const { directory } = target;
  const { reverse } = options.files;
  const writes = !reverse && !options.run.dryRun;
  const inode = inodeOf(directory);
  await redis.servers.acceptCurrentData();
  if (writes) await redis.continuity.begin();
  await redis.marks.read();
  const survey = await surveyRun(run, "sample");
  record.serverWorks = survey.serverWorks;
  if (survey.serverWorks === "files" && run.listing.count > 0 && !reverse) {
    out.warn(
      "the server seems to work on files already: sessions that ended there come back if Redis still holds them",
      { evenIfQuiet: true },
    );
  }
  const left = writes ? removeLeftTemporaries(directory) : 0;
  if (left > 0) out.warn(`removed ${countOf(left, "temporary file")} that an interrupted export had left`);
  const files = openFiles([directory], reading.maxFileSize, Date.now());
  const writer = writes ? new SessionFileWriter(directory, target.owner) : undefined;
  const log = writes ? new SessionLog([directory], fileStays, out.warn) : undefined;
  try {
    const worker = new ExportWorker(run, { target, survey, files, writer });
    const pass: ExportPass = { worker, ledger: record.ledger, log, told: new Set() };
    const name = reverse ? "comparing" : "exporting";
    const done = () => record.ledger.counts.found;
    out.progress.enter({ name, pass: 1, total, ledger: record.ledger, done });
    await mainPass(run, pass, total);
    const later = (number: number, ledger: Ledger) => laterPass(run, { ...pass, ledger }, number, total);
    if (writes) await takeLaterPasses(run, "session", later);
    out.progress.enter({ name: "finishing" });
    if (log !== undefined && !stop.aborted) await removeEnded(run, log, files);
  } finally {
    writer?.close();
    files.close();
    log?.close();
  }
  if (inodeOf(directory) !== inode) {
    throw new SourceError(`the directory ${showablePath(directory)} was replaced by another directory meanwhile`);
  }
  tellDoubt(run);
  const { outcomes } = record.ledger.counts;
  if (reverse && outcomes.missing + outcomes.different + outcomes["wrong-lifetime"] > 0) record.partial = true;
}

/** What a pass over all keys works with. */
interface ExportPass {
  readonly worker: ExportWorker;
  readonly ledger: Ledger;
  /** Absent if nothing is written. */
  readonly log: SessionLog | undefined;
  /** Sids, and ends of other keys, whose failure was told. */
  readonly told: Set<string>;
}

/** Takes every key, and notes how many there are. What was not reached counts even after an error. */
async function mainPass(run: Run, pass: ExportPass, total: number): Promise<void> {
  const { record, options, out, stop } = run;
  let isComplete = false;
  try {
    await passOver(run, pass, () => true);
    isComplete = !stop.aborted;
  } finally {
    const { found } = record.ledger.counts;
    record.listed = isComplete ? found : total;
    if (!isComplete) record.ledger.recordUnvisited(Math.max(total - found, 0));
    else if (!mayRetract(total - found, total, options.conflicts.maxEnded)) {
      record.partial = true;
      const counts = `Redis held ${countOf(total, "session key")} at first, and ${countText(found)} later`;
      out.warn(`${counts}: it may have lost the others`, { evenIfQuiet: true });
    }
  }
}

/** Takes again what was saved in Redis since the pass before. */
async function laterPass(run: Run, pass: ExportPass, number: number, total: number): Promise<void> {
  const { worker, ledger, told } = pass;
  worker.pass = number;
  let seen = 0;
  run.out.progress.enter({ name: "exporting", pass: number + 1, total, ledger, done: () => seen });
  await passOver(run, pass, ({ outcome, written }) => {
    seen++;
    return written !== undefined || (outcome.kind === "failed" && !told.has(outcome.sid));
  });
}

/** Works on every key. Those that are `counted` go into the ledger. */
async function passOver(
  run: Run,
  { worker, ledger, log, told }: ExportPass,
  isCounted: (one: Exported) => boolean,
): Promise<void> {
  const { options, out, stop, record } = run;
  const [directory = ""] = record.directories;
  await forEachBatch<FoundKey>({
    batches: keyBatches(run),
    work: async (batch) => {
      const [valid, others] = [batch.filter((one) => one.isValid), batch.filter((one) => !one.isValid)];
      const exported = await worker.workOn(valid.map(({ sid }) => sid));
      for (const one of [...exported, ...others.map(({ sid }) => worker.refuseInvalid(sid))]) {
        const { outcome, written } = one;
        if (written !== undefined) log?.add(written);
        if (!isCounted(one)) continue;
        ledger.record(outcome, directory);
        out.onOutcome(outcome);
        if (outcome.kind === "failed" && told.size < maxRemembered) told.add(outcome.sid);
      }
    },
    batchesInFlight,
    pace: makePace(options.run.maxRate, (milliseconds) => pause(milliseconds, stop)),
    stop,
  });
}

async function* keyBatches(run: Run): AsyncGenerator<readonly FoundKey[]> {
  const size = batchSizeFor(run.options.run.maxRate, maxBatch);
  for await (const { sids, invalid } of keyPages(run)) {
    const all = [...sids.map((sid) => ({ sid, isValid: true })), ...invalid.map((sid) => ({ sid, isValid: false }))];
    for (let from = 0; from < all.length; from += size) yield all.slice(from, from + size);
  }
}

/** Warns of sessions in doubt: a person must decide which value counts. */
function tellDoubt({ record, options, out }: Run): void {
  const { inDoubt } = record.ledger.counts;
  if (inDoubt === 0 || options.conflicts.policy !== "newest") return;
  const differ = `${countOf(inDoubt, "session")} ${inDoubt === 1 ? "differs" : "differ"}`;
  out.warn(
    `${differ} between Redis and file, and it is not known which is newer: the file was kept. ` +
      "If the server worked on Redis until now, export with --on-conflict overwrite; if it works on files, " +
      "with --on-conflict keep",
    { evenIfQuiet: true },
  );
}
