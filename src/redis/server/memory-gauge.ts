import type { RedisMemory } from "../../model/progress/progress.js";
import type { ResilientConnection } from "../resilient-connection.js";
import { allowed } from "./server-info.js";
import { memoryOf, type ServerState } from "./server-state.js";

const askEveryMs = 5000;

/**
 * Knows how full Redis is, for people who watch. Takes what the run asks Redis anyway, and asks
 * itself if nobody did for a while.
 */
export class MemoryGauge {
  readonly #onMemory: (memory: RedisMemory) => void;
  #timer: NodeJS.Timeout | undefined;
  #isAsking = false;
  #isFresh = false;

  constructor(onMemory: (memory: RedisMemory) => void) {
    this.#onMemory = onMemory;
  }

  note(state: ServerState): void {
    this.#isFresh = true;
    this.#onMemory(state);
  }

  /** Asks over a connection, as long as Redis allows INFO. */
  start(connection: ResilientConnection): void {
    this.#timer = setInterval(() => void this.#ask(connection), askEveryMs).unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  async #ask(connection: ResilientConnection): Promise<void> {
    const isFresh = this.#isFresh;
    this.#isFresh = false;
    if (isFresh || this.#isAsking) return;
    this.#isAsking = true;
    const asked = await connection.glance(async (client) => ({ info: await allowed(() => client.info()) }));
    this.#isAsking = false;
    if (asked === undefined) return;
    if (asked.info === undefined) this.end();
    else this.#onMemory(memoryOf(asked.info));
  }
}
