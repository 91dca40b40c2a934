import { access, existsSync, lstat, lstatSync, type Stats } from "node:fs";
import { errorCode } from "../model/errors.js";
import { LatencyProbe } from "./latency-probe.js";
import { isShortage, retryWhileShort } from "./retry-while-short.js";

/** Stats paths: one after the other if the file system is fast, else all at the same time. */
export class StatReader {
  readonly #probe: LatencyProbe;

  constructor(probe = new LatencyProbe()) {
    this.#probe = probe;
  }

  /** Whether a stat waits for a network or a cold disk. */
  get isSlow(): boolean {
    return this.#probe.isSlow;
  }

  /** Does not follow a symlink. `undefined` if nothing is there, or it cannot be statted. */
  stat(path: string): Stats | undefined {
    return this.#probe.time(() => {
      try {
        return retryWhileShort(() => lstatSync(path, { throwIfNoEntry: false }));
      } catch (error) {
        errorCode(error);
        return undefined;
      }
    });
  }

  /** Stats many paths, in order. */
  async statAll(paths: readonly string[]): Promise<(Stats | undefined)[]> {
    if (!this.isSlow) return paths.map((path) => this.stat(path));
    this.#probe.pass(paths.length);
    return Promise.all(
      paths.map(
        (path) =>
          new Promise<Stats | undefined>((resolve) =>
            lstat(path, (error, stats) => {
              if (isShortage(error)) resolve(this.stat(path));
              else resolve(error === null ? stats : undefined);
            }),
          ),
      ),
    );
  }

  /** Whether each path exists, in order. A path that cannot be accessed counts as missing. */
  async existAll(paths: readonly string[]): Promise<boolean[]> {
    if (!this.isSlow) return paths.map((path) => this.#probe.time(() => existsSync(path)));
    this.#probe.pass(paths.length);
    return Promise.all(
      paths.map((path) => new Promise<boolean>((resolve) => access(path, (error) => resolve(error === null)))),
    );
  }
}
