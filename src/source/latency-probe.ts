/** Calls that are timed together. */
const callsTimed = 16;
/** Calls that go untimed behind some that were all short: looking at the clock costs. */
const callsUntimed = 7 * callsTimed;
/** One after the other is no way beyond; doing many at a time costs more up to here: milliseconds. */
const longMs = 0.25;
/** So many long calls of those timed together show a slow file system; a few show a busy processor. */
const longThatTell = callsTimed / 4;

/** Tells from how long calls take whether they wait, for a network or a cold disk. Once they were seen to they count as waiting. */
export class LatencyProbe {
  readonly #clock: () => number;
  /** How many calls go untimed before the next is timed. At first the program itself is slow until it has run a while. */
  #untimed = callsTimed;
  #timed = 0;
  #long = 0;
  #isSlow = false;

  /** `clock` gives milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Makes a call and takes note of how long it took. */
  time<T>(call: () => T): T {
    if (this.#isSlow) return call();
    if (this.#untimed > 0) {
      this.#untimed--;
      return call();
    }
    const beganMs = this.#clock();
    const result = call();
    this.#note(this.#clock() - beganMs);
    return result;
  }

  #note(milliseconds: number): void {
    this.#timed++;
    if (milliseconds > longMs) this.#long++;
    if (this.#timed < callsTimed) return;
    this.#isSlow = this.#long >= longThatTell;
    this.#untimed = this.#long === 0 ? callsUntimed : 0;
    this.#timed = 0;
    this.#long = 0;
  }
}
