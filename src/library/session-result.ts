import type { FailureReason, OutcomeKind, SessionOutcome } from "../model/outcome.js";
import { maxDetailLength, shortSid, showable } from "../model/showable.js";

/** What became of one session file. */
export interface SessionResult {
  /** The first 6 characters of the session id; all of it with `showIds`. */
  readonly session: string;
  /** An outcome of docs/outcomes.md; `empty` and `ignored` are no sessions. */
  readonly outcome: OutcomeKind | "empty" | "ignored";
  /** Why it failed; absent if it did not. */
  readonly reason?: FailureReason;
  /** More about that, without any value of the session. */
  readonly detail?: string;
}

export function sessionResult({ sid, kind, failure }: SessionOutcome, showIds: boolean): SessionResult {
  const result = { session: showIds ? sid : shortSid(sid), outcome: kind };
  if (failure === undefined) return result;
  return { ...result, reason: failure.reason, detail: showable(failure.detail, maxDetailLength) };
}
