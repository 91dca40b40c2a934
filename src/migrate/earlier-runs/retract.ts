import type { Survey } from "../../model/mark.js";
import { sessionKeys } from "../../redis/session-keys.js";
import type { KeyAsSeen } from "../../redis/take-back.js";
import { takeBack } from "../../redis/take-back.js";
import { isSid } from "../../source/layouts.js";
import type { SessionFolders } from "../../source/session-folders.js";
import type { OpenRun } from "../open-run.js";
import { type KeySpace, seeCopyWritten } from "./delete-copy-written.js";
import { mayRetract } from "./learn.js";
import type { Marks } from "./marks.js";

/** What retracting keys works with. */
export interface Retraction {
  readonly run: OpenRun;
  readonly marks: Pick<Marks, "whyNotRetract">;
  /** The session directories as the run found them. */
  readonly folders: SessionFolders;
  /** Whether other runs can be seen. */
  readonly othersAreSeen: boolean;
  readonly maxEnded: number;
  readonly dryRun: boolean;
  readonly warn: (message: string) => void;
  /** Tells a person in the summary. */
  readonly note: (sentence: string) => void;
  readonly stop: AbortSignal;
}

const keysAtATime = 256;

/**
 * As long as the server works on files, a logout removes the file and not the key that an earlier copy wrote. Deletes such keys, and gives how many; in a
 * dry run, how many would be. Throws where the run must end.
 */
export async function retractKeys(retraction: Retraction, survey: Survey): Promise<number> {
  const { run, dryRun, maxEnded, warn, note, stop } = retraction;
  // On Redis a key without a file is the ordinary case.
  if (survey.serverWorks === "redis") return 0;
  const obstacle = await obstacleTo(retraction, survey);
  if (obstacle !== undefined) {
    note(`Keys whose session files are gone were not looked for: ${obstacle}.`);
    return 0;
  }
  const { retracted, withFile } = await keysWithoutFile(retraction);
  if (retracted.length === 0 || stop.aborted) return 0;
  if (!mayRetract(retracted.length, withFile + retracted.length, maxEnded)) {
    warn(
      `${retracted.length} of ${withFile + retracted.length} keys have no session file any more, which is more than --max-ended ${maxEnded}% allows: none was deleted`,
    );
    return 0;
  }
  if (dryRun) return retracted.length;
  let count = 0;
  for (let at = 0; at < retracted.length && !stop.aborted; at += keysAtATime) {
    const some = retracted.slice(at, at + keysAtATime);
    const deleted = await run.connection.run((client) =>
      takeBack(client, some, run.keyPrefix, run.clockLeadMs),
    );
    count += deleted.filter((one) => one).length;
  }
  return count;
}

async function obstacleTo(
  { marks, othersAreSeen }: Retraction,
  { serverWorks, signsCount }: Survey,
): Promise<string | undefined> {
  if (serverWorks !== "files") return "it is unknown whether the server works on files";
  if (!signsCount) return "this Redis keeps whole seconds only, so nothing tells which keys a copy wrote";
  if (!othersAreSeen) return "other runs cannot be seen (CLIENT LIST)";
  return marks.whyNotRetract();
}

/** Copy-written keys without a file in any session directory, and how many keys have one. */
async function keysWithoutFile({
  run,
  folders,
  stop,
}: Retraction): Promise<{ readonly retracted: readonly KeyAsSeen[]; readonly withFile: number }> {
  const { connection, keyPrefix, clockLeadMs } = run;
  const keySpace: KeySpace = { keyPrefix, clockLeadMs };
  const retracted = new Map<string, KeyAsSeen>();
  let withFile = 0;
  let cursor = "0";
  do {
    const from = cursor;
    const page = await connection.run((client) => sessionKeys(client, from, keyPrefix, isSid));
    cursor = page.cursor;
    const gone = page.sids.filter((sid) => folders.isNowhere(sid));
    withFile += page.sids.length - gone.length;
    if (gone.length === 0) continue;
    const files = gone.map((sid) => ({ sid }));
    const seen = await seeCopyWritten(connection, files, keySpace);
    // SCAN may give a key twice.
    for (const key of seen) retracted.set(key.file.sid, key);
  } while (cursor !== "0" && !stop.aborted);
  return { retracted: [...retracted.values()], withFile };
}
