import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ReportError, SettingsError, systemReason } from "../model/errors.js";
import type { Report, ReportedDifference, ReportedFailure } from "../model/report.js";
import { showablePath } from "../model/showable.js";

/** The path that means stdout. */
const toStdout = "-";
const head = '{"failures": [';

/**
 * The file of `--report`: the report with every failure and difference. Each is written as it
 * happens, so memory stays flat even if every session fails. The file grows under a temporary name
 * in the same directory and is renamed when it is complete.
 */
export class ReportFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #failures = 0;
  /** Holds the differences until all failures are written; absent until there is one. */
  #differences: number | undefined;
  #error: ReportError | undefined;

  /** @throws SettingsError if no file can be created there. */
  constructor(path: string) {
    this.#path = path;
    const name = `.tele-sessions-report-${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
    this.#temporary = join(path === toStdout ? tmpdir() : dirname(path), name);
    try {
      const existing = path === toStdout ? undefined : statSync(path, { throwIfNoEntry: false });
      if (existing !== undefined && !existing.isFile())
        throw new SettingsError(`--report: ${showablePath(path)} is not a regular file`);
      this.#descriptor = openSync(this.#temporary, "ax+", 0o600);
    } catch (error) {
      if (error instanceof SettingsError) throw error;
      throw new SettingsError(`--report: ${showablePath(path)} cannot be written: ${systemReason(error)}`);
    }
    this.#write(head);
  }

  /** Never throws; `finish` reports an error in writing it. */
  addFailure(failure: ReportedFailure): void {
    this.#write(`${this.#failures === 0 ? "" : ","}\n  ${JSON.stringify(failure)}`);
    this.#failures++;
  }

  /** Never throws; `finish` reports an error in writing it. */
  addDifference(difference: ReportedDifference): void {
    this.#attempt(() => {
      const isFirst = this.#differences === undefined;
      this.#differences ??= openNameless(`${this.#temporary}.differences`);
      writeWhole(this.#differences, `${isFirst ? "" : ","}\n  ${JSON.stringify(difference)}`);
    });
  }

  /** Drops every failure and difference, because the run starts over. */
  forgetFindings(): void {
    this.#failures = 0;
    if (this.#differences !== undefined) closeSync(this.#differences);
    this.#differences = undefined;
    this.#attempt(() => ftruncateSync(this.#descriptor));
    this.#write(head);
  }

  /** Removes the unfinished file of a run that ends without a report. */
  discard(): void {
    rmSync(this.#temporary, { force: true });
  }

  /**
   * Completes the report and puts it in its place.
   * @throws ReportError if any part of it could not be written.
   */
  finish(report: Report): void {
    const { failures: _, differences: __, ...rest } = report;
    this.#write('\n],\n"differences": [');
    this.#attempt(() => this.#appendDifferences());
    const others = { ...rest, failuresOmitted: 0, differencesOmitted: 0 };
    this.#write(`\n],\n${JSON.stringify(others, null, 2).slice(2)}\n`);
    try {
      if (this.#error === undefined) {
        if (this.#path === toStdout) this.#print();
        else {
          fsyncSync(this.#descriptor);
          renameSync(this.#temporary, this.#path);
        }
      }
    } catch (error) {
      this.#error = this.#failure(error);
    } finally {
      closeSync(this.#descriptor);
    }
    if (this.#error === undefined) return;
    rmSync(this.#temporary, { force: true });
    throw this.#error;
  }

  #print(): void {
    for (const block of blocksOf(this.#descriptor)) process.stdout.write(block);
    this.discard();
  }

  #appendDifferences(): void {
    if (this.#differences === undefined) return;
    for (const block of blocksOf(this.#differences)) writeWhole(this.#descriptor, block);
    closeSync(this.#differences);
  }

  #write(text: string): void {
    this.#attempt(() => writeWhole(this.#descriptor, text));
  }

  #attempt(action: () => void): void {
    if (this.#error !== undefined) return;
    try {
      action();
    } catch (error) {
      this.#error = this.#failure(error);
    }
  }

  #failure(error: unknown): ReportError {
    return new ReportError(
      `the report ${showablePath(this.#path)} could not be written: ${systemReason(error)}`,
    );
  }
}

/** Opens a file without a name: it disappears with the process. Throws the system's error. */
function openNameless(path: string): number {
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return descriptor;
}

function writeWhole(descriptor: number, text: string | Buffer): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}

/** Reads a file from its start in blocks. Throws the system's error. */
function* blocksOf(descriptor: number): Generator<Buffer> {
  for (let at = 0; ; ) {
    const block = Buffer.alloc(64 * 1024);
    const length = readSync(descriptor, block, 0, block.length, at);
    if (length === 0) return;
    at += length;
    yield block.subarray(0, length);
  }
}
