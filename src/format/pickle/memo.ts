import type { PythonValue } from "../python-value.js";

/** What a pickle has remembered, by number. Picklers count from 0; any other number costs no more memory than its value. */
export class Memo {
  readonly #dense: PythonValue[] = [];
  /** Absent until a number is left out. */
  #sparse: Map<number | bigint, PythonValue> | undefined;

  get size(): number {
    return this.#dense.length + (this.#sparse?.size ?? 0);
  }

  /** `undefined` where nothing has that number. */
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
