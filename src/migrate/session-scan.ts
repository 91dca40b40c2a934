import { SourceError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { ScanTally, SessionFile } from "../model/session-file.js";
import { restoreSetAside } from "../source/removal/restore-set-aside.js";
import { isInSample } from "../source/sample.js";
import { scanSessions } from "../source/scan-sessions.js";

export interface ScanOptions {
  readonly directories: readonly string[];
  readonly batchSize: number;
  /** Percent of the sessions; null: every session. */
  readonly sample: number | null;
  /**
   * Whether files that an interrupted purge set aside are put back. If not, a warning tells of
   * them.
   */
  readonly restores: boolean;
  readonly warn: (message: string) => void;
}

/**
 * The session files of all directories, in batches; last those that an interrupted purge set aside.
 * Throws `SourceError`.
 */
export function* scanAll(settings: ScanOptions, tally: ScanTally): Generator<readonly SessionFile[]> {
  const { directories, batchSize, sample } = settings;
  for (const directory of directories) {
    for (const batch of scanSessions(directory, batchSize, tally)) {
      yield sample === null ? batch : batch.filter(({ sid }) => isInSample(sid, sample));
    }
  }
  if (tally.setAside.length > 0) yield* restored(settings, tally);
}

function* restored({ restores, warn }: ScanOptions, tally: ScanTally): Generator<readonly SessionFile[]> {
  const aside = countOf(tally.setAside.length, "session file");
  if (!restores) {
    warn(
      `${aside} of a purge that was interrupted, or still runs, lie aside: a copy or a purge puts them back`,
    );
    return;
  }
  const { files, inHand, problems } = restoreSetAside(tally.setAside);
  for (const { layout } of files) tally.layouts[layout]++;
  if (files.length > 0) warn(`${countOf(files.length, "session file")} of an interrupted purge put back`);
  if (inHand > 0) warn(`${countOf(inHand, "session file")} left to another purge that is still running`);
  if (files.length > 0) yield files;
  const [problem] = problems;
  if (problem !== undefined) {
    throw new SourceError(`${aside} of an interrupted purge could not be put back (${problem})`);
  }
}
