import { randomBytes } from "node:crypto";
import { closeSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Written } from "../model/entry.js";
import { errorCode, SourceError } from "../model/errors.js";
import type { SessionFile } from "../model/session-file.js";
import { layouts } from "./layouts.js";

const digestLength = 20;
/** Flags of a record. */
const [scattered, renewal] = [1, 2];
/** Directory 2 bytes, layout 1, pass 1, reconnects 4, expiry 8, size 4, digest 20, sid length 1. */
const headLength = 41;
const maxSidLength = 86;
const bufferLength = 64 * 1024;

/**
 * The sessions that this run wrote, kept in a temporary file so that memory stays flat. The file is
 * unlinked at once: no other process can open it, and it is gone when this process ends.
 */
export class WrittenSessions {
  readonly #directories: readonly string[];
  readonly #descriptor: number;
  readonly #buffer = Buffer.allocUnsafe(bufferLength);
  #buffered = 0;
  #length = 0;

  /** Throws `SourceError` if it cannot create a temporary file. */
  constructor(directories: readonly string[]) {
    this.#directories = directories;
    const path = join(tmpdir(), `tele-sessions-${randomBytes(8).toString("hex")}`);
    try {
      this.#descriptor = openSync(path, "wx+", 0o600);
      unlinkSync(path);
    } catch (error) {
      throw new SourceError(`no temporary file can be made (${errorCode(error)})`);
    }
  }

  /** Throws `SourceError` if it cannot write to the temporary file. */
  add({ file, pass, reconnects, expiresAtMs, digest, bytes, renewed }: Written): void {
    if (this.#buffered + headLength + maxSidLength > bufferLength) this.#flush();
    let offset = this.#buffered;
    offset = this.#buffer.writeUInt16LE(this.#directories.indexOf(file.directory), offset);
    offset = this.#buffer.writeUInt8((file.layout === "flat" ? 0 : scattered) | (renewed ? renewal : 0), offset);
    offset = this.#buffer.writeUInt8(pass, offset);
    offset = this.#buffer.writeUInt32LE(reconnects, offset);
    offset = this.#buffer.writeDoubleLE(expiresAtMs, offset);
    offset = this.#buffer.writeUInt32LE(bytes, offset);
    this.#buffer.set(digest, offset);
    offset += digestLength;
    offset = this.#buffer.writeUInt8(file.sid.length, offset);
    this.#buffered = offset + this.#buffer.write(file.sid, offset, "latin1");
  }

  /** Everything added, in batches. Throws `SourceError` if it cannot use the temporary file. */
  *batches(batchSize: number): Generator<Written[]> {
    this.#flush();
    let batch: Written[] = [];
    for (const written of this.#records()) {
      batch.push(written);
      if (batch.length < batchSize) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  *#records(): Generator<Written> {
    let chunk = Buffer.alloc(0);
    for (let position = 0; position < this.#length; ) {
      const more = Buffer.allocUnsafe(Math.min(bufferLength, this.#length - position));
      position += this.#attempt(() => readSync(this.#descriptor, more, 0, more.length, position));
      chunk = Buffer.concat([chunk, more]);
      let offset = 0;
      for (let end = endOf(chunk, offset); end <= chunk.length; end = endOf(chunk, offset)) {
        yield this.#recordAt(chunk, offset);
        offset = end;
      }
      chunk = chunk.subarray(offset);
    }
  }

  #recordAt(chunk: Buffer, offset: number): Written {
    const flags = chunk.readUInt8(offset + 2);
    const layout = flags & scattered ? "scattered" : "flat";
    const sid = chunk.toString("latin1", offset + headLength, endOf(chunk, offset));
    const directory = this.#directories[chunk.readUInt16LE(offset)] ?? "";
    const name = layouts[layout].nameOf(sid) ?? "";
    const file: SessionFile = { directory, name, layout, sid };
    return {
      file,
      pass: chunk.readUInt8(offset + 3),
      reconnects: chunk.readUInt32LE(offset + 4),
      expiresAtMs: chunk.readDoubleLE(offset + 8),
      bytes: chunk.readUInt32LE(offset + 16),
      renewed: (flags & renewal) !== 0,
      digest: chunk.subarray(offset + 20, offset + 20 + digestLength),
    };
  }

  #flush(): void {
    for (let written = 0; written < this.#buffered; ) {
      written += this.#attempt(() =>
        writeSync(this.#descriptor, this.#buffer, written, this.#buffered - written, this.#length + written),
      );
    }
    this.#length += this.#buffered;
    this.#buffered = 0;
  }

  #attempt<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (error) {
      throw new SourceError(`a temporary file cannot be used (${errorCode(error)})`);
    }
  }
}

/** Where the record that begins at `offset` ends; after the chunk if the record is incomplete. */
function endOf(chunk: Buffer, offset: number): number {
  if (offset + headLength > chunk.length) return Number.POSITIVE_INFINITY;
  return offset + headLength + chunk.readUInt8(offset + headLength - 1);
}
