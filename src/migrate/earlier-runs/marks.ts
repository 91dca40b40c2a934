import { RedisError, RedisForgotError } from "../../model/errors.js";
import type { DirectoryMark, ShardMark } from "../../model/mark.js";
import { fileTimeSlackMs } from "../../model/session-file.js";
import { type Shard, wholeShard } from "../../model/shard.js";
import type { Warn } from "../../model/warn.js";
import type { Canary } from "../../redis/canary.js";
import { type CanaryAsSet, changeMark, listMarks, type Mark, markKey, readMark } from "../../redis/marks.js";
import { askServerState, keptEveryKey } from "../../redis/server/server-state.js";
import { onEach, type RedisServers } from "../../redis/topology/redis-servers.js";
import { lastingIdentityOf } from "../../source/file-identity.js";
import { isDatedByUs } from "../../source/local-file-system.js";
import { type CompleteRun, completeMarks } from "./complete-mark.js";

/** The marks of a run's session directories. */
export interface Marks {
  /** Reads what earlier runs left. Throws `RedisError`. */
  readonly read: () => Promise<void>;
  /** What complete runs left, by directory, as it was read; the latest first. */
  readonly complete: () => ReadonlyMap<string, readonly ShardMark[]>;
  /** Whether a missing key may mean that its session ended. */
  readonly endedCounts: () => boolean;
  /**
   * Throws `RedisForgotError` if a mark that was read is gone, because the keys it tells of may be
   * gone too; and `RedisError`.
   */
  readonly confirm: () => Promise<void>;
  /** Notes that a run begins to write. Throws `RedisError`. */
  readonly noteStart: () => Promise<void>;
  /** Notes that a purge begins to remove. Throws `RedisError` if that cannot be noted. */
  readonly noteRemoval: () => Promise<void>;
  /**
   * Leaves what a complete run knows. Throws `RedisForgotError` if the canary key is gone, and
   * `RedisError`.
   */
  readonly leave: (run: CompleteRun) => Promise<void>;
  /**
   * Why no key without a file may be deleted: other runs wrote under this prefix, or files were
   * purged. `undefined` if they may.
   */
  readonly whyNotRetract: () => Promise<string | undefined>;
}

/** A mark by the clock that dates its directory's files, which may be behind ours. */
function byFileClock(mark: DirectoryMark, directory: string): DirectoryMark {
  if (isDatedByUs(directory)) return mark;
  const { startedMs, startedWithoutKeepMs: withoutKeepMs } = mark;
  return {
    ...mark,
    startedMs: startedMs - fileTimeSlackMs,
    ...(withoutKeepMs === undefined ? {} : { startedWithoutKeepMs: withoutKeepMs - fileTimeSlackMs }),
  };
}

/** Whose marks they are. */
interface MarkedRun {
  readonly servers: RedisServers;
  readonly directories: readonly string[];
  readonly keyPrefix: string;
  /** Whose sids they count for; null for all. */
  readonly shard: Shard | null;
}

