import { newStopRequest, type StopRequest } from "../library/stop-request.js";
import { exitCodeOfStop, type StopReason, type StopSignal } from "../report/exit-code.js";

const signals: readonly StopSignal[] = ["SIGHUP", "SIGINT", "SIGTERM"];

/**
 * Asks the run to stop on the first signal, or when its time is up. A second signal ends the
 * process at once.
 */
export function listenForStop(maxDurationMs: number | null, onStop: (reason: StopReason) => void): StopRequest {
  const stop = newStopRequest(maxDurationMs, onStop);
  const listeners = signals.map((name) => {
    const listener = () => {
      const reason = stop.reason();
      if (reason !== undefined && reason !== "time") process.exit(exitCodeOfStop[name]);
      stop.stopFor(name);
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return {
    ...stop,
    release: () => {
      stop.release();
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
