import type { Redis } from "ioredis";
import { RedisError } from "../../model/errors.js";
import { isReply, replyText } from "../redis-fault.js";
import { askServerState, type ServerState } from "./server-state.js";

/** Share of the memory limit. Above it the live server's own saves would soon fail. */
export const fullShare = 0.95;
/** Bytes that may be written before Redis is asked again. */
const maxAllowance = 32 * 1024 * 1024;

/** Stops writing before Redis is full. */
export class MemoryGuard {
  /** Bytes that may be written before Redis is asked again. */
  #allowance = 0;
  #unlimited = false;
  #written = 0;
  /** Bytes admitted but not yet written, which Redis does not count. */
  #inFlight = 0;
  /** Requests take turns: each counts what the one before admitted. */
  #turn: Promise<unknown> = Promise.resolve();
  #need = 0;
  readonly #onState: (state: ServerState) => void;
  readonly #who: string;

  /** `onState` hears what Redis says about itself. `name`: of a master in a Cluster. */
  constructor(onState: (state: ServerState) => void = () => undefined, name?: string) {
    this.#onState = onState;
    this.#who = name === undefined ? "Redis" : `the master ${name}`;
  }

  /** Notes roughly how many bytes the whole run takes. Only error messages use it. */
  expect(bytes: number): void {
    this.#need = bytes;
  }

  /**
   * Waits for its turn and admits this many bytes. Returns a function to call when they are written,
   * or never will be. If they do not seem to fit, `countNeeded` says how many are really needed.
   * Throws `RedisError` if they would bring Redis above 95% of its limit.
   */
  async admit(
    client: Redis,
    bytes: number,
    countNeeded: () => Promise<number> = async () => bytes,
  ): Promise<() => void> {
    const turn = this.#turn.then(() => this.#takeTurn(client, bytes, countNeeded));
    this.#turn = turn.catch(() => undefined);
    const taken = await turn;
    return () => {
      this.#inFlight -= taken;
    };
  }

  async #takeTurn(client: Redis, bytes: number, countNeeded: () => Promise<number>): Promise<number> {
    const taken = bytes > this.#allowance && !this.#unlimited ? await this.#ask(client, bytes, countNeeded) : bytes;
    this.#allowance -= taken;
    this.#written += taken;
    this.#inFlight += taken;
    return taken;
  }

  async #ask(client: Redis, bytes: number, countNeeded: () => Promise<number>): Promise<number> {
    const state = await askServerState(client);
    this.#onState(state);
    const { maxMemory, usedMemory } = state;
    // The run has warned if Redis hides these. Redis itself then says when it is full.
    if (maxMemory === undefined || maxMemory === 0 || usedMemory === undefined) {
      this.#unlimited = true;
      return bytes;
    }
    const free = Math.floor(maxMemory * fullShare) - usedMemory - this.#inFlight;
    const taken = bytes > free ? await countNeeded() : bytes;
    if (taken > 0 && taken > free) throw new RedisError("refused", this.#refusal(free, taken));
    // Only half, because sizes are estimates and the live server writes too.
    this.#allowance = Math.max(taken, Math.min(free / 2, maxAllowance));
    return taken;
  }

  /**
   * Turns the error of a write that found Redis full into a `RedisError` that says how much memory
   * is missing. Returns other errors as they are.
   */
  explain(error: unknown): unknown {
    if (!isReply(error) || !replyText(error).startsWith("OOM")) return error;
    const missing = Math.max(this.#need - this.#written + this.#inFlight, this.#inFlight);
    return new RedisError(
      "refused",
      `${this.#who} is out of memory (maxmemory reached): about ${mebibytes(missing)} more is needed. ` +
        "Raise maxmemory, then run this again",
    );
  }

  #refusal(free: number, bytes: number): string {
    const missing = Math.max(this.#need - this.#written, bytes) - Math.max(free, 0);
    return (
      `${this.#who} has reached 95% of its maxmemory: about ${mebibytes(missing)} more is needed. ` +
      "Writing stopped before the server's own saves fail"
    );
  }
}

function mebibytes(bytes: number): string {
  return `${Math.max(bytes / 2 ** 20, 0.1).toFixed(1)} MiB`;
}
