import type { Redis } from "ioredis";
import { RedisError } from "../../model/errors.js";
import { askServerState } from "./server-state.js";

/** Of the memory limit; above it the live server's own saves would begin to fail. */
export const fullShare = 0.95;
/** Bytes written between two looks, at the most. */
const maxUnseen = 32 * 1024 * 1024;

/** Stops writing before Redis is full. */
export class MemoryGuard {
  /** Bytes that may be written before Redis is asked again. */
  #allowance = 0;
  #unlimited = false;
  #written = 0;
  /** Bytes that were admitted and are not written yet: Redis does not count them. */
  #inFlight = 0;
  /** One look at a time: each counts what the one before admitted. */
  #looking: Promise<void> = Promise.resolve();
  #need = 0;

  /** Notes how many bytes of memory the run takes in all, about. It only serves to say how much is missing. */
  expect(bytes: number): void {
    this.#need = bytes;
  }

  /**
   * Gives a function to be called once so many bytes are written, or will not be. `least` tells, where they do not seem to fit, how many of
   * them are really needed. Throws `RedisError` where they would bring Redis above 95% of its limit, else what `redisFault` sorts.
   */
  async admit(
    client: Redis,
    bytes: number,
    least: () => Promise<number> = async () => bytes,
  ): Promise<() => void> {
    const turn = this.#looking.then(() => this.#admitted(client, bytes, least));
    this.#looking = turn.then(
      () => undefined,
      () => undefined,
    );
    const taken = await turn;
    return () => {
      this.#inFlight -= taken;
    };
  }

  async #admitted(client: Redis, bytes: number, least: () => Promise<number>): Promise<number> {
    const taken =
      bytes > this.#allowance && !this.#unlimited ? await this.#look(client, bytes, least) : bytes;
    this.#allowance -= taken;
    this.#written += taken;
    this.#inFlight += taken;
    return taken;
  }

  async #look(client: Redis, bytes: number, least: () => Promise<number>): Promise<number> {
    const { maxMemory, usedMemory } = await askServerState(client);
    // A run that cannot see them warns of it once; Redis itself then says when it is full.
    if (maxMemory === undefined || maxMemory === 0 || usedMemory === undefined) {
      this.#unlimited = true;
      return bytes;
    }
    const free = Math.floor(maxMemory * fullShare) - usedMemory - this.#inFlight;
    const taken = bytes > free ? await least() : bytes;
    if (taken > 0 && taken > free) throw new RedisError("refused", this.#refusal(free, taken));
    // Half of it, for sizes are estimates and the live server writes too.
    this.#allowance = Math.max(taken, Math.min(free / 2, maxUnseen));
    return taken;
  }

  /** An error that writing met: if Redis has no memory left, a `RedisError` that says how much is missing. */
  explain(error: unknown): unknown {
    if (!(error instanceof Error) || error.name !== "ReplyError" || !error.message.startsWith("OOM"))
      return error;
    const missing = Math.max(this.#need - this.#written + this.#inFlight, this.#inFlight);
    return new RedisError(
      "refused",
      `Redis is out of memory (maxmemory reached): about ${mebibytes(missing)} more are needed. Raise maxmemory, then run this again`,
    );
  }

  #refusal(free: number, bytes: number): string {
    const missing = Math.max(this.#need - this.#written, bytes) - Math.max(free, 0);
    return `Redis has come to 95% of its maxmemory: about ${mebibytes(missing)} more are needed, and writing stopped before the server's own saves fail`;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.max(bytes / 2 ** 20, 0.1).toFixed(1)} MiB`;
}
