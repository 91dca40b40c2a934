/** Calls of a round, which are timed and judged together. */
const callsTimed = 16;
/** Calls that go untimed after a round of short calls, because reading the clock takes time. */
const callsUntimed = 7 * callsTimed;
/** Calls slower than this (ms) are worth running in parallel; faster ones are not. */
const longMs = 0.25;
/** Long calls in a round that show a slow file system; fewer may mean a busy processor. */
const minLong = callsTimed / 4;

/**
 * Calls that a slow file system gets in parallel before a round is timed again: it may have been a
 * cold stretch of a disk, or a busy processor, and calls that do not wait are slower in parallel.
 */
const callsUntilAgain = 65_536;

/** Times calls to tell whether they wait for a network or a cold disk. */
export class LatencyProbe {
  readonly #clock: () => number;
  /** Calls to go before the next is timed. The first calls are slow because the program is cold. */
  #untimed = callsTimed;
  #timed = 0;
  #long = 0;
  #isSlow = false;
  /** Calls since they were slow. */
  #passed = 0;

  /** `clock` gives milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Makes a call and notes how long it took. */
  time<T>(call: () => T): T {
    if (this.#isSlow) {
      this.pass(1);
      return call();
    }
    if (this.#untimed > 0) {
      this.#untimed--;
      return call();
    }
    const beganMs = this.#clock();
    const result = call();
    this.#note(this.#clock() - beganMs);
    return result;
  }

  /** Counts calls that were made in parallel. */
  pass(calls: number): void {
    this.#passed += calls;
    if (this.#passed < callsUntilAgain) return;
    this.#passed = 0;
    this.#untimed = 0;
    this.#isSlow = false;
  }

  #note(milliseconds: number): void {
    this.#timed++;
    if (milliseconds > longMs) this.#long++;
    if (this.#timed < callsTimed) return;
    this.#isSlow = this.#long >= minLong;
    this.#untimed = this.#long === 0 ? callsUntimed : 0;
    this.#timed = 0;
    this.#long = 0;
  }
}
