import type { Written } from "../model/entry.js";
import { SourceError } from "../model/errors.js";
import type { Warn } from "../model/warn.js";
import { WrittenSessions } from "../source/written-sessions.js";

/** What a run wrote. If it cannot be kept, the log warns, and the run goes on without. */
export class SessionLog {
  readonly #consequence: string;
  readonly #warn: Warn;
  #sessions: WrittenSessions | undefined;

  /** `consequence`: what follows for the run if nothing can be kept, as part of a sentence. */
  constructor(directories: readonly string[], consequence: string, warn: Warn) {
    this.#consequence = consequence;
    this.#warn = warn;
    this.#keeping(() => {
      this.#sessions = new WrittenSessions(directories);
    });
  }

  /** Whether it holds everything that was added. */
  get isWhole(): boolean {
    return this.#sessions !== undefined;
  }

  add(written: Written): void {
    this.#keeping(() => this.#sessions?.add(written));
  }

  /** Everything added; nothing if it could not be kept. */
  *batches(batchSize: number): Generator<readonly Written[]> {
    try {
      yield* this.#sessions?.batches(batchSize) ?? [];
    } catch (error) {
      this.#goOnWithout(error);
    }
  }

  close(): void {
    this.#sessions?.close();
    this.#sessions = undefined;
  }

  #keeping(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#goOnWithout(error);
    }
  }

  #goOnWithout(error: unknown): void {
    if (!(error instanceof SourceError)) throw error;
    this.#warn(`${error.message}, so ${this.#consequence}`, { evenIfQuiet: true });
    this.close();
  }
}
