import type { Written } from "../../model/entry.js";
import { countOf, countText } from "../../model/number-text.js";
import { ledgersOf } from "../../model/run-record.js";
import { fileTimeSlackMs } from "../../model/session-file.js";
import { digestOf } from "../../redis/sha1.js";
import type { OpenFiles } from "../../source/removal/open-files.js";
import { mayRetract } from "../earlier-runs/learn.js";
import type { Run } from "../run-context.js";
import type { SessionLog } from "../session-log.js";

const writtenAtATime = 256;

/**
 * Removes the files of sessions that ended in Redis after this run wrote them, if they are still as
 * it wrote them: a server that works on files would log their users in again. Removes none if Redis
 * may have lost keys: an export has no canary to tell, so more than `--max-ended` of them, or half
 * of a few, count as lost. Throws what `Continuity` and `SessionStore` throw.
 */
export async function removeEnded(run: Run, log: SessionLog, files: OpenFiles): Promise<void> {
  const { redis, record, options, out } = run;
  const ended = new Set<number>();
  let written = 0;
  for await (const { gone, count } of goneOf(run, log)) {
    for (const { row } of gone) ended.add(row);
    written += count;
  }
  // Whatever else took the keys took them before this.
  if ((await redis.continuity.check()) === "evicted") {
    record.partial = true;
    return;
  }
  if (ended.size === 0) return;
  const { maxEnded } = options.conflicts;
  if (redis.continuity.hidesEvictions) {
    out.warn(`${endedText(ended.size)}: this run cannot tell whether Redis lost them, so their files stay`);
    return;
  }
  const most = written * Math.max(0.5, maxEnded / 100);
  if (ended.size > most || !mayRetract(ended.size, written, maxEnded)) {
    record.partial = true;
    out.warn(
      `${endedText(ended.size)}, of ${countText(written)}: more than --max-ended ${maxEnded}% allows, or half of ` +
        "a few. Redis may have lost them, so their files stay",
      { evenIfQuiet: true },
    );
    return;
  }
  const ledgers = ledgersOf(record);
  let left = 0;
  for await (const { gone } of goneOf(run, log)) {
    // What is gone only now was not judged above.
    for (const { written } of gone.filter(({ row }) => ended.has(row))) {
      const kind = removeWritten(written, files);
      if (kind === "removed") ledgers[written.pass]?.recordRetracted(written, "exported");
      else if (kind === "failed") left++;
    }
  }
  if (left > 0) out.warn(`${countOf(left, "session file")} of ended sessions could not be removed`);
}

function endedText(count: number): string {
  return `${countOf(count, "session")} that this run wrote ${count === 1 ? "has" : "have"} ended in Redis since`;
}

/** A session that this run wrote and that is no longer in Redis. `row`: its place in the log. */
interface Gone {
  readonly row: number;
  readonly written: Written;
}

/** What was written and is no longer in Redis, batch by batch. */
async function* goneOf(
  { redis: { store }, stop }: Run,
  log: SessionLog,
): AsyncGenerator<{ readonly gone: readonly Gone[]; readonly count: number }> {
  let first = 0;
  for (const batch of log.batches(writtenAtATime)) {
    if (stop.aborted) return;
    const exist = await store.exist(batch.map(({ file }) => store.keyOf(file.sid)));
    const gone = batch.map((written, index) => ({ row: first + index, written }));
    yield { gone: gone.filter((_, index) => exist[index] === false), count: batch.length };
    first += batch.length;
  }
}

/** Removes a file that is still as this run wrote it. */
function removeWritten({ file, digest, expiresAtMs }: Written, files: OpenFiles): "removed" | "other" | "failed" {
  const reading = files.read(file);
  if (reading.kind === "failed") return "failed";
  if (reading.kind !== "read") return "other";
  const { bytes, mtimeMs } = reading.read;
  const isOurs =
    Math.abs(mtimeMs - expiresAtMs) < fileTimeSlackMs &&
    Buffer.compare(digestOf(bytes.toString("latin1")), digest) === 0;
  if (!isOurs) return "other";
  const { kind } = files.remove(file, reading.exact);
  if (kind === "removed") return kind;
  return kind === "changed" || kind === "vanished" ? "other" : "failed";
}
