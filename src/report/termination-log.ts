import { closeSync, constants, fstatSync, ftruncateSync, openSync } from "node:fs";
import { ReportError, SettingsError, systemReason } from "../model/errors.js";
import { showablePath } from "../model/showable.js";
import { writeWhole } from "./new-file.js";

/** Kubernetes keeps no more of it. */
export const maxTerminationBytes = 4096;

/**
 * The file of `--termination-log`, which Kubernetes shows as the reason that a container ended. It
 * is mounted, so it is written in place: nothing can be renamed over it.
 */
export class TerminationLog {
  readonly #path: string;
  readonly #descriptor: number;

  /**
   * Empties the file; what it held is of an earlier run.
   * @throws SettingsError if it cannot be opened for writing.
   */
  constructor(path: string) {
    this.#path = path;
    const { O_WRONLY, O_CREAT, O_NONBLOCK } = constants;
    try {
      // Opening a pipe that nobody reads would wait for ever.
      this.#descriptor = openSync(path, O_WRONLY | O_CREAT | O_NONBLOCK, 0o644);
      if (fstatSync(this.#descriptor).isFile()) ftruncateSync(this.#descriptor);
    } catch (error) {
      throw new SettingsError(`--termination-log: ${showablePath(path)} cannot be written: ${systemReason(error)}`);
    }
  }

  /** @throws ReportError if it could not be written. */
  finish(text: string): void {
    try {
      writeWhole(this.#descriptor, text);
      closeSync(this.#descriptor);
    } catch (error) {
      throw new ReportError(
        `the termination log ${showablePath(this.#path)} could not be written: ${systemReason(error)}`,
      );
    }
  }
}

/** What a run said at its end. */
export interface ClosingWords {
  /** Each a whole message. */
  readonly errors: readonly string[];
  /** Empty if there is nothing to sum up. */
  readonly summary: string;
  /** What mends what it found; absent if nothing does. */
  readonly mend?: string;
  /** What to do next, or why it ended. */
  readonly end: string;
}

/**
 * The closing words for a termination log, the most important first, cut at the end of a line: if
 * the run did not end well, why; then its errors, the summary and the warnings.
 */
export function terminationText(
  { errors, summary, mend = "", end }: ClosingWords,
  warnings: readonly string[],
  exitCode: number,
): string {
  const parts = [
    ...(exitCode === 0 ? [] : [end]),
    ...errors.map((error) => `error: ${error}`),
    summary,
    mend,
    ...(exitCode === 0 ? [end] : []),
    ...warnings.map((warning) => `warning: ${warning}`),
  ];
  const lines = parts.flatMap((part) => part.trimEnd().split("\n")).filter((line) => line !== "");
  let text = "";
  for (const line of lines) {
    const next = `${text}${line}\n`;
    if (Buffer.byteLength(next) > maxTerminationBytes) break;
    text = next;
  }
  return text === "" ? cutToBytes(lines[0] ?? "") : text;
}

/** The start of a line that is longer than all of it may be. */
function cutToBytes(line: string): string {
  const bytes = Buffer.from(line).subarray(0, maxTerminationBytes - 1);
  // A character that is cut in half ends as U+FFFD.
  return `${bytes.toString("utf8").replace(/\ufffd$/, "")}\n`;
}
