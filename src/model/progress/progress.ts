import type { Ledger } from "../ledger.js";
import type { PhaseName, Wait } from "./progress-state.js";

/** A phase that a run is in. Its numbers are asked for whenever somebody wants to see them. */
export interface Phase {
  readonly name: PhaseName;
  /** Session files that it will meet, as they were counted beforehand; absent if not known. */
  readonly total?: number;
  /** Session files that it has met so far; absent if it counts none. */
  readonly done?: () => number;
  /** Counts the outcomes of the pass that the phase belongs to. */
  readonly ledger?: Ledger;
  /** Which pass over the session directories it is, from 1. */
  readonly pass?: number;
  /** Only of a purge. */
  readonly purge?: PurgeBlock;
}

/** A purge proves session files in blocks, and removes each block once it is proven. */
export interface PurgeBlock {
  /** From 1. */
  readonly number: number;
  /** How many there are, as far as can be known. */
  readonly count: number;
  /** Session files in the blocks before it. */
  readonly before: number;
  /** Session files in this block. */
  readonly size: number;
  /** Session files of this block that were compared with Redis so far. */
  readonly proved: () => number;
  /** Session files that the whole purge will meet. */
  readonly total: number;
}

/** What Redis says about its memory. */
export interface RedisMemory {
  /** Bytes; `undefined` if Redis does not say. */
  readonly usedMemory: number | undefined;
  /** Bytes; 0: no limit; `undefined` if Redis does not say. */
  readonly maxMemory: number | undefined;
  /**
   * Keys evicted since the server started, or since its counters were reset; `undefined` if Redis
   * does not say.
   */
  readonly evictedKeys: number | undefined;
}

/** What just changed. `back`: what was waited for, and for how many seconds. */
export type ProgressChange =
  | { readonly kind: "phase" }
  | { readonly kind: "waiting" }
  | { readonly kind: "back"; readonly target: Wait["target"]; readonly seconds: number };
