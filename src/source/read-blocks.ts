import { readSync } from "node:fs";
import { errorCode } from "../model/error-code.js";

/** Bytes. A block is gone with the last content that lies in it. */
const blockLength = 64 * 1024;
/** Room that a file is offered. */
const minRoom = 8 * 1024;

/** Where small files are read to, one behind the other: a buffer for each would cost more than the reading. */
export class ReadBlocks {
  #block = Buffer.alloc(0);
  #used = 0;

  /** What an open file holds, where that is a little; else, and where it cannot be read, `undefined`. */
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
