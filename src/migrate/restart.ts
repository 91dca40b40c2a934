import { RedisError, RedisForgotError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import type { RunOutput } from "./run-context.js";

const maxAttempts = 3;

/**
 * Does the work, and starts it over if Redis lost data meanwhile, because what it confirmed before
 * may be gone. `onRestart` takes back what the work counted. Throws `RedisError` the third time.
 */
export async function restartIfRedisForgot(
  { warn, onRestart }: Pick<RunOutput, "warn" | "onRestart">,
  stop: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RedisForgotError)) throw error;
      if (attempt === maxAttempts || stop.aborted) throw new RedisError("unavailable", error.message);
      warn(`${error.message}: it begins again`);
      onRestart();
    }
  }
}

/** Why a run ends if Redis lost data after session files were removed. */
export function forgotRemoved(count: number): RedisError {
  return new RedisError(
    "unavailable",
    `Redis was restarted, emptied or replaced after ${countOf(count, "original")} had been removed: ` +
      "what it did not keep of these sessions is lost",
  );
}
