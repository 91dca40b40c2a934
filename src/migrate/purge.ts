import { Ledger } from "../model/ledger.js";
import type { Survey } from "../model/mark.js";
import { countOf } from "../model/number-text.js";
import type { Phase } from "../model/progress/progress.js";
import { newScanTally } from "../model/session-file.js";
import { scanSessions } from "../source/scan-sessions.js";
import { judgeEnded, mayBeLost, SeenDirectories } from "./earlier-runs/learn.js";
import { surveyRun } from "./earlier-runs/survey.js";
import { checkRemovable } from "./preflight/directories.js";
import { type OpenPurge, openPurge, openUnverifiedPurge } from "./removing/open-purge.js";
import { countOtherCopies } from "./removing/removal-gate.js";
import { maxProven, type PurgeStep, purgeSessions } from "./removing/remove-proven.js";
import { forgotRemoved, restartIfForgot } from "./restart.js";
import type { Run, UnconnectedRun } from "./run-context.js";
import { notingListed } from "./show-progress.js";
import { endedText, refuseUnreadable, tellDoubt } from "./tell.js";

const namesAtATime = 256;
const stillInUse = "files changed during the run, so a server is still using this directory";

/**
 * Removes the session files that Redis holds, or all of them, whether it holds them or not. Throws
 * what ends the run.
 */
export async function purge(run: Run, extent: "proven" | "unconditional"): Promise<void> {
  const { record, options } = run;
  const beforeRestart = () => {
    // What was removed is gone: it is not counted again.
    if (record.purged > 0 && !options.run.dryRun) throw forgotRemoved(record.purged);
  };
  await restartIfForgot(run, () => purgeOnce(run, extent), beforeRestart);
}

/** One attempt at a purge. Throws `RedisForgotError` if the purge has to start over. */
async function purgeOnce(run: Run, extent: "proven" | "unconditional"): Promise<void> {
  const { record, redis, out } = run;
  const startedMs = Date.now();
  await redis.continuity.begin();
  await redis.marks.read();
  const survey = await surveyRun(run, "whole");
  record.serverWorks = survey.serverWorks;
  const { ledger, tally } = record;
  const opened = openPurge(run, survey, { ledger, tally, extent, startedMs });
  try {
    if (extent === "proven" && (await keysWereLost(run, survey, opened))) {
      record.partial = true;
      return;
    }
    const notStored = await remove(run, opened, run.listing.count);
    tellDoubt(run);
    if (extent === "unconditional" && notStored > 0) {
      out.warn(`${countOf(notStored, "session file")} removed that Redis did not hold`, { evenIfQuiet: true });
    }
  } finally {
    opened.close();
    record.purged = ledger.counts.outcomes.removed;
  }
  refuseUnreadable(tally);
}

/**
 * Removes the originals after a copy: a pass of its own, with counts of its own. `inUse`: whether
 * the copy saw a server use the directories; `sinceMs`: when the copy began. Throws what ends the
 * run.
 */
export async function purgeCopied(
  run: Run,
  { inUse, sinceMs }: { readonly inUse: boolean; readonly sinceMs: number },
): Promise<void> {
  const { record, redis, options, out } = run;
  if (record.partial) return;
  if (options.run.dryRun) {
    foreseePurge(run);
    if ((await countOtherCopies(run)) > 0) record.partial = true;
    return;
  }
  const refuse = () => {
    record.partial = true;
    out.warn(`${stillInUse}. Nothing was removed; use --in-use to remove anyway`, { evenIfQuiet: true });
  };
  if (inUse && !options.removal.inUse) return refuse();
  const startedMs = Date.now();
  out.progress.enter({ name: "preparing" });
  await redis.marks.read();
  const survey = await surveyRun(run, "whole");
  // The copy of a shard saw only its own files, and a server saves in all.
  const isModified = survey.directories.some(({ latestSaveMs = 0 }) => latestSaveMs > sinceMs);
  if (options.source.shard !== null && isModified && !options.removal.inUse) return refuse();
  // A session that failed in the copy fails here again: it is listed once.
  const ledger = new Ledger({ onDifference: out.onDifference });
  const tally = newScanTally();
  const opened = openPurge(run, survey, { ledger, tally, extent: "proven", startedMs });
  try {
    await remove(run, opened, record.ledger.counts.found);
  } finally {
    opened.close();
    record.purged += ledger.counts.outcomes.removed;
    tellLeft(run, ledger);
  }
  refuseUnreadable(tally);
}

