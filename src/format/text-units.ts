/**
 * Text that is put together character by character, in two bytes for each and no more: a string that grows so would take many times
 * its size.
 */
export class TextUnits {
  /** Where a low surrogate came as a character of its own behind a high one. */
  readonly splits: number[] = [];
  readonly #units: Buffer;
  #length = 0;
  #highBefore = false;

  /** `most` is the number of UTF-16 units that there is room for. */
  constructor(most: number) {
    this.#units = Buffer.allocUnsafe(2 * most);
  }

  /** Adds a UTF-16 unit as it is. */
  addUnit(unit: number): void {
    this.#length = this.#units.writeUInt16LE(unit, this.#length);
  }

  /** Adds a character; a surrogate is one of its own. */
  addPoint(point: number): void {
    if (point > 0xffff) {
      this.addUnit(0xd800 + ((point - 0x10000) >> 10));
      this.addUnit(0xdc00 + ((point - 0x10000) & 0x3ff));
      this.#highBefore = false;
      return;
    }
    if (this.#highBefore && point >= 0xdc00 && point <= 0xdfff) this.splits.push(this.#length / 2);
    this.#highBefore = point >= 0xd800 && point <= 0xdbff;
    this.addUnit(point);
  }

  text(): string {
    return this.#units.toString("utf16le", 0, this.#length);
  }
}
