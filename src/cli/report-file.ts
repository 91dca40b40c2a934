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
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ReportError, SettingsError } from "../model/errors.js";
import type { ReportedFailure } from "../model/report.js";
import { showablePath } from "../model/showable.js";
import { errorCode } from "../source/error-code.js";
import type { RunReport } from "./build-report.js";

/** As a path, stdout. */
const toStdout = "-";
const head = '{"failures": [';

/**
 * The file of `--report`: the report with every failure, each written as it happens, so that memory stays flat when all fail. It grows
 * under another name beside the path and takes the path's place when it is whole.
 */
export class ReportFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #descriptor: number;
  #failures = 0;
  #error: ReportError | undefined;

  /** Throws `SettingsError` where no file can be made there. */
  constructor(path: string) {
    this.#path = path;
    const name = `.tele-sessions-report-${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
    this.#temporary = join(path === toStdout ? tmpdir() : dirname(path), name);
    try {
      const there = path === toStdout ? undefined : statSync(path, { throwIfNoEntry: false });
      if (there !== undefined && !there.isFile())
        throw new SettingsError(`--report: ${showablePath(path)} is no file`);
      this.#descriptor = openSync(this.#temporary, "ax+", 0o600);
    } catch (error) {
      if (error instanceof SettingsError) throw error;
      throw new SettingsError(`--report: ${showablePath(path)} cannot be written (${errorCode(error)})`);
    }
    this.#write(head);
  }

  /** Never throws: what could not be written is told by `finish`. */
  addFailure(failure: ReportedFailure): void {
    this.#write(`${this.#failures === 0 ? "" : ","}\n  ${JSON.stringify(failure)}`);
    this.#failures++;
  }

  /** Takes back every failure: the run begins again. */
  forgetFailures(): void {
    this.#failures = 0;
    this.#attempt(() => ftruncateSync(this.#descriptor));
    this.#write(head);
  }

  /** Removes what is unfinished, where a run ends without a report. */
  discard(): void {
    rmSync(this.#temporary, { force: true });
  }

  /** Puts the report in its place. Throws `ReportError` where it, or a failure before, could not be written. */
  finish(report: RunReport): void {
    const { failures: _, ...rest } = report;
    this.#write(`\n],\n${JSON.stringify({ ...rest, failuresOmitted: 0 }, null, 2).slice(2)}\n`);
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
    const block = Buffer.alloc(64 * 1024);
    let at = 0;
    for (let length = -1; length !== 0; at += length) {
      length = readSync(this.#descriptor, block, 0, block.length, at);
      if (length > 0) process.stdout.write(Buffer.from(block.subarray(0, length)));
    }
    this.discard();
  }

  #write(text: string): void {
    this.#attempt(() => {
      const bytes = Buffer.from(text);
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#descriptor, bytes, written);
    });
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
      `the report ${showablePath(this.#path)} could not be written (${errorCode(error)})`,
    );
  }
}
