import { exitCodeOfSignal, type StopSignal } from "../report/exit-code.js";

/** How a run learns that it should stop. */
export interface StopRequest {
  readonly signal: AbortSignal;
  /** The signal that asked for it; undefined if none did. */
  readonly received: () => StopSignal | undefined;
  /** Whether the time was up before any signal came. */
  readonly outOfTime: () => boolean;
  /** Stops listening. */
  readonly release: () => void;
}

/** Node fires a longer timer at once. */
const maxTimerMs = 2 ** 31 - 1;

/**
 * Asks the run to stop on the first signal, or when its time is up. A second signal ends the
 * process at once.
 */
export function listenForStop(
  maxDurationMs: number | null,
  onStop: (reason: StopSignal | "time") => void,
): StopRequest {
  const controller = new AbortController();
  let received: StopSignal | undefined;
  let outOfTime = false;
  const endTime = () => {
    if (received !== undefined) return;
    outOfTime = true;
    onStop("time");
    controller.abort();
  };
  const timer = maxDurationMs === null ? undefined : setTimeout(endTime, Math.min(maxDurationMs, maxTimerMs));
  timer?.unref();
  const listeners = (Object.keys(exitCodeOfSignal) as StopSignal[]).map((name) => {
    const listener = () => {
      if (received !== undefined) process.exit(exitCodeOfSignal[name]);
      received = name;
      onStop(name);
      controller.abort();
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return {
    signal: controller.signal,
    received: () => received,
    outOfTime: () => outOfTime,
    release: () => {
      clearTimeout(timer);
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
