import type { StopSignal } from "../report/exit-code.js";

/** A run's way to hear that it is to stop. */
export interface StopRequest {
  readonly signal: AbortSignal;
  /** Which signal asked for it; absent while none has. */
  readonly received: () => StopSignal | undefined;
  /** Whether the time was up before any signal came. */
  readonly outOfTime: () => boolean;
  /** Stops listening. */
  readonly release: () => void;
}

/** Node takes a longer one for none. */
const longestTimerMs = 2 ** 31 - 1;
const numbers: Readonly<Record<StopSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/**
 * The first signal asks the run to stop, and so does the time when it is up; another signal ends the process at once, with what was
 * reported so far.
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
  const timer =
    maxDurationMs === null ? undefined : setTimeout(endTime, Math.min(maxDurationMs, longestTimerMs));
  timer?.unref();
  const listeners = (Object.keys(numbers) as StopSignal[]).map((name) => {
    const listener = () => {
      if (received !== undefined) process.exit(128 + numbers[name]);
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
