import type { Warn } from "../model/warn.js";
import type { Canary } from "./canary.js";
import type { ServerState } from "./server/server-state.js";
import type { RedisServer, RedisServers, StateOfServer } from "./topology/redis-servers.js";

/**
 * Checks that Redis still holds what it confirmed since the run, or its latest attempt, began. A
 * restart shows when we reconnect. Without a reconnect, INFO reveals a failover, and the canary key
 * reveals a FLUSHALL.
 */
export class Continuity {
  readonly #servers: RedisServers;
  readonly #canary: Canary | undefined;
  readonly #warn: Warn;
  /** Keys evicted before the start, as far as the servers say. */
  #evictedBefore: ReadonlyMap<RedisServer, number> = new Map();
  #hidesEvictions = false;

  /** A run that only reads has no canary. */
  constructor(servers: RedisServers, canary: Canary | undefined, warn: Warn) {
    this.#servers = servers;
    this.#canary = canary;
    this.#warn = warn;
  }

  /** Whether Redis hides evictions, so that the run must check its written keys itself. */
  get hidesEvictions(): boolean {
    return this.#hidesEvictions;
  }

  /** Starts, or starts over, at the present state. Throws `RedisError`. */
  async begin(): Promise<void> {
    this.#evictedBefore = this.#evictedOf(await this.#servers.checkData());
    await this.#canary?.begin();
  }

  /**
   * `evicted`: keys were, or may have been, evicted since the start. Throws `RedisForgotError` if
   * Redis may have lost more than that, or `RedisError`.
   */
  async check(): Promise<"intact" | "evicted"> {
    const now = this.#evictedOf(await this.#servers.checkData());
    const evicted = [...now].map(([server, count]) => count - (this.#evictedBefore.get(server) ?? count));
    // A master that joined the Cluster counts from now on.
    this.#evictedBefore = new Map([...now, ...this.#evictedBefore]);
    if (evicted.some((count) => count !== 0)) {
      const sum = evicted.reduce((all, count) => all + count, 0);
      const what =
        Math.min(...evicted) < 0
          ? "had its eviction counter reset during the run"
          : `evicted ${sum} keys of any kind during the run`;
      this.#warn(`Redis ${what}: sessions may be missing, so nothing more is removed`, { evenIfQuiet: true });
      // The canary may have been evicted too.
      return "evicted";
    }
    await this.#canary?.check();
    return "intact";
  }

  /** How many keys each server evicted so far. Warns, even if quiet, of what Redis does not tell. */
  #evictedOf(states: readonly StateOfServer[]): ReadonlyMap<RedisServer, number> {
    const hidden = states.map(({ state }) => hiddenFrom(state)).find((one) => one !== undefined);
    if (hidden !== undefined) {
      this.#hidesEvictions = true;
      this.#warn(
        `Redis does not say ${hidden}, so sessions may be evicted unseen. A copy checks at its end ` +
          "that each session it wrote still exists; allow INFO and CONFIG GET to be sure",
        { evenIfQuiet: true },
      );
    }
    return new Map(
      states.flatMap(({ server, state: { evictedKeys } }) =>
        evictedKeys === undefined ? [] : [[server, evictedKeys] as const],
      ),
    );
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
