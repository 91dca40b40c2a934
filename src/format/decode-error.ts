import type { FailureReason } from "../model/outcome.js";
import { showable } from "../model/showable.js";

/** How deep containers may nest. Python up to 3.11 pickles at most 497 nested lists. */
export const maxDepth = 500;

/** How many containers a session may hold: each can cost hundreds of bytes per byte of file. */
export const maxContainers = 1_000_000;

export type DecodeReason = Extract<
  FailureReason,
  "corrupt" | "not-a-session" | "unsupported-type" | "circular" | "too-deep" | "too-large"
>;

/**
 * Why bytes hold no session that Redis could store. The message never quotes a value; `offset` is
 * the place in the file, if there is one.
 */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly reason: DecodeReason;

  constructor(reason: DecodeReason, what: string, offset?: number) {
    super(offset === undefined ? what : `${what} at byte ${offset}`);
    this.reason = reason;
  }
}

/** What a pickle names: a class or a function. */
export interface NamedThing {
  readonly module: string;
  readonly name: string;
}

/** A pickle names something that no session in Redis can hold, or that would need a look-up. */
export class ForeignNameError extends DecodeError {
  readonly foreign: NamedThing;

  constructor(foreign: NamedThing) {
    super("unsupported-type", showable(`${foreign.module}.${foreign.name}`));
    this.foreign = foreign;
  }
}
