import type { ResilientConnection } from "../redis/resilient-connection.js";
import { watchEvictions } from "./eviction.js";
import type { Marks } from "./marks.js";

/** Looks whether Redis loses keys while a run goes on. */
export interface RedisWatch {
  readonly begin: () => Promise<void>;
  /**
   * Whether keys were evicted since the watch began, or may have been. Throws `RedisForgotError` where Redis may have lost more than that: it
   * holds another server's data, or was emptied.
   */
  readonly end: () => Promise<boolean>;
}

/** A server that was restarted shows when it is connected to; one that was not says what it holds, and what marks. */
export function watchRedis(
  connection: ResilientConnection,
  marks: Marks,
  warn: (message: string, lasting?: boolean) => void,
): RedisWatch {
  const evictions = watchEvictions(connection, warn);
  return {
    begin: evictions.begin,
    end: async () => {
      await connection.confirm();
      // A mark may have been evicted too.
      if (await evictions.end()) return true;
      await marks.confirm();
      return false;
    },
  };
}
