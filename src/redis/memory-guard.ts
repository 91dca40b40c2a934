import type { Redis } from "ioredis";
import { RedisError } from "../model/errors.js";
import { askServerState } from "./server-state.js";

/** Of its memory limit; above it the live server's own saves would begin to fail. */
const fullShare = 0.95;
/** Bytes written between two looks, at the most. */
const mostUnseen = 32 * 1024 * 1024;

/** Stops writing before Redis is full. */
export class MemoryGuard {
  /** Bytes that may be written before Redis is asked again. */
  #allowance = 0;
  #unlimited = false;
  #written = 0;
  readonly #need: number;

  /** `need`: bytes of memory that the run takes in all, about. */
  constructor(need: number) {
    this.#need = need;
  }

  /** Throws `RedisError` where so many bytes more would bring Redis above 95% of its limit. Else throws what `redisFault` sorts. */
  async admit(client: Redis, bytes: number): Promise<void> {
    if (this.#unlimited) return;
    if (bytes > this.#allowance) await this.#look(client, bytes);
    this.#allowance -= bytes;
    this.#written += bytes;
  }

  async #look(client: Redis, bytes: number): Promise<void> {
    const state = await askServerState(client);
    // Where INFO is denied Redis itself says when it is full.
    if (state === undefined || state.maxMemory === 0) {
      this.#unlimited = true;
      return;
    }
    const free = Math.floor(state.maxMemory * fullShare) - state.usedMemory;
    if (bytes > free) throw new RedisError("refused", this.#refusal(free, bytes));
    // Half of it, for sizes are estimates and the live server writes too.
    this.#allowance = Math.max(bytes, Math.min(free / 2, mostUnseen));
  }

  #refusal(free: number, bytes: number): string {
    const missing = Math.max(this.#need - this.#written, bytes) - Math.max(free, 0);
    return `Redis has come to 95% of its maxmemory: about ${mebibytes(missing)} more are needed, and writing stopped before the server's own saves fail`;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.max(bytes / 2 ** 20, 0.1).toFixed(1)} MiB`;
}