/** Removes every session file without asking Redis. Throws what ends the run. */
export async function purgeUnverified(run: UnconnectedRun): Promise<void> {
  const { ledger, tally } = run.record;
  const opened = openUnverifiedPurge(run);
  try {
    await remove(run, opened, run.listing.count);
  } finally {
    opened.close();
    run.record.purged = ledger.counts.outcomes.removed;
  }
  refuseUnreadable(tally);
}

/**
 * Removes the files of an open purge, shows it, and notes what it left. Returns how many were
 * removed that Redis did not hold. `total`: about how many files there are.
 */
async function remove(run: UnconnectedRun, { work }: OpenPurge, total: number): Promise<number> {
  const { record, out } = run;
  if (!(await work.gate.open())) {
    record.partial = true;
    return 0;
  }
  const onStep = (step: PurgeStep) => out.progress.enter(phaseOf(step, work.ledger, total));
  const purgeAll = () => purgeSessions({ ...work, onStep });
  const result = await (work.ledger === record.ledger ? notingListed(run, purgeAll) : purgeAll());
  if (result.left > 0 || !result.confirmed) record.partial = true;
  if (result.foundInUse) {
    out.warn(`${stillInUse}. Nothing more was removed; use --in-use to remove anyway`, { evenIfQuiet: true });
  }
  return result.notStored;
}

/** How people see a step of a purge. */
function phaseOf({ name, block, before, proved }: PurgeStep, ledger: Ledger, total: number): Phase {
  const isProving = name === "proving";
  const size = isProving ? Math.min(maxProven, Math.max(total - before, proved())) : proved();
  const count = Math.max(Math.ceil(total / maxProven), block);
  const purge = { number: block, count, before, size, proved, total };
  const found = () => ledger.counts.found;
  return { name, total: isProving ? size : total, done: isProving ? proved : found, ledger, purge };
}

/** What a dry run can know of the purge after it. */
function foreseePurge({ record, listing }: Run): void {
  const { copied, identical, kept, superseded } = record.ledger.counts.outcomes;
  record.purged = copied + identical + kept + superseded - record.ledger.counts.inDoubt;
  if (checkRemovable(listing).verdict === "ok") return;
  record.partial = true;
  record.purged = 0;
}

function tellLeft({ out }: Run, { counts }: Ledger): void {
  const { removed, absent, ended, kept, denied, failed } = counts.outcomes;
  if (ended > 0) out.warn(`purge: ${countOf(ended, "session file")} left, because Redis no longer has their keys`);
  if (absent + kept + denied + failed === 0) return;
  const reasons = [...counts.reasons].map(([reason, count]) => `${reason} ${count}`).join(", ");
  out.warn(
    `purge: removed ${countOf(removed, "session file")}; left ${absent} that Redis does not hold, ` +
      `${kept} that changed or are kept a while longer, ${denied} that this user may not remove, ` +
      `${failed} that failed${failed === 0 ? "" : ` (${reasons})`}`,
  );
}

/**
 * Whether many keys that a copy wrote in the last three hours are missing. They were deleted or
 * lost then, so nothing is removed. Proves every file beforehand, but only if it is unknown where
 * the server works.
 */
async function keysWereLost(run: Run, survey: Survey, { work }: OpenPurge): Promise<boolean> {
  const { record, options, out, stop } = run;
  if (!mayBeLost(survey, Date.now())) return false;
  const seen = new SeenDirectories();
  let proved = 0;
  out.progress.enter({ name: "proving", total: run.listing.count, done: () => proved });
  for (const directory of record.directories) {
    for (const batch of scanSessions(directory, namesAtATime, newScanTally(), options.source)) {
      if (stop.aborted) return false;
      for (const proof of await work.prover.prove(batch)) {
        const kind = "proven" in proof ? "removed" : proof.outcome.kind;
        proved++;
        if (kind !== "failed" && kind !== "vanished") seen.addCovered(directory, kind === "ended");
      }
    }
  }
  const isLost = judgeEnded(survey, seen.all, options.conflicts.maxEnded, Date.now()) === "lost";
  if (isLost) out.warn(endedText("lost", seen.all), { evenIfQuiet: true });
  return isLost;
}
