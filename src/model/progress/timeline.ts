/** Samples that a timeline keeps. */
export const maxSamples = 600;
/** Marks that a timeline keeps: a connection that comes and goes leaves very many. */
const maxMarks = 200;

/** How many sessions were done, at an instant. */
export interface Sample {
  /** Since the run began. */
  readonly seconds: number;
  /** Files that any phase had done by then. A file that several phases take counts once in each. */
  readonly sessions: number;
}

/** What a mark stands for. `pass`: a pass over the session directories begins. */
export const markKinds = ["pass", "redis-away", "redis-back", "restart"] as const;
export type MarkKind = (typeof markKinds)[number];

/** Something that happened at an instant of a run. */
export interface TimeMark {
  /** Since the run began. */
  readonly seconds: number;
  readonly kind: MarkKind;
}

/** A part of a run. */
export interface Phase {
  readonly name: string;
  /** How long it took, all its turns together. */
  readonly seconds: number;
}

/**
 * What happened when in a run. However long the run takes, its samples span all of it and are
 * `maxSamples` at most: each time there are that many, every second one is dropped.
 */
export class Timeline {
  readonly #now: () => number;
  readonly #startedMs: number;
  readonly #phases = new Map<string, number>();
  readonly #marks: TimeMark[] = [];
  #samples: Sample[] = [];
  /** Seconds between two samples. */
  #interval = 0;
  #phase: string | undefined;
  #enteredSeconds = 0;
  #count: () => number = () => 0;
  /** What the count was when the phase began. */
  #countBefore = 0;
  #sessionsBefore = 0;

  /** `now`: a clock that never goes back, in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#startedMs = now();
  }

  /** Seconds since the run began. */
  get seconds(): number {
    return (this.#now() - this.#startedMs) / 1000;
  }

  get samples(): readonly Sample[] {
    return this.#samples;
  }

  get marks(): readonly TimeMark[] {
    return this.#marks;
  }

  /** The phases so far, in the order in which they first began. */
  get phases(): readonly Phase[] {
    return [...this.#phases].map(([name, seconds]) => ({ name, seconds }));
  }

  /** Begins a phase, and ends the one before. `count`: counts the files that it does. */
  enter(name: string, count: () => number = () => 0): void {
    this.#leave();
    this.#phase = name;
    this.#count = count;
    this.#countBefore = count();
  }

  /** Ends the last phase. */
  end(): void {
    this.#leave();
    this.#phase = undefined;
    this.#count = () => 0;
    this.#countBefore = 0;
    this.#addSample(this.seconds);
  }

  /** Takes a sample, unless the last one is too recent. Call it from a timer. */
  sample(): void {
    const { seconds } = this;
    const last = this.#samples.at(-1);
    if (last === undefined || seconds - last.seconds >= this.#interval) this.#addSample(seconds);
  }

  mark(kind: MarkKind): void {
    if (this.#marks.length < maxMarks) this.#marks.push({ seconds: this.seconds, kind });
  }

  #leave(): void {
    const { seconds } = this;
    if (this.#phase !== undefined) {
      const before = this.#phases.get(this.#phase) ?? 0;
      this.#phases.set(this.#phase, before + seconds - this.#enteredSeconds);
    }
    this.#enteredSeconds = seconds;
    this.#sessionsBefore += this.#count() - this.#countBefore;
  }

  #addSample(seconds: number): void {
    if (this.#samples.length === maxSamples) {
      this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
      this.#interval = (2 * seconds) / maxSamples;
    }
    this.#samples.push({ seconds, sessions: this.#sessionsBefore + this.#count() - this.#countBefore });
  }
}
