import { RedisError, RedisForgotError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { Warn } from "../model/warn.js";

const maxAttempts = 3;

/**
 * Returns, with a warning, if an attempt failed because Redis lost data: what it confirmed before
 * may be gone, so the run starts over. Throws any other error, and `RedisError` the third time.
 */
export function allowRestart(error: unknown, attempt: number, warn: Warn, stop: AbortSignal): void {
  if (!(error instanceof RedisForgotError)) throw error;
  if (attempt === maxAttempts || stop.aborted) throw new RedisError("unavailable", error.message);
  warn(`${error.message}. Starting over`);
}

/** Why a run ends if Redis lost data after session files were removed. */
export function forgotRemoved(count: number): RedisError {
  return new RedisError(
    "unavailable",
    `Redis was restarted, emptied or replaced after ${countOf(count, "session file")} had been removed: ` +
      "of these sessions, what Redis did not keep is lost",
  );
}
