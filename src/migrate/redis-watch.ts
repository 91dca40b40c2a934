import type { Warn } from "../model/warn.js";
import type { ResilientConnection } from "../redis/resilient-connection.js";
import { watchEvictions } from "./eviction.js";
import type { Witness } from "./witness.js";

/** Looks whether Redis loses keys while a run goes on. */
export interface RedisWatch {
  readonly begin: () => Promise<void>;
  /**
   * Whether keys were evicted since the watch began, or may have been. Throws `RedisForgotError` where Redis may have lost more than that: it
   * holds another server's data, or was emptied.
   */
  readonly end: () => Promise<boolean>;
  /** Whether Redis hides what would show evictions, so that written keys must be looked for. */
  readonly isBlind: () => boolean;
}

/** A server that was restarted shows when it is connected to; one that was not says what it holds, and a witness whether it was emptied. */
export function watchRedis(
  connection: ResilientConnection,
  witness: Pick<Witness, "begin" | "confirm"> | undefined,
  warn: Warn,
): RedisWatch {
  const evictions = watchEvictions(connection, warn);
  return {
    isBlind: evictions.isBlind,
    begin: async () => {
      await evictions.begin();
      await witness?.begin();
    },
    end: async () => {
      await connection.confirm();
      // The witness may have been evicted too.
      if (await evictions.end()) return true;
      await witness?.confirm();
      return false;
    },
  };
}
