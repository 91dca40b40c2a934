import type { PythonSplitText, SplitText } from "./python-value.js";

/** Builds text in two bytes per unit; a growing string would take many times its size. */
export class TextUnits {
  /** Where a high surrogate was followed by a low one that came as a character of its own. */
  readonly #splits: number[] = [];
  readonly #units: Buffer;
  #length = 0;
  #isHighBefore = false;

  /** Makes room for `maxUnits` UTF-16 units. */
  constructor(maxUnits: number) {
    this.#units = Buffer.allocUnsafe(2 * maxUnits);
  }

  /** Adds a UTF-16 unit as it is. */
  addUnit(unit: number): void {
    this.#length = this.#units.writeUInt16LE(unit, this.#length);
  }

  /** Adds a character; a surrogate counts as one. */
  addPoint(point: number): void {
    if (point > 0xffff) {
      this.addUnit(0xd800 + ((point - 0x10000) >> 10));
      this.addUnit(0xdc00 + ((point - 0x10000) & 0x3ff));
      this.#isHighBefore = false;
      return;
    }
    if (this.#isHighBefore && point >= 0xdc00 && point <= 0xdfff) this.#splits.push(this.#length / 2);
    this.#isHighBefore = point >= 0xd800 && point <= 0xdbff;
    this.addUnit(point);
  }

  text(): string {
    return this.#units.toString("utf16le", 0, this.#length);
  }

  /** The text, as a split text if a string would join two of its surrogates to one character. */
  finish(splitText: SplitText): string | PythonSplitText {
    return this.#splits.length > 0 ? splitText(this.text(), this.#splits) : this.text();
  }
}
