import type { SessionFile } from "../model/session-file.js";
import { type PackedBatch, packBatch, unpackBatch } from "../source/packed-files.js";

const filesAtATime = 256;

/** Session files whose outcome waits until every directory was seen, packed to take little memory. */
export class DeferredFiles {
  readonly #packed: PackedBatch[] = [];
  #count = 0;

  /** How many wait. */
  get count(): number {
    return this.#count;
  }

  add(files: readonly SessionFile[]): void {
    if (files.length > 0) this.#packed.push(packBatch(files));
    this.#count += files.length;
  }

  /** Takes all of them, batch by batch. */
  *takeBatches(): Generator<readonly SessionFile[]> {
    let batch: SessionFile[] = [];
    for (const packed of this.#packed.splice(0)) {
      for (const file of unpackBatch(packed)) {
        batch.push(file);
        if (batch.length < filesAtATime) continue;
        yield this.#taken(batch);
        batch = [];
      }
    }
    if (batch.length > 0) yield this.#taken(batch);
  }

  #taken(batch: readonly SessionFile[]): readonly SessionFile[] {
    this.#count -= batch.length;
    return batch;
  }
}
