import type { PythonValue } from "../python-value.js";

/**
 * The values that a pickle has remembered, by number. Picklers count from 0, so an array holds
 * them: a map alone would cost a quarter of the reading. Numbers after a gap go to a map, so that a
 * hostile one costs no memory.
 */
export class Memo {
  readonly #dense: PythonValue[] = [];
  /** Absent until there is a gap. */
  #sparse: Map<number | bigint, PythonValue> | undefined;

  get size(): number {
    return this.#dense.length + (this.#sparse?.size ?? 0);
  }

  /** Returns `undefined` if nothing has that number. */
  get(index: number | bigint): PythonValue | undefined {
    const value = typeof index === "number" ? this.#dense[index] : undefined;
    return value === undefined ? this.#sparse?.get(index) : value;
  }

  set(index: number | bigint, value: PythonValue): void {
    if (typeof index === "number" && index < this.#dense.length) this.#dense[index] = value;
    else if (index === this.#dense.length) {
      this.#dense.push(value);
      this.#sparse?.delete(index);
    } else {
      this.#sparse ??= new Map();
      this.#sparse.set(index, value);
    }
  }
}
