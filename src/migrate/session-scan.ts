import { SourceError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { ScanTally, SessionFile } from "../model/session-file.js";
import { isInSample } from "../model/shard.js";
import type { Warn } from "../model/warn.js";
import { restoreSetAside } from "../source/removal/restore-set-aside.js";
import { scanSessions } from "../source/scan-sessions.js";
import { batchSizeFor } from "./pace.js";
import type { RunOutput, UnconnectedRun } from "./run-context.js";

/** Whose session files are listed, and who is told what else there is. */
interface Scanning extends Pick<UnconnectedRun, "options"> {
  readonly record: { readonly directories: readonly string[] };
  readonly out: Pick<RunOutput, "warn">;
}

/** How a run lists its session files. */
export interface ScanOptions {
  /** Session files in a batch; fewer if the run is to keep a rate. */
  readonly maxBatch?: number;
  /**
   * Whether files that an interrupted purge set aside are put back, except in a dry run. If not, a
   * warning tells of them.
   */
  readonly restores?: boolean;
  /** Told of the path of each folder just before it is listed. */
  readonly onFolder?: (path: string) => void;
}

/**
 * The session files of a run's directories, in batches; last those that an interrupted purge set
 * aside. Throws `SourceError`.
 */
export function* scanAll(
  { record, options, out }: Scanning,
  tally: ScanTally,
  { maxBatch = 128, restores = true, onFolder }: ScanOptions = {},
): Generator<readonly SessionFile[]> {
  const { sample, shard } = options.source;
  const scanned = { shard, ...(onFolder === undefined ? {} : { onFolder }) };
  const { dryRun, maxRate } = options.run;
  for (const directory of record.directories) {
    for (const batch of scanSessions(directory, batchSizeFor(maxRate, maxBatch), tally, scanned)) {
      yield sample === null ? batch : batch.filter(({ sid }) => isInSample(sid, sample));
    }
  }
  if (tally.setAside.length === 0) return;
  if (restores && !dryRun) yield* restored(tally, out.warn);
  else {
    out.warn(
      `a purge that was interrupted, or still runs, has set ${countOf(tally.setAside.length, "session file")} ` +
        "aside: a copy or a purge puts them back",
    );
  }
}

function* restored(tally: ScanTally, warn: Warn): Generator<readonly SessionFile[]> {
  const { files, inHand, problems } = restoreSetAside(tally.setAside);
  for (const { layout } of files) tally.layouts[layout]++;
  if (files.length > 0)
    warn(`put back ${countOf(files.length, "session file")} that an interrupted purge had set aside`);
  if (inHand > 0) warn(`left ${countOf(inHand, "session file")} to another purge that is still running`);
  if (files.length > 0) yield files;
  const [problem] = problems;
  if (problem !== undefined) {
    const aside = countOf(tally.setAside.length, "session file");
    throw new SourceError(`${aside} of an interrupted purge could not be put back (${problem})`);
  }
}
