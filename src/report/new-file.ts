import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { ReportError, SettingsError, systemReason } from "../model/errors.js";
import { showablePath } from "../model/showable.js";

/** Where a file goes, and what messages call it. */
export interface FilePlace {
  /** The flag that names it. */
  readonly flag: string;
  readonly path: string;
  /** Where its temporary file lies; the directory of `path` by default. */
  readonly directory?: string;
  /** Its permissions; 0600 by default. */
  readonly mode?: number;
}

/**
 * A file that grows under a temporary name, and takes its place when it is complete.
 * An error in writing it shows in `close` and `finish`; besides them only the constructor throws.
 */
export class NewFile {
  /** The temporary name. */
  readonly temporary: string;
  readonly descriptor: number;
  readonly #path: string;
  #error: ReportError | undefined;

  /** @throws SettingsError if no file can be created there. */
  constructor({ flag, path, directory, mode = 0o600 }: FilePlace) {
    this.#path = path;
    const name = `.tele-sessions-report-${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
    this.temporary = join(directory ?? dirname(path), name);
    try {
      const existing = directory === undefined ? statSync(path, { throwIfNoEntry: false }) : undefined;
      if (existing !== undefined && !existing.isFile())
        throw new SettingsError(`${flag}: ${showablePath(path)} is not a regular file`);
      this.descriptor = openSync(this.temporary, "ax+", mode);
    } catch (error) {
      if (error instanceof SettingsError) throw error;
      throw new SettingsError(`${flag}: ${showablePath(path)} cannot be written: ${systemReason(error)}`);
    }
  }

  write(text: string): void {
    this.attempt(() => writeWhole(this.descriptor, text));
  }

  /** Does something with the file, unless something failed before. */
  attempt(action: () => void): void {
    if (this.#error !== undefined) return;
    try {
      action();
    } catch (error) {
      this.#error = new ReportError(
        `the report ${showablePath(this.#path)} could not be written: ${systemReason(error)}`,
      );
    }
  }

  /** Puts the file in its place. */
  replace(): void {
    this.attempt(() => {
      fsyncSync(this.descriptor);
      renameSync(this.temporary, this.#path);
    });
  }

  /**
   * Closes the file.
   * @throws ReportError if anything failed; then no trace of it is left.
   */
  close(): void {
    closeSync(this.descriptor);
    if (this.#error === undefined) return;
    this.discard();
    throw this.#error;
  }

  /**
   * Writes the whole text and puts the file in its place, in one step: nobody reads half of it.
   * @throws ReportError if it could not be written.
   */
  finish(text: string): void {
    this.write(text);
    this.replace();
    this.close();
  }

  /** Removes the unfinished file. */
  discard(): void {
    rmSync(this.temporary, { force: true });
  }
}

/** Writes all of it. Throws the system's error. */
export function writeWhole(descriptor: number, text: string | Buffer): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
