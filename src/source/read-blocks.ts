import { readSync } from "node:fs";
import { errorCode } from "../model/errors.js";

/** Bytes. A block is freed with the last file content in it. */
const blockLength = 64 * 1024;
/** The least room, in bytes, that a block offers a file. */
const minRoom = 8 * 1024;

/** Reads small files into shared blocks, because a buffer each takes longer than the reading. */
export class ReadBlocks {
  #block = Buffer.alloc(0);
  #used = 0;

  /** A small open file's content; `undefined` if it is empty, too large or unreadable. */
  read(descriptor: number): Buffer | undefined {
    if (this.#block.length - this.#used < minRoom) {
      this.#block = Buffer.allocUnsafeSlow(blockLength);
      this.#used = 0;
    }
    const start = this.#used;
    const room = this.#block.length - start;
    try {
      const count = readSync(descriptor, this.#block, start, room, 0);
      if (count === 0 || count === room) return undefined;
      this.#used = start + count;
      return this.#block.subarray(start, start + count);
    } catch (error) {
      errorCode(error);
      return undefined;
    }
  }
}
