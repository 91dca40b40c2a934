import type { RedisMemory } from "../../model/progress/progress.js";
import type { RedisServer } from "../topology/redis-servers.js";
import { allowed } from "./server-info.js";
import { memoryOf, type ServerState } from "./server-state.js";

const askEveryMs = 5000;

/**
 * Knows how full Redis is, for people who watch. Takes what the run asks Redis anyway, and asks
 * itself if nobody did for a while.
 */
export class MemoryGauge {
  readonly #onMemory: (memory: RedisMemory) => void;
  /** What each server said last, and how many keys it had evicted when it was first asked. */
  readonly #known = new Map<string | undefined, { readonly memory: RedisMemory; readonly evicted: number }>();
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #isFresh = false;

  constructor(onMemory: (memory: RedisMemory) => void) {
    this.#onMemory = onMemory;
  }

  /** `server`: the name of a master in a Cluster. */
  note(state: ServerState, server?: string): void {
    this.#isFresh = true;
    this.#take(state, server);
  }

  /** Asks every server, as long as Redis allows INFO. */
  start(servers: AskedServers): void {
    this.#timer = setInterval(() => void this.#ask(servers), askEveryMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  async #ask({ all }: AskedServers): Promise<void> {
    const isFresh = this.#isFresh;
    this.#isFresh = false;
    if (isFresh || this.#isAsking) return;
    this.#isAsking = true;
    await Promise.all(
      all.map(async ({ connection, name }) => {
        const asked = await connection.glance(async (client) => ({ info: await allowed(() => client.info()) }));
        if (asked === undefined) return;
        if (asked.info === undefined) this.end();
        else this.#take(memoryOf(asked.info), name);
      }),
    );
    this.#isAsking = false;
  }

  #take(memory: RedisMemory, server: string | undefined): void {
    if (server === undefined) {
      this.#onMemory(memory);
      return;
    }
    const evicted = this.#known.get(server)?.evicted ?? memory.evictedKeys ?? 0;
    this.#known.set(server, { memory, evicted });
    this.#onMemory(this.#fullest());
  }

  /** The memory of the fullest master. The evicted keys are those of all since they were first asked. */
  #fullest(): RedisMemory {
    const known = [...this.#known.values()];
    const [fullest] = known.map(({ memory }) => memory).toSorted((one, other) => fullnessOf(other) - fullnessOf(one));
    return {
      usedMemory: fullest?.usedMemory,
      maxMemory: fullest?.maxMemory,
      evictedKeys: known.reduce<number | undefined>(
        (sum, { memory: { evictedKeys }, evicted }) =>
          sum === undefined || evictedKeys === undefined ? undefined : sum + evictedKeys - evicted,
        0,
      ),
    };
  }
}

/** Servers that are asked for their memory. */
interface AskedServers {
  readonly all: readonly {
    readonly connection: Pick<RedisServer["connection"], "glance">;
    readonly name: string | undefined;
  }[];
}

/** The share of its limit that a server uses; without a limit, next to nothing. */
function fullnessOf({ usedMemory = 0, maxMemory = 0 }: RedisMemory): number {
  return maxMemory === 0 ? usedMemory / Number.MAX_SAFE_INTEGER : usedMemory / maxMemory;
}
