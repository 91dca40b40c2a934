import type { Warn } from "../model/warn.js";
import type { Canary } from "./canary.js";
import type { ResilientConnection } from "./resilient-connection.js";
import type { ServerState } from "./server/server-state.js";

/**
 * Checks that Redis still holds what it confirmed since the run, or its latest attempt, began. A
 * restart shows when we reconnect. Without a reconnect, INFO reveals a failover, and the canary key
 * reveals a FLUSHALL.
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

  /** Whether Redis hides evictions, so that the run must check its written keys itself. */
  get hidesEvictions(): boolean {
    return this.#hidesEvictions;
  }

  /** Starts, or starts over, at the present state. Throws `RedisError`. */
  async begin(): Promise<void> {
    this.#evictedBefore = this.#evictedOf(await this.#connection.checkData());
    await this.#canary?.begin();
  }

  /**
   * `evicted`: keys were, or may have been, evicted since the start. Throws `RedisForgotError` if
   * Redis may have lost more than that, or `RedisError`.
   */
  async check(): Promise<"intact" | "evicted"> {
    const before = this.#evictedBefore;
    const now = this.#evictedOf(await this.#connection.checkData());
    if (now !== undefined && before !== undefined && now !== before) {
      const what =
        now > before
          ? `evicted ${now - before} keys of any kind during the run`
          : "had its eviction counter reset during the run";
      this.#warn(`Redis ${what}: sessions may be missing, so nothing more is removed`, {
        evenIfQuiet: true,
      });
      // The canary may have been evicted too.
      return "evicted";
    }
    await this.#canary?.check();
    return "intact";
  }

  /** How many keys Redis evicted so far. Warns, even if quiet, of what Redis does not tell. */
  #evictedOf(state: ServerState): number | undefined {
    const hidden = hiddenFrom(state);
    if (hidden !== undefined) {
      this.#hidesEvictions = true;
      this.#warn(
        `Redis does not say ${hidden}, so sessions may be evicted unseen. A copy checks at its end ` +
          "that each session it wrote still exists; allow INFO and CONFIG GET to be sure",
        { evenIfQuiet: true },
      );
    }
    return state.evictedKeys;
  }
}

/** Names what a server does not report; `undefined` if it reports everything. */
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
