import { RedisError } from "../model/errors.js";
import type { ResilientConnection } from "../redis/resilient-connection.js";
import { askServerState } from "../redis/server-state.js";
import { bytesText } from "./number-text.js";

/** Looks whether Redis evicts keys while a run goes on. */
interface EvictionWatch {
  readonly begin: () => Promise<void>;
  /** Whether keys were evicted since the watch began, or may have been. Throws `RedisForgotError` where Redis may have lost more than that. */
  readonly end: () => Promise<boolean>;
}

/** Where INFO is denied nothing is known, and nothing said. */
export function watchEvictions(
  connection: ResilientConnection,
  warn: (message: string, lasting?: boolean) => void,
): EvictionWatch {
  let before: number | undefined;
  return {
    begin: async () => {
      before = (await connection.run(askServerState))?.evictedKeys;
    },
    end: async () => {
      const now = (await connection.run(askServerState))?.evictedKeys;
      if (now === undefined || before === undefined || now === before) return false;
      const what =
        now > before
          ? `has evicted ${now - before} keys meanwhile, of whatever kind`
          : "was told meanwhile to forget how many keys it evicted";
      warn(`Redis ${what}: sessions may be missing, and nothing more is removed`, true);
      return true;
    },
  };
}

/**
 * Bytes of memory that the run needs, about; 0 where Redis has no limit. Where it evicts, every entry may be evicted silently: a warning
 * while they fit in half of the free memory. Throws `RedisError` where they do not.
 */
export async function refuseEviction(
  connection: ResilientConnection,
  warn: (message: string) => void,
  estimate: () => Promise<number>,
): Promise<number> {
  const state = await connection.run(askServerState);
  if (state === undefined || state.maxMemory === 0) return 0;
  const need = await estimate();
  if (state.evictionPolicy === "noeviction") return need;
  const free = Math.max(state.maxMemory - state.usedMemory, 0);
  const facts = `Redis evicts keys when it is full (maxmemory-policy ${state.evictionPolicy}), and about ${bytesText(need)} of its ${bytesText(free)} of free memory are needed`;
  if (need > free / 2) {
    throw new RedisError("refused", `${facts}: sessions would be evicted and their owners logged out`);
  }
  warn(facts);
  return need;
}
