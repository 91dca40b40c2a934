import { closeSync, constants, fstatSync, lstat, open, read } from "node:fs";
import { promisify } from "node:util";
import type { FileStamp, SessionFile } from "../model/session-file.js";
import { errorCode } from "./error-code.js";
import { type Reading, readSessionFile } from "./read-session-file.js";
import { isSuperseded, otherPlacesOf } from "./session-places.js";

const openSoon = promisify(open);
const readSoon = promisify(read);
const lookSoon = promisify(lstat);

/** Never blocks on a pipe, never follows a symlink in the last place. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Reads that are timed together. */
const readsTimed = 64;
/** Reading at once costs less up to here, and one after the other is no way beyond: milliseconds for a file. */
const slowReadMs = 0.25;
/** A larger file is read when its turn comes: so much is held for each file of a batch. */
const largestHeld = 64 * 1024;

/**
 * Reads session files: one after the other where the file system answers at once, and many at a time, before their turn comes, where each
 * waits for a network or a cold disk. Which it is, is measured while it reads.
 */
export class ReadAhead {
  readonly #directories: readonly string[];
  readonly #maxFileSize: number;
  readonly #clock: () => number;
  readonly #held = new Map<SessionFile, Reading>();
  /** Files of which no other place holds the same session. */
  readonly #alone = new Set<SessionFile>();
  #reads = 0;
  #readingMs = 0;
  #isSlow = false;

  constructor(
    directories: readonly string[],
    maxFileSize: number,
    clock: () => number = () => performance.now(),
  ) {
    this.#directories = directories;
    this.#maxFileSize = maxFileSize;
    this.#clock = clock;
  }

  /** Whether the file system was found to be slow. */
  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Reads what is worth it of a batch whose turn comes next. What goes wrong with a file shows when it is read. */
  async begin(batch: readonly SessionFile[]): Promise<void> {
    if (this.#isSlow) await Promise.all(batch.map((file) => this.#fetch(file)));
  }

  /** A session file's content, as `readSessionFile` has it. */
  read(file: SessionFile): Reading {
    const held = this.#held.get(file);
    if (held !== undefined) {
      this.#held.delete(file);
      return held;
    }
    const beganMs = this.#clock();
    const reading = readSessionFile(file, this.#maxFileSize);
    this.#time(this.#clock() - beganMs);
    if (reading.kind !== "read") this.#alone.delete(file);
    return reading;
  }

  /** As the function of that name has it. */
  isSuperseded(file: SessionFile, stamp: FileStamp): boolean {
    return !this.#alone.delete(file) && isSuperseded(file, stamp, this.#directories);
  }

  /** How files stand in their places, looked at all at a time; `undefined` where one is not there or cannot be looked at. */
  look(files: readonly SessionFile[]): Promise<(FileStamp | undefined)[]> {
    return Promise.all(files.map((file) => stampAt(`${file.directory}/${file.name}`)));
  }

  async #fetch(file: SessionFile): Promise<void> {
    const [reading, others] = await Promise.all([
      readSoonFrom(`${file.directory}/${file.name}`),
      Promise.all(otherPlacesOf(file, this.#directories).map(stampAt)),
    ]);
    if (reading !== undefined) this.#held.set(file, reading);
    if (others.every((stamp) => stamp === undefined)) this.#alone.add(file);
  }

  #time(milliseconds: number): void {
    this.#reads++;
    this.#readingMs += milliseconds;
    if (this.#reads < readsTimed) return;
    this.#isSlow ||= this.#readingMs / this.#reads > slowReadMs;
    this.#reads = 0;
    this.#readingMs = 0;
  }
}

/** A small regular file that was not changed while it was read; `undefined` for everything else, which is read again in its turn. */
async function readSoonFrom(path: string): Promise<Reading | undefined> {
  const openedAtMs = Date.now();
  try {
    const descriptor = await openSoon(path, openFlags);
    // Opening and reading wait for the file system; what is asked of an open file, and closing it, do not.
    try {
      const before = fstatSync(descriptor);
      if (!before.isFile() || before.size === 0 || before.size > largestHeld) return undefined;
      const buffer = Buffer.allocUnsafe(before.size + 1);
      const { bytesRead } = await readSoon(descriptor, buffer, 0, buffer.length, 0);
      const after = fstatSync(descriptor);
      const isWhole =
        bytesRead === before.size && after.size === before.size && after.mtimeMs === before.mtimeMs;
      if (!isWhole) return undefined;
      const bytes = buffer.subarray(0, bytesRead);
      return { kind: "read", read: { bytes, mtimeMs: before.mtimeMs, openedAtMs }, stamp: before };
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}

async function stampAt(path: string): Promise<FileStamp | undefined> {
  try {
    return await lookSoon(path);
  } catch (error) {
    errorCode(error);
    return undefined;
  }
}