/** Reads and leaves marks. If Redis does not allow that, it warns, and a copy goes on without. */
export function marksOf(
  { servers, directories, keyPrefix, shard }: MarkedRun,
  canary: Pick<Canary, "isSet" | "beside" | "check" | "takeLoss"> | undefined,
  warn: Warn,
): Marks {
  const complete = new Map<string, readonly ShardMark[]>();
  let endedCounts = false;
  const keyOf = (directory: string) => markKey({ keyPrefix, directory, identity: lastingIdentityOf(directory) });
  const orSay = async (doing: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RedisError) || error.kind !== "refused") throw error;
      warn(`the marks in Redis (tele-sessions:mark:*), which later runs rely on, could not be ${doing}`);
    }
  };
  const readOf = (directory: string) => {
    const key = keyOf(directory);
    return servers.serverOf(key).connection.run((client) => readMark(client, key));
  };
  const changeAll = async (beside: CanaryAsSet | undefined, change: (mark: Mark) => Mark) => {
    for (const directory of directories) {
      const key = keyOf(directory);
      await servers
        .serverOf(key)
        .connection.run((client) => changeMark(client, key, beside, (mark) => change({ keyPrefix, ...mark })));
    }
  };
  return {
    read: () =>
      orSay("read", async () => {
        complete.clear();
        endedCounts = false;
        // On a Cluster a mark may outlive the keys that it tells of, which lay on another master.
        if (canary?.takeLoss() === true && canary.beside === undefined) {
          await changeAll(undefined, ({ complete: _, ...mark }) => mark);
        }
        for (const directory of directories) {
          const mark = await readOf(directory);
          // One that lies in the future was left by a clock that was wrong.
          const past = (mark.complete ?? []).filter((one) => one.mark.startedMs <= Date.now());
          const dated = past.map((one) => ({ ...one, mark: byFileClock(one.mark, directory) }));
          if (dated.length > 0) complete.set(directory, dated);
        }
        if (complete.size === 0 || (canary !== undefined && !canary.isSet)) return;
        // What was evicted is missing too, and counts of it are lost with a restart.
        const states = await onEach(servers, askServerState);
        endedCounts = states.every(keptEveryKey);
        if (endedCounts) return;
        warn(
          states.some(({ evictionPolicy, evictedKeys }) => evictionPolicy === undefined || evictedKeys === undefined)
            ? "Redis does not say whether it evicts keys, so a missing key does not count as a logout"
            : "Redis evicts keys, or has evicted some, so a missing key does not count as a logout",
        );
      }),
    complete: () => complete,
    endedCounts: () => endedCounts,
    confirm: () =>
      orSay("read", async () => {
        for (const [directory, [latest]] of complete) {
          const now = await readOf(directory);
          const nowMs = now.complete?.[0]?.mark.startedMs ?? Number.NEGATIVE_INFINITY;
          if (latest !== undefined && nowMs < latest.mark.startedMs) throw new RedisForgotError();
        }
      }),
    noteStart: () => orSay("written", () => changeAll(undefined, (mark) => ({ ...mark, beganMs: Date.now() }))),
    noteRemoval: async () => {
      try {
        await changeAll(undefined, (mark) => ({ ...mark, removesMs: Date.now() }));
      } catch (error) {
        if (!(error instanceof RedisError) || error.kind !== "refused") throw error;
        throw new RedisError(
          "refused",
          `${error.message}. A purge first notes in Redis that it removes files ` +
            "(tele-sessions:mark:*), so nothing was removed",
        );
      }
    },
    leave: (run) =>
      orSay("written", async () => {
        if (canary === undefined || !canary.isSet) return;
        const { beside } = canary;
        if (beside === undefined) await canary.check();
        await changeAll(beside, (mark) => ({
          ...mark,
          complete: completeMarks(mark.complete ?? [], shard ?? wholeShard, run, Date.now()),
        }));
        if (beside !== undefined) return;
        try {
          await canary.check();
        } catch (error) {
          // Otherwise the next run would take the keys of an emptied master for logouts.
          await changeAll(undefined, ({ complete: _, ...mark }) => mark);
          throw error;
        }
      }),
    whyNotRetract: async () => {
      const marks = await onEach(servers, listMarks);
      if (marks.includes(undefined)) return "marks of other runs cannot be listed (SCAN)";
      const own = new Set(directories.map(keyOf));
      const all = marks.flatMap((some) => [...(some ?? [])]);
      const ofPrefix = all.filter(([, mark]) => (mark.keyPrefix ?? keyPrefix) === keyPrefix);
      if (ofPrefix.some(([key]) => !own.has(key))) return "another directory was copied to these keys";
      if (ofPrefix.some(([, { removesMs }]) => removesMs !== undefined)) return "a purge removed session files";
      return undefined;
    },
  };
}
