import { isCoveredByMark } from "../convert/missing-key.js";
import { RedisError, RedisForgotError } from "../model/errors.js";
import type { FileStamp, SessionFile } from "../model/session-file.js";
import { leaveMark, markKey, readMark } from "../redis/marks.js";
import { askServerState } from "../redis/server-state.js";
import { inodeOf } from "../source/directory-places.js";
import type { OpenRun } from "./open-run.js";

/** The marks of a run's session directories. */
export interface Marks {
  /** Reads what earlier, complete runs left. Throws where the run must end. */
  readonly read: () => Promise<void>;
  /** What was read, by directory: milliseconds since the epoch. */
  readonly known: () => readonly (readonly [directory: string, markMs: number])[];
  /** The mark that covers a file as it is, milliseconds since the epoch; `undefined` where none does. */
  readonly of: (file: SessionFile, stamp: FileStamp) => number | undefined;
  /** Throws `RedisForgotError` where a mark that was read is gone: what took it may have taken sessions too. Throws where the run must end. */
  readonly confirm: () => Promise<void>;
  /** Leaves the start of a main pass, for `lifetimeMs` from now. Throws where the run must end. */
  readonly leave: (startedMs: number, lifetimeMs: number) => Promise<void>;
}

/** Reads and leaves marks. Where that is not allowed it is said, and the run goes on without. */
export function marksOf(
  { connection, directories, keyPrefix, clockLeadMs }: OpenRun,
  warn: (message: string, lasting?: boolean) => void,
): Marks {
  const marks = new Map<string, number>();
  const keyOf = (directory: string) =>
    markKey({ keyPrefix, directory, inode: inodeOf(directory), shard: null });
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
        for (const directory of directories) {
          const mark = await connection.run((client) => readMark(client, keyOf(directory)));
          // One that lies in the future was left by a clock that was wrong.
          if (mark !== undefined && mark <= Date.now()) marks.set(directory, mark);
        }
        if (marks.size === 0) return;
        // What was evicted is missing too, and counts of it are lost with a restart: no knowledge is no mark.
        const state = await connection.run(askServerState);
        if (state?.evictionPolicy === "noeviction" && state.evictedKeys === 0) return;
        marks.clear();
        warn(
          state === undefined
            ? "the right to INFO is missing: what is missing in Redis is not taken for ended"
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
        for (const directory of directories) {
          const endMs = Date.now() + lifetimeMs;
          await connection.run((client) =>
            leaveMark(client, keyOf(directory), startedMs, endMs, clockLeadMs),
          );
        }
      }),
  };
}
