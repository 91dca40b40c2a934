import type { StopReason } from "../report/exit-code.js";

/** How a run learns that it should stop. */
export interface StopRequest {
  readonly signal: AbortSignal;
  /** Why: the signal that came, else that the time is up; undefined if it need not stop. */
  readonly reason: () => StopReason | undefined;
  readonly stopFor: (reason: StopReason) => void;
  /** Stops the clock. */
  readonly release: () => void;
}

/** Node fires a longer timer at once. */
const maxTimerMs = 2 ** 31 - 1;

/** Asks the run to stop when its time is up, or when it is told to. */
export function newStopRequest(
  maxDurationMs: number | null,
  onStop: (reason: StopReason) => void = () => undefined,
): StopRequest {
  const controller = new AbortController();
  let reason: StopReason | undefined;
  const stopFor = (cause: StopReason) => {
    reason = cause;
    onStop(cause);
    controller.abort();
  };
  const endTime = () => {
    if (reason === undefined) stopFor("time");
  };
  const timer = maxDurationMs === null ? undefined : setTimeout(endTime, Math.min(maxDurationMs, maxTimerMs));
  timer?.unref();
  return {
    signal: controller.signal,
    reason: () => reason,
    stopFor,
    release: () => clearTimeout(timer),
  };
}
