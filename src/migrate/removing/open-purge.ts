import { convertSession } from "../../convert/convert-session.js";
import { compareStored, conflictRules } from "../../convert/decide-conflict.js";
import { explainMissing, isUnmodifiedSinceMark } from "../../convert/missing-key.js";
import type { Survey } from "../../model/mark.js";
import type { RunRecord } from "../../model/run-record.js";
import type { SessionFile } from "../../model/session-file.js";
import { pause } from "../../redis/pause.js";
import { OtherLocations } from "../../source/other-locations.js";
import { type OpenFiles, openFiles } from "../../source/removal/open-files.js";
import { StatReader } from "../../source/stat-reader.js";
import { FactsBySession } from "../earlier-runs/facts-by-session.js";
import { makePace } from "../pace.js";
import type { Run, UnconnectedRun } from "../run-context.js";
import { scanAll } from "../session-scan.js";
import { type ProofParts, proveAgain, proveBatch } from "./prove.js";
import { RemovalGate } from "./removal-gate.js";
import type { Gate, Prover, Purge } from "./remove-proven.js";

const maxBatch = 256;
const batchesInFlight = 3;
const maxUnaskedBytes = 2 ** 31 - 1;

/** What a purge removes, since when, and what it counts into. */
interface PurgeExtent extends Pick<RunRecord, "ledger" | "tally"> {
  /** `proven`: what Redis holds; `unconditional`: all, and Redis is asked what it does not hold. */
  readonly extent: "proven" | "unconditional";
  /**
   * When the purge began, milliseconds since the epoch: what is saved later says that a server uses
   * the directory.
   */
  readonly startedMs: number;
}

/** A purge whose session directories are open. */
export interface OpenPurge {
  readonly work: Omit<Purge, "onStep">;
  readonly close: () => void;
}

/** Opens the session directories for a purge. Throws `SourceError` if one cannot be opened. */
export function openPurge(run: Run, survey: Survey, { extent, startedMs, ...counts }: PurgeExtent): OpenPurge {
  const { directories, maxFileSize, conversion } = run.files;
  const { store } = run.redis;
  const rules = conflictRules({ conversion, conflicts: run.options.conflicts }, survey, true);
  const facts = new FactsBySession(survey.directories);
  const files = openFiles(directories, maxFileSize, startedMs);
  const otherLocations = new OtherLocations(directories, new StatReader());
  const proof: ProofParts = {
    read: files.read,
    convert: (read, sid) => convertSession(read, sid, conversion, Date.now()),
    redis: {
      laterFile: (file, stamp) => otherLocations.laterFile(file, stamp),
      look: (sids) => store.read(sids.map((sid) => store.keyOf(sid))),
      compare: (candidate, stored) => compareStored(candidate, stored, rules, Date.now()),
      isUnmodified: (file, stamp) => isUnmodifiedSinceMark(stamp, facts.of(file)),
      explainMissing: (file, stamp, session) => {
        const meaning = explainMissing({ ...session, stamp }, facts.of(file), conversion, Date.now());
        return meaning === "ended" ? "ended" : "absent";
      },
      exist: (sids) => store.exist(sids.map((sid) => store.keyOf(sid))),
      unconditional: extent === "unconditional",
    },
  };
  const prefetch = (batch: readonly SessionFile[]) => Promise.all([files.prefetch(batch), otherLocations.begin(batch)]);
  return purgeOf(run, counts, files, { proof, prefetch, gate: new RemovalGate(run) });
}

/**
 * Opens the session directories for a purge without Redis: every session file goes. Throws
 * `SourceError`.
 */
export function openUnverifiedPurge(run: UnconnectedRun): OpenPurge {
  const files = openFiles(run.record.directories, maxUnaskedBytes, Date.now());
  const conversion = { ...run.options.conversion, keyPrefix: "", clockLeadMs: 0 };
  const proof: ProofParts = {
    read: files.read,
    convert: (read, sid) => convertSession(read, sid, conversion, Date.now()),
  };
  return purgeOf(run, run.record, files, { proof, prefetch: files.prefetch, gate: alwaysOpen });
}

const alwaysOpen: Gate = {
  open: async () => true,
  confirmBeforeBatch: async () => true,
  checkRedisIntact: async () => true,
};

/** What a purge with Redis and one without do each in their own way. */
interface Proving {
  readonly proof: ProofParts;
  /** Comes before a batch is proven. */
  readonly prefetch: (batch: readonly SessionFile[]) => Promise<unknown>;
  readonly gate: Gate;
}

function purgeOf(
  run: UnconnectedRun,
  { ledger, tally }: Pick<RunRecord, "ledger" | "tally">,
  files: OpenFiles,
  { proof, prefetch, gate }: Proving,
): OpenPurge {
  const { options, out, stop } = run;
  const { dryRun, maxRate } = options.run;
  const wait = (milliseconds: number) => pause(milliseconds, stop);
  const prove: Prover["prove"] = async (batch) => {
    await prefetch(batch);
    return proveBatch(batch, proof);
  };
  return {
    close: files.close,
    work: {
      batches: scanAll(run, tally, { maxBatch }),
      batchesInFlight,
      pace: makePace(maxRate, wait),
      stop,
      prover: { prove, proveAgain: (proven) => proveAgain(proven, proof) },
      gate,
      files,
      tally,
      inUse: options.removal.inUse,
      dryRun,
      ledger,
      onOutcome: out.onOutcome,
      warn: out.warn,
      wait,
    },
  };
}
