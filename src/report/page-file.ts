import { SettingsError } from "../model/errors.js";
import type { Difference, Failure } from "../model/outcome.js";
import { reportedDifference, reportedFailure } from "./build-report.js";
import { listOnly, maxOnPage } from "./listed-findings.js";
import { NewFile } from "./new-file.js";
import { toStdout } from "./report-file.js";
import type { Report } from "./schema/report-schema.js";

/** The file of `--html`, and the findings that it lists. */
export class PageFile {
  readonly #file: NewFile;
  /** The suspicious ones come first and take the places of others. */
  #failures: Failure[] = [];
  #suspicious = 0;
  #differences: Difference[] = [];

  /** @throws SettingsError if no file can be created there. */
  constructor(path: string) {
    if (path === toStdout) {
      throw new SettingsError("--html: - is no file; --html takes the path of one, and --report - is stdout");
    }
    this.#file = new NewFile({ flag: "--html", path });
  }

  addFailure(failure: Failure): void {
    if (failure.suspicious === true) this.#failures.splice(this.#suspicious++, 0, failure);
    else if (this.#failures.length < maxOnPage) this.#failures.push(failure);
    if (this.#failures.length > maxOnPage) this.#failures.pop();
  }

  addDifference(difference: Difference): void {
    if (this.#differences.length < maxOnPage) this.#differences.push(difference);
  }

  /** Drops every failure and difference, because the run starts over. */
  forgetFindings(): void {
    this.#failures = [];
    this.#suspicious = 0;
    this.#differences = [];
  }

  /** Removes the unfinished file of a run that ends without a page. */
  discard(): void {
    this.#file.discard();
  }

  /** The report with the findings that the page lists. */
  withFindings(report: Report): Report {
    return listOnly(report, {
      failures: this.#failures.map((failure) => reportedFailure(failure, false)),
      differences: this.#differences.map((difference) => reportedDifference(difference, false)),
    });
  }

  /** @throws ReportError if the page could not be written. */
  finish(page: string): void {
    this.#file.finish(page);
  }
}
