import { access, existsSync, lstat, lstatSync, type Stats } from "node:fs";
import { errorCode } from "../model/error-code.js";
import { isShortage, retryWhileShort } from "./retry-while-short.js";
import { WaitGauge } from "./wait-gauge.js";

/** Looks at what stands at paths: one after the other where the file system answers at once, else all at a time. */
export class Looks {
  readonly #gauge: WaitGauge;

  constructor(gauge = new WaitGauge()) {
    this.#gauge = gauge;
  }

  /** Whether a look waits for the file system. */
  get wait(): boolean {
    return this.#gauge.waits;
  }

  /** How a path stands now; `undefined` where nothing is there, or nothing that can be looked at. */
  stampOf(path: string): Stats | undefined {
    return this.#gauge.time(() => {
      try {
        return retryWhileShort(() => lstatSync(path, { throwIfNoEntry: false }));
      } catch (error) {
        errorCode(error);
        return undefined;
      }
    });
  }

  /** The same of many, in their order. */
  async stampsOf(paths: readonly string[]): Promise<(Stats | undefined)[]> {
    if (!this.wait) return paths.map((path) => this.stampOf(path));
    return Promise.all(
      paths.map(
        (path) =>
          new Promise<Stats | undefined>((resolve) =>
            lstat(path, (error, stats) => {
              if (isShortage(error)) resolve(this.stampOf(path));
              else resolve(error === null ? stats : undefined);
            }),
          ),
      ),
    );
  }

  /** Whether something is there, of many, in their order; nothing where it cannot be looked at. */
  async exist(paths: readonly string[]): Promise<boolean[]> {
    if (!this.wait) return paths.map((path) => this.#gauge.time(() => existsSync(path)));
    return Promise.all(
      paths.map(
        (path) => new Promise<boolean>((resolve) => access(path, (error) => resolve(error === null))),
      ),
    );
  }
}
