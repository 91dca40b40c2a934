import { exitCodeOfStop, type StopReason, type StopSignal } from "../report/exit-code.js";

/** How a run learns that it should stop. */
export interface StopRequest {
  readonly signal: AbortSignal;
  /** Why: the signal that came, else that the time is up; undefined if it need not stop. */
  readonly reason: () => StopReason | undefined;
  /** Stops listening. */
  readonly release: () => void;
}

const signals: readonly StopSignal[] = ["SIGHUP", "SIGINT", "SIGTERM"];
/** Node fires a longer timer at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Asks the run to stop on the first signal, or when its time is up. A second signal ends the
 * process at once.
 */
export function listenForStop(
  maxDurationMs: number | null,
  onStop: (reason: StopReason) => void,
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
  const listeners = signals.map((name) => {
    const listener = () => {
      if (reason !== undefined && reason !== "time") process.exit(exitCodeOfStop[name]);
      stopFor(name);
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return {
    signal: controller.signal,
    reason: () => reason,
    release: () => {
      clearTimeout(timer);
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
