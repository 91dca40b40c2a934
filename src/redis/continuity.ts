import type { Warn } from "../model/warn.js";
import type { Canary } from "./canary.js";
import type { ResilientConnection } from "./resilient-connection.js";
import type { ServerState } from "./server/server-state.js";

/**
 * Tells whether Redis still holds what it confirmed since the run, or its next attempt, began. A
 * restart shows when we reconnect. Without a reconnect, INFO reveals a failover and the canary key
 * a FLUSHALL.
 */
export class Continuity {
  readonly #connection: ResilientConnection;
  readonly #canary: Canary | undefined;
  readonly #warn: Warn;
  #evictedBefore: number | undefined;
  #hidesEvictions = false;

  /** A run that only reads has no canary. */
  constructor(connection: ResilientConnection, canary: Canary | undefined, warn: Warn) {
    this.#connection = connection;
    this.#canary = canary;
    this.#warn = warn;
  }

  /** Whether Redis does not tell what would show evictions, so that written keys must be looked for. */
  get hidesEvictions(): boolean {
    return this.#hidesEvictions;
  }

  /** From here on it counts. Throws `RedisError`. */
  async begin(): Promise<void> {
    this.#evictedBefore = this.#evictedOf(await this.#connection.checkData());
    await this.#canary?.begin();
  }

  /**
   * `evicted`: keys were evicted since it began, or may have been. Throws `RedisForgotError` if
   * Redis may have lost more than that, and `RedisError`.
   */
  async check(): Promise<"intact" | "evicted"> {
    const before = this.#evictedBefore;
    const now = this.#evictedOf(await this.#connection.checkData());
    if (now !== undefined && before !== undefined && now !== before) {
      const what =
        now > before
          ? `has evicted ${now - before} keys meanwhile, of whatever kind`
          : "was told meanwhile to forget how many keys it evicted";
      this.#warn(`Redis ${what}: sessions may be missing, and nothing more is removed`, {
        evenIfQuiet: true,
      });
      // The canary may have been evicted too.
      return "evicted";
    }
    await this.#canary?.check();
    return "intact";
  }

  /** How many keys were evicted. Warns, even if quiet, of what Redis does not tell. */
  #evictedOf(state: ServerState): number | undefined {
    const hidden = hiddenFrom(state);
    if (hidden !== undefined) {
      this.#hidesEvictions = true;
      this.#warn(
        `Redis does not tell ${hidden}, so sessions may be evicted unseen. A copy looks once more at its end for each session that it wrote; allow INFO and CONFIG GET to be sure`,
        { evenIfQuiet: true },
      );
    }
    return state.evictedKeys;
  }
}

/** Names what a server does not tell; `undefined` if it tells all. */
function hiddenFrom({ maxMemory, usedMemory, evictionPolicy, evictedKeys }: ServerState): string | undefined {
  const facts: readonly (readonly [name: string, isHidden: boolean])[] = [
    ["its memory limit", maxMemory === undefined],
    ["how much memory it uses", usedMemory === undefined],
    ["its eviction policy", evictionPolicy === undefined],
    ["how many keys it evicted", evictedKeys === undefined],
  ];
  const hidden = facts.flatMap(([name, isHidden]) => (isHidden ? [name] : []));
  const last = hidden.pop();
  if (last === undefined) return undefined;
  return hidden.length === 0 ? last : `${hidden.join(", ")} and ${last}`;
}
