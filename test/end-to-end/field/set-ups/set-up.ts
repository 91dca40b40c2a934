import type { SetUpGround } from "./set-up-ground.js";

/** A broken set-up: how it comes about, what `check` must say, and what mends it. */
export interface SetUp {
  readonly name: string;
  /** The check that finds it. */
  readonly check: string;
  readonly found: RegExp;
  readonly remedy: RegExp;
  /** The exit code of `check`, of a dry run and of the run. */
  readonly exit: number;
  /** Whether it concerns the removal of files only. */
  readonly purges?: true;
  /** Whether `npm test` plays it in full. */
  readonly full?: true;
  readonly make: (ground: SetUpGround) => unknown;
  /** Does what the remedy says; it is given as `check` printed it. */
  readonly mend: (ground: SetUpGround, remedy: string) => unknown;
}
