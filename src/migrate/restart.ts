import { RedisError, RedisForgotError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { RunOutput } from "./run-context.js";

const maxAttempts = 3;

/**
 * Makes an attempt, and starts over with a warning if Redis lost data meanwhile: what it confirmed
 * before may be gone. `beforeRestart`: may throw what ends the run instead. Throws any other error
 * of an attempt, and `RedisError` the third time.
 */
export async function restartIfForgot(
  { out, stop }: { readonly out: Pick<RunOutput, "warn" | "onRestart">; readonly stop: AbortSignal },
  attempt: () => Promise<void>,
  beforeRestart: () => void,
): Promise<void> {
  for (let number = 1; ; number++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RedisForgotError)) throw error;
      if (number === maxAttempts || stop.aborted) throw new RedisError("unavailable", error.message);
      out.warn(`${error.message}. Starting over`);
      beforeRestart();
      out.onRestart();
    }
  }
}

/** Why a run ends if Redis lost data after session files were removed. */
export function forgotRemoved(count: number): RedisError {
  return new RedisError(
    "unavailable",
    `Redis was restarted, emptied or replaced after ${countOf(count, "session file")} had been removed: ` +
      "of these sessions, what Redis did not keep is lost",
  );
}
