/** Gives a function that waits until so many sessions more may be begun, at `perSecond` of them; at once where there is no limit. */
export function makePace(
  perSecond: number | null,
  wait: (milliseconds: number) => Promise<void>,
  clock: () => number = () => performance.now(),
): (sessions: number) => Promise<void> {
  if (perSecond === null) return async () => undefined;
  let freeAtMs = clock();
  return async (sessions) => {
    const nowMs = clock();
    // What was not used is not saved up: the rate is never exceeded, not even for a moment.
    freeAtMs = Math.max(freeAtMs, nowMs);
    const waitMs = freeAtMs - nowMs;
    freeAtMs += (sessions / perSecond) * 1000;
    if (waitMs > 0) await wait(waitMs);
  };
}

/** Sessions of a batch: few enough that a rate is kept within a quarter of a second. */
export function batchSizeFor(perSecond: number | null, largest: number): number {
  return perSecond === null ? largest : Math.max(1, Math.min(largest, Math.floor(perSecond / 4)));
}
