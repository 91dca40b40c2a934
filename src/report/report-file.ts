import { closeSync, ftruncateSync, openSync, readSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { NewFile, writeWhole } from "./new-file.js";
import type { Report, ReportedDifference, ReportedFailure } from "./schema/report-schema.js";

/** The path that means stdout. */
export const toStdout = "-";
const head = '{"failures": [';

/**
 * The file of `--report`: the report with every failure and difference. Each is written as it
 * happens, so memory stays flat even if every session fails. The file grows under a temporary name
 * in the same directory and is renamed when it is complete.
 */
export class ReportFile {
  readonly #file: NewFile;
  readonly #isStdout: boolean;
  #failures = 0;
  /** Holds the differences until all failures are written; absent until there is one. */
  #differences: number | undefined;

  /** @throws SettingsError if no file can be created there. */
  constructor(path: string) {
    this.#isStdout = path === toStdout;
    this.#file = new NewFile({ flag: "--report", path, ...(this.#isStdout ? { directory: tmpdir() } : {}) });
    this.#file.write(head);
  }

  /** Never throws; `finish` reports an error in writing it. */
  addFailure(failure: ReportedFailure): void {
    this.#file.write(`${this.#failures === 0 ? "" : ","}\n  ${JSON.stringify(failure)}`);
    this.#failures++;
  }

  /** Never throws; `finish` reports an error in writing it. */
  addDifference(difference: ReportedDifference): void {
    this.#file.attempt(() => {
      const isFirst = this.#differences === undefined;
      this.#differences ??= openNameless(`${this.#file.temporary}.differences`);
      writeWhole(this.#differences, `${isFirst ? "" : ","}\n  ${JSON.stringify(difference)}`);
    });
  }

  /** Drops every failure and difference, because the run starts over. */
  forgetFindings(): void {
    this.#failures = 0;
    if (this.#differences !== undefined) closeSync(this.#differences);
    this.#differences = undefined;
    this.#file.attempt(() => ftruncateSync(this.#file.descriptor));
    this.#file.write(head);
  }

  /** Removes the unfinished file of a run that ends without a report. */
  discard(): void {
    this.#file.discard();
  }

  /**
   * Completes the report and puts it in its place.
   * @throws ReportError if any part of it could not be written.
   */
  finish(report: Report): void {
    const { failures: _, differences: __, ...rest } = report;
    this.#file.write('\n],\n"differences": [');
    this.#file.attempt(() => this.#appendDifferences());
    const others = { ...rest, failuresOmitted: 0, differencesOmitted: 0 };
    this.#file.write(`\n],\n${JSON.stringify(others, null, 2).slice(2)}\n`);
    if (this.#isStdout) this.#file.attempt(() => this.#print());
    else this.#file.replace();
    this.#file.close();
  }

  #print(): void {
    for (const block of blocksOf(this.#file.descriptor)) process.stdout.write(block);
    this.discard();
  }

  #appendDifferences(): void {
    if (this.#differences === undefined) return;
    for (const block of blocksOf(this.#differences)) writeWhole(this.#file.descriptor, block);
    closeSync(this.#differences);
  }
}

/** Opens a file without a name: it disappears with the process. Throws the system's error. */
function openNameless(path: string): number {
  const descriptor = openSync(path, "wx+", 0o600);
  unlinkSync(path);
  return descriptor;
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
