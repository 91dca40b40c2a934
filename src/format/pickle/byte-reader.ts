import { DecodeError } from "../decode-error.js";

/** Reads a pickle's bytes in order and checks its frames as CPython does. */
export class ByteReader {
  readonly bytes: Buffer;
  at = 0;
  /** Where the current frame ends, or the file outside of frames. */
  #limit: number;
  #inFrame = false;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.#limit = bytes.length;
  }

  /** Moves on by `length` bytes, returns where they begin. Throws `DecodeError` if too few. */
  take(length: number): number {
    const start = this.at;
    if (start + length > this.#limit) this.#leaveFrame(length);
    this.at = start + length;
    return start;
  }

  byte(): number {
    return this.bytes[this.take(1)] ?? 0;
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  /** An 8-byte length. Throws `DecodeError` for more than the file can hold. */
  length8(): number {
    const length = this.#eightByteLength();
    if (length > this.bytes.length) throw this.#truncated();
    return length;
  }

  /** A line without its end, as latin1. Throws `DecodeError` if no line ends. */
  line(): string {
    if (this.at === this.#limit) this.#leaveFrame(1);
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw this.#truncated();
    if (end >= this.#limit) throw new DecodeError("corrupt", "a frame that ends within a value", this.at);
    const line = this.bytes.toString("latin1", this.at, end);
    this.at = end + 1;
    return line;
  }

  /** Reads a frame's length and enters it. Throws `DecodeError` if the file ends before it. */
  enterFrame(): void {
    const length = this.#eightByteLength();
    if (this.#inFrame && this.at < this.#limit) throw new DecodeError("corrupt", "a frame within a frame", this.at);
    if (this.at + length > this.bytes.length) throw new DecodeError("corrupt", "a frame longer than the file", this.at);
    this.#limit = this.at + length;
    this.#inFrame = true;
  }

  #eightByteLength(): number {
    const start = this.take(8);
    return this.bytes.readUInt32LE(start + 4) * 2 ** 32 + this.bytes.readUInt32LE(start);
  }

  #leaveFrame(length: number): void {
    if (this.#inFrame && this.at !== this.#limit && this.#limit < this.bytes.length) {
      throw new DecodeError("corrupt", "a frame that ends within a value", this.at);
    }
    this.#limit = this.bytes.length;
    this.#inFrame = false;
    if (this.at + length > this.#limit) throw this.#truncated();
  }

  #truncated(): DecodeError {
    return new DecodeError("corrupt", "truncated", this.bytes.length);
  }
}
