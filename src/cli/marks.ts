import { isCoveredByMark } from "../convert/missing-key.js";
import { RedisError, RedisForgotError } from "../model/errors.js";
import type { FileStamp, SessionFile } from "../model/session-file.js";
import { leaveMark, markKey, readMark } from "../redis/marks.js";
import { askServerState } from "../redis/server-state.js";
import { coarseTimeMs } from "../source/coarse-time.js";
import { lastingIdentityOf } from "../source/directory-places.js";
import { isDatedByUs } from "../source/local-file-system.js";
import type { OpenRun } from "./open-run.js";
import type { Witness } from "./witness.js";

/** The marks of a run's session directories. */
export interface Marks {
  /** Reads what earlier, complete runs left. Throws where the run must end. */
  readonly read: () => Promise<void>;
  /** What was read, by directory: milliseconds since the epoch. */
  readonly known: () => readonly (readonly [directory: string, markMs: number])[];
  /** The mark that covers a file as it is, milliseconds since the epoch; `undefined` where none does. */
  readonly of: (file: SessionFile, stamp: FileStamp) => number | undefined;
  /** Throws `RedisForgotError` where a mark that was read is gone, and with it, maybe, what it tells of. Throws where the run must end. */
  readonly confirm: () => Promise<void>;
  /** Leaves the start of a main pass, for `lifetimeMs` from now. Throws `RedisForgotError` where the witness is gone, and where the run must end. */
  readonly leave: (startedMs: number, lifetimeMs: number) => Promise<void>;
}

/**
 * Reads and leaves marks. Where that is not allowed it is said, and the run goes on without. A run that writes or removes takes nothing that is
 * missing for ended while no witness tells that Redis kept what it held.
 */
export function marksOf(
  { connection, directories, keyPrefix, clockLeadMs }: OpenRun,
  witness: Pick<Witness, "value"> | undefined,
  warn: (message: string, lasting?: boolean) => void,
): Marks {
  /** Until when each covers, milliseconds since the epoch. */
  const marks = new Map<string, number>();
  const keyOf = (directory: string) =>
    markKey({ keyPrefix, directory, identity: lastingIdentityOf(directory), shard: null });
  const orSay = async (doing: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RedisError) || error.kind !== "refused") throw error;
      warn(`what earlier runs left in Redis for later ones (tele-sessions:mark:*) could not be ${doing}`);
    }
  };
  return {
    read: () =>
      orSay("read", async () => {
        marks.clear();
        if (witness !== undefined && witness.value() === undefined) return;
        for (const directory of directories) {
          const mark = await connection.run((client) => readMark(client, keyOf(directory)));
          // One that lies in the future was left by a clock that was wrong.
          if (mark !== undefined && mark <= Date.now()) marks.set(directory, mark - clockLagOf(directory));
        }
        if (marks.size === 0) return;
        // What was evicted is missing too, and counts of it are lost with a restart: no knowledge is no mark.
        const state = await connection.run(askServerState);
        if (state.evictionPolicy === "noeviction" && state.evictedKeys === 0) return;
        marks.clear();
        warn(
          state.evictionPolicy === undefined || state.evictedKeys === undefined
            ? "Redis does not tell whether it evicts keys: what is missing in Redis is not taken for ended"
            : "Redis evicts keys, or has evicted some: what is missing is not taken for ended",
        );
      }),
    confirm: () =>
      orSay("read", async () => {
        for (const [directory, mark] of marks) {
          const now = await connection.run((client) => readMark(client, keyOf(directory)));
          if (now === undefined || now < mark) throw new RedisForgotError();
        }
      }),
    known: () => [...marks],
    of: (file, stamp) => {
      const mark = marks.get(file.directory);
      return mark !== undefined && isCoveredByMark(stamp, mark) ? mark : undefined;
    },
    leave: (startedMs, lifetimeMs) =>
      orSay("written", async () => {
        const witnessed = witness?.value();
        if (witnessed === undefined) return;
        for (const directory of directories) {
          const mark = { startedMs, expiresAtMs: Date.now() + lifetimeMs };
          const isLeft = await connection.run((client) =>
            leaveMark(client, keyOf(directory), witnessed, mark, clockLeadMs),
          );
          if (!isLeft) throw new RedisForgotError();
        }
      }),
  };
}

/** By how much the clock that dates a directory's files may be behind ours: what was saved behind the start of a run may be dated before it. */
function clockLagOf(directory: string): number {
  return isDatedByUs(directory) ? 0 : coarseTimeMs;
}
