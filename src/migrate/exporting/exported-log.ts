import type { Written } from "../../model/entry.js";
import { SourceError } from "../../model/errors.js";
import type { Warn } from "../../model/warn.js";
import { WrittenSessions } from "../../source/written-sessions.js";

/** The files that an export wrote. If they cannot be kept, it warns, and goes on without. */
export class ExportedLog {
  readonly #warn: Warn;
  #sessions: WrittenSessions | undefined;

  constructor(directory: string, warn: Warn) {
    this.#warn = warn;
    this.#keeping(() => {
      this.#sessions = new WrittenSessions([directory]);
    });
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
    this.#warn(`${error.message}, so the file of a session that ends during the export stays`, {
      evenIfQuiet: true,
    });
    this.close();
  }
}
