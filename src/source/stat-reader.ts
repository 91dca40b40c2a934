import { access, existsSync, lstat, lstatSync, type Stats } from "node:fs";
import { errorCode } from "../model/error-code.js";
import { LatencyProbe } from "./latency-probe.js";
import { isShortage, retryWhileShort } from "./retry-while-short.js";

/** Looks at what stands at paths: one after the other where the file system answers at once, else all at a time. */
export class StatReader {
  readonly #probe: LatencyProbe;

  constructor(probe = new LatencyProbe()) {
    this.#probe = probe;
  }

  /** Whether a look waits for the file system. */
  get isSlow(): boolean {
    return this.#probe.isSlow;
  }

  /** How a path stands now; `undefined` where nothing is there, or nothing that can be looked at. */
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

  /** The same of many, in their order. */
  async statAll(paths: readonly string[]): Promise<(Stats | undefined)[]> {
    if (!this.isSlow) return paths.map((path) => this.stat(path));
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

  /** Whether something is there, of many, in their order; nothing where it cannot be looked at. */
  async existAll(paths: readonly string[]): Promise<boolean[]> {
    if (!this.isSlow) return paths.map((path) => this.#probe.time(() => existsSync(path)));
    return Promise.all(
      paths.map(
        (path) => new Promise<boolean>((resolve) => access(path, (error) => resolve(error === null))),
      ),
    );
  }
}
