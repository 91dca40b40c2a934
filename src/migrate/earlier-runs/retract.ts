import type { Survey } from "../../model/mark.js";
import { isInShard } from "../../model/shard.js";
import { sessionKeys } from "../../redis/session-keys.js";
import type { KeyAsSeen } from "../../redis/session-store.js";
import type { SessionFolders } from "../../source/session-folders.js";
import type { Run } from "../run-context.js";
import { seeCopyWritten } from "./delete-copy-written.js";
import { mayRetract } from "./learn.js";

/** What a copy knows that retracts keys. */
export interface Retraction {
  /** The session directories as the run found them. */
  readonly folders: SessionFolders;
  /** Whether other runs can be seen. */
  readonly othersAreSeen: boolean;
}

const keysAtATime = 256;

/**
 * Deletes the keys of an earlier copy whose session files are gone: as long as the server works on
 * files, a logout removes the file and leaves the key. Returns how many were deleted; in a dry run,
 * how many would be. Throws `RedisError`.
 */
export async function retractKeys(run: Run, survey: Survey, retraction: Retraction): Promise<number> {
  const { redis, options, record, out, stop } = run;
  const { maxEnded } = options.conflicts;
  // On Redis a key without a file is the ordinary case.
  if (survey.serverWorks === "redis") return 0;
  const obstacle = await obstacleTo(run, survey, retraction);
  if (obstacle !== undefined) {
    record.notes.push(`Keys whose session files are gone were not looked for: ${obstacle}.`);
    return 0;
  }
  const { retracted, withFile } = await keysWithoutFile(run, retraction.folders);
  if (retracted.length === 0 || stop.aborted) return 0;
  if (!mayRetract(retracted.length, withFile + retracted.length, maxEnded)) {
    out.warn(
      `${retracted.length} of ${withFile + retracted.length} keys have no session file any more, ` +
        `which is more than --max-ended ${maxEnded}% allows: none was deleted`,
    );
    return 0;
  }
  if (options.run.dryRun) return retracted.length;
  let count = 0;
  for (let at = 0; at < retracted.length && !stop.aborted; at += keysAtATime) {
    const some = retracted.slice(at, at + keysAtATime);
    const deleted = await redis.store.retract(some);
    count += deleted.filter((one) => one).length;
  }
  return count;
}

async function obstacleTo(
  { redis }: Run,
  { serverWorks, signsCount }: Survey,
  { othersAreSeen }: Retraction,
): Promise<string | undefined> {
  if (serverWorks !== "files") return "it is unknown whether the server works on files";
  if (!signsCount) return "this Redis keeps whole seconds only, so nothing tells which keys a copy wrote";
  if (!othersAreSeen) return "other runs cannot be seen (CLIENT LIST)";
  return redis.marks.whyNotRetract();
}

/** Copy-written keys without a file in any session directory, and how many keys have one. */
async function keysWithoutFile(
  { redis, files, options, stop }: Run,
  folders: SessionFolders,
): Promise<{ readonly retracted: readonly KeyAsSeen[]; readonly withFile: number }> {
  const { connection, store } = redis;
  const { keyPrefix, clockLeadMs } = files.conversion;
  const { shard } = options.source;
  const retracted = new Map<string, KeyAsSeen>();
  let withFile = 0;
  let cursor = "0";
  do {
    const from = cursor;
    const page = await connection.run((client) => sessionKeys(client, from, keyPrefix));
    cursor = page.cursor;
    const own = shard === null ? page.sids : page.sids.filter((sid) => isInShard(sid, shard));
    const gone = own.filter((sid) => folders.isNowhere(sid));
    withFile += own.length - gone.length;
    if (gone.length === 0) continue;
    const seen = await seeCopyWritten(store, gone, clockLeadMs);
    // SCAN may give a key twice.
    for (const key of seen) retracted.set(key.sid, key);
  } while (cursor !== "0" && !stop.aborted);
  return { retracted: [...retracted.values()], withFile };
}
