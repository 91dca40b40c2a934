import { isSigned } from "../../convert/sign.js";
import type { Survey } from "../../model/mark.js";
import type { KeyAsSeen, SessionStore } from "../../redis/session-store.js";
import { sha1 } from "../../redis/sha1.js";
import type { SessionFolders } from "../../source/session-folders.js";
import { keyPages } from "../key-pages.js";
import type { Run } from "../run-context.js";
import { mayRetract } from "./learn.js";

const keysAtATime = 256;

/**
 * Deletes the keys of an earlier copy whose session files are gone: as long as the server works on
 * files, a logout removes the file and leaves the key. Returns how many were deleted; in a dry run,
 * how many would be. `folders`: the session directories as the run found them; `othersAreSeen`:
 * whether other runs can be seen. Throws `RedisError`.
 */
export async function retractKeys(
  run: Run,
  survey: Survey,
  folders: SessionFolders,
  othersAreSeen: boolean,
): Promise<number> {
  const { redis, options, record, out, stop } = run;
  const { maxEnded } = options.conflicts;
  // On Redis a key without a file is the ordinary case.
  if (survey.serverWorks === "redis") return 0;
  const obstacle = await obstacleTo(run, survey, othersAreSeen);
  if (obstacle !== undefined) {
    record.notes.push(`Keys whose session files are gone were not looked for: ${obstacle}.`);
    return 0;
  }
  const { retracted, withFile } = await keysWithoutFile(run, folders);
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
  othersAreSeen: boolean,
): Promise<string | undefined> {
  if (serverWorks !== "files") return "it is unknown whether the server works on files";
  if (!signsCount) return "this Redis keeps whole seconds only, so nothing tells which keys a copy wrote";
  if (!othersAreSeen) return "other runs cannot be seen (CLIENT LIST)";
  return redis.marks.whyNotRetract();
}

/** Copy-written keys without a file in any session directory, and how many keys have one. */
async function keysWithoutFile(
  run: Run,
  folders: SessionFolders,
): Promise<{ readonly retracted: readonly KeyAsSeen[]; readonly withFile: number }> {
  const retracted = new Map<string, KeyAsSeen>();
  let withFile = 0;
  for await (const { sids } of keyPages(run)) {
    const gone = sids.filter((sid) => folders.isNowhere(sid));
    withFile += sids.length - gone.length;
    if (gone.length === 0) continue;
    const seen = await seeCopyWritten(run.redis.store, gone, run.files.conversion.clockLeadMs);
    // SCAN may give a key twice.
    for (const key of seen) retracted.set(key.sid, key);
  }
  return { retracted: [...retracted.values()], withFile };
}

/** The keys of these sids that a copy wrote, as they stand. Throws what `SessionStore` throws. */
export async function seeCopyWritten(
  store: Pick<SessionStore, "keyOf" | "read">,
  sids: readonly string[],
  clockLeadMs: number,
): Promise<KeyAsSeen[]> {
  const stored = await store.read(sids.map((sid) => store.keyOf(sid)));
  return sids.flatMap((sid, index) => {
    const one = stored[index];
    if (one?.kind !== "text" || one.expiresAtMs === null || !isSigned(one, clockLeadMs)) return [];
    return [{ sid, digest: sha1(one.value.toString("latin1")), expiresAtMs: one.expiresAtMs }];
  });
}
