import type { FailureReason } from "../model/outcome.js";

export type DecodeReason = Extract<
  FailureReason,
  "corrupt" | "not-a-session" | "unsupported-type" | "circular" | "too-deep" | "too-large"
>;

/** Why bytes are no session that Redis could hold. `what` never quotes a value; the offset is where in the file it showed, if anywhere. */
export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly reason: DecodeReason;

  constructor(reason: DecodeReason, what: string, offset?: number) {
    super(offset === undefined ? what : `${what} at byte ${offset}`);
    this.reason = reason;
  }
}
