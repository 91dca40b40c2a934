/** Returns a function that waits until that many more sessions may be started. `null`: no limit. */
export function makePace(
  perSecond: number | null,
  wait: (milliseconds: number) => Promise<void>,
  clock: () => number = () => performance.now(),
): (sessions: number) => Promise<void> {
  if (perSecond === null) return async () => undefined;
  let freeAtMs = clock();
  return async (sessions) => {
    const nowMs = clock();
    // Unused time is not saved up: the rate is never exceeded, not even for a moment.
    freeAtMs = Math.max(freeAtMs, nowMs);
    const waitMs = freeAtMs - nowMs;
    freeAtMs += (sessions / perSecond) * 1000;
    if (waitMs > 0) await wait(waitMs);
  };
}

/** Sessions in a batch: so few that the rate holds within a quarter of a second. */
export function batchSizeFor(perSecond: number | null, largest: number): number {
  return perSecond === null ? largest : Math.max(1, Math.min(largest, Math.floor(perSecond / 4)));
}
