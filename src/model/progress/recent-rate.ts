const windowMs = 10_000;
/** Counts noted more often than this change nothing. */
const minGapMs = 200;

/** The rate at which a count grew over the last ten seconds. */
export class RecentRate {
  /** The oldest is the one that the rate is reckoned from. */
  readonly #noted: { readonly atMs: number; readonly count: number }[] = [];

  note(nowMs: number, count: number): void {
    const last = this.#noted.at(-1);
    if (last !== undefined && nowMs - last.atMs < minGapMs) return;
    this.#noted.push({ atMs: nowMs, count });
    while ((this.#noted[1]?.atMs ?? nowMs) <= nowMs - windowMs) this.#noted.shift();
  }

  /** 0 if no time has passed since the first count. */
  perSecond(nowMs: number, count: number): number {
    const [first] = this.#noted;
    if (first === undefined || nowMs <= first.atMs) return 0;
    return Math.max((1000 * (count - first.count)) / (nowMs - first.atMs), 0);
  }
}
