import { NewFile } from "./new-file.js";

/**
 * The file of `--metrics-file`. Others, such as node_exporter, may read it; it takes its place in
 * one step, so nobody reads half of it.
 */
export class MetricsFile {
  readonly #file: NewFile;

  /** @throws SettingsError if no file can be created there. */
  constructor(path: string) {
    this.#file = new NewFile({ flag: "--metrics-file", path, mode: 0o644 });
  }

  /** Removes the unfinished file. */
  discard(): void {
    this.#file.discard();
  }

  /**
   * Writes the metrics and puts the file in its place.
   * @throws ReportError if it could not be written.
   */
  finish(text: string): void {
    this.#file.write(text);
    this.#file.replace();
    this.#file.close();
  }
}
