import type { StopSignal } from "./exit-code.js";

/** A run's way to hear that it is to stop. */
export interface StopRequest {
  readonly signal: AbortSignal;
  /** Which signal asked for it; absent while none has. */
  readonly received: () => StopSignal | undefined;
  /** Stops listening. */
  readonly release: () => void;
}

const numbers: Readonly<Record<StopSignal, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** The first signal asks the run to stop; the second ends the process at once, with what was reported so far. */
export function listenForStop(onFirst: (signal: StopSignal) => void): StopRequest {
  const controller = new AbortController();
  let received: StopSignal | undefined;
  const listeners = (Object.keys(numbers) as StopSignal[]).map((name) => {
    const listener = () => {
      if (received !== undefined) process.exit(128 + numbers[name]);
      received = name;
      onFirst(name);
      controller.abort();
    };
    process.on(name, listener);
    return [name, listener] as const;
  });
  return {
    signal: controller.signal,
    received: () => received,
    release: () => {
      for (const [name, listener] of listeners) process.off(name, listener);
    },
  };
}
