import type { LifetimeOrigin } from "../../convert/lifetime.js";
import { numberText } from "../../model/number-text.js";
import type { SessionOutcome } from "../../model/outcome.js";
import type { SessionFile } from "../../model/session-file.js";
import { encodePart, protocolText } from "../../redis/encode-command.js";
import { sha1 } from "../../redis/sha1.js";
import { entryMemory } from "../memory-need.js";
import type { Prepared } from "../prepare-session.js";

/** Sessions as plain data that crosses threads without being copied. */
export interface EncodedTable {
  readonly commands: ArrayBuffer;
  readonly length: number;
  readonly count: number;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly digests: Uint8Array<ArrayBuffer>;
  readonly memory: number;
}

/** Columns of a row. */
const column = {
  place: 0,
  valueStart: 1,
  valueLength: 2,
  expiresAtMs: 3,
  mtimeMs: 4,
  ctimeMs: 5,
  fullLifetimeMs: 6,
  bytesRead: 7,
  flags: 8,
  memory: 9,
  start: 10,
} as const;
const columns = 11;
const digestLength = 20;
const flag = { json: 1, authenticated: 2, lossy: 4 } as const;
const origins: readonly LifetimeOrigin[] = ["own", "authenticated", "anonymous"];
const originShift = 3;
const lineEnd = "\r\n";
/** SET key value NX PXAT instant. */
const create = `*6${lineEnd}${encodePart("SET")}`;
const createOptions = encodePart("NX") + encodePart("PXAT");
/** More than this is not sent to Redis at a time, bytes. */
export const maxCommandBytes = 1024 * 1024;

/** Sessions that can be sent as they are: finished SET commands, and a row of numbers for each. */
export class EncodedSessions {
  #commands: Buffer<ArrayBuffer>;
  #length = 0;
  #count = 0;
  #memory = 0;
  readonly #numbers: Float64Array<ArrayBuffer>;
  readonly #digests: Buffer<ArrayBuffer>;

  private constructor(commands: ArrayBuffer, numbers: Float64Array<ArrayBuffer>, digests: Uint8Array<ArrayBuffer>) {
    this.#commands = Buffer.from(commands);
    this.#numbers = numbers;
    this.#digests = Buffer.from(digests.buffer);
  }

  /**
   * `room`: where the commands go. A larger buffer takes its place if they need one. `hashes`:
   * whether `digest` will be asked.
   */
  static empty(room: ArrayBuffer, capacity: number, hashes: boolean): EncodedSessions {
    const numbers = new Float64Array(capacity * columns);
    return new EncodedSessions(room, numbers, new Uint8Array(hashes ? capacity * digestLength : 0));
  }

  static of(table: EncodedTable): EncodedSessions {
    const sessions = new EncodedSessions(table.commands, table.numbers, table.digests);
    sessions.#length = table.length;
    sessions.#count = table.count;
    sessions.#memory = table.memory;
    return sessions;
  }

  get table(): EncodedTable {
    return {
      commands: this.#commands.buffer,
      length: this.#length,
      count: this.#count,
      numbers: this.#numbers,
      digests: this.#digests,
      memory: this.#memory,
    };
  }

  get count(): number {
    return this.#count;
  }

  /** The commands, one after the other. */
  get commands(): Buffer {
    return this.#commands.subarray(0, this.#length);
  }

  /** One of the commands. */
  readonly commandAt = (row: number): Buffer => {
    const end = row + 1 < this.#count ? this.#number(row + 1, column.start) : this.#length;
    return this.#commands.subarray(this.#number(row, column.start), end);
  };

  /** Bytes of Redis memory that the entries take, about. */
  get memory(): number {
    return this.#memory;
  }

  /** Bytes of Redis memory that one entry takes, about. */
  memoryAt(row: number): number {
    return this.#number(row, column.memory);
  }

  /** When the first of them expires, milliseconds since the epoch. */
  get soonestMs(): number {
    let soonestMs = Number.POSITIVE_INFINITY;
    for (let row = 0; row < this.#count; row++) soonestMs = Math.min(soonestMs, this.expiresAtMs(row));
    return soonestMs;
  }

  /** Adds a session; `place`: of its file in the batch. */
  add(place: number, { candidate, stamp, outcome, lifetimeOrigin }: Prepared, clockLeadMs: number): void {
    const { key, value, expiresAtMs } = candidate.entry;
    const options = createOptions + encodePart(numberText(expiresAtMs + clockLeadMs));
    const text = `${create}${encodePart(protocolText(key))}${encodePart(value)}${options}`;
    const valueEnd = text.length - options.length - lineEnd.length;
    this.#reserve(text.length);
    const row = this.#count * columns;
    const numbers = this.#numbers;
    numbers[row + column.place] = place;
    numbers[row + column.start] = this.#length;
    numbers[row + column.valueStart] = this.#length + valueEnd - value.length;
    numbers[row + column.valueLength] = value.length;
    numbers[row + column.expiresAtMs] = expiresAtMs;
    numbers[row + column.mtimeMs] = candidate.mtimeMs;
    numbers[row + column.ctimeMs] = stamp.ctimeMs;
    numbers[row + column.fullLifetimeMs] = candidate.fullLifetimeMs;
    numbers[row + column.bytesRead] = outcome.bytesRead;
    numbers[row + column.flags] =
      (outcome.format === "json" ? flag.json : 0) |
      (outcome.facts?.authenticated === true ? flag.authenticated : 0) |
      (outcome.facts?.lossy === true ? flag.lossy : 0) |
      (origins.indexOf(lifetimeOrigin) << originShift);
    if (this.#digests.length > 0) this.#digests.write(sha1(value), this.#count * digestLength, "hex");
    this.#length += this.#commands.write(text, this.#length, "latin1");
    numbers[row + column.memory] = entryMemory(key, value);
    this.#memory += this.memoryAt(this.#count);
    this.#count++;
  }

  place(row: number): number {
    return this.#number(row, column.place);
  }

  expiresAtMs(row: number): number {
    return this.#number(row, column.expiresAtMs);
  }

  valueLength(row: number): number {
    return this.#number(row, column.valueLength);
  }

  /** Whether these are the bytes of the value. */
  holds(row: number, value: Buffer): boolean {
    const start = this.#number(row, column.valueStart);
    const length = this.valueLength(row);
    return value.length === length && this.#commands.compare(value, 0, length, start, start + length) === 0;
  }

  fullLifetimeMs(row: number): number {
    return this.#number(row, column.fullLifetimeMs);
  }

  /** The times of the file. */
  stampAt(row: number): Prepared["stamp"] {
    return { mtimeMs: this.#number(row, column.mtimeMs), ctimeMs: this.#number(row, column.ctimeMs) };
  }

  /** SHA-1 of the value; empty if none was asked for. */
  digest(row: number): Uint8Array {
    return this.#digests.subarray(row * digestLength, (row + 1) * digestLength);
  }

  /** The session as an object. */
  preparedAt(row: number, file: SessionFile, key: string): Prepared {
    const start = this.#number(row, column.valueStart);
    const value = this.#commands.toString("latin1", start, start + this.valueLength(row));
    const stamp = this.stampAt(row);
    const entry = { key, value, expiresAtMs: this.expiresAtMs(row) };
    return {
      file,
      stamp,
      candidate: { entry, mtimeMs: stamp.mtimeMs, fullLifetimeMs: this.fullLifetimeMs(row) },
      lifetimeOrigin: origins[this.#number(row, column.flags) >> originShift] ?? "own",
      outcome: this.outcomeAt(row, file.sid),
    };
  }

  /** The session's outcome. `copied` stands in until it is written. */
  outcomeAt(row: number, sid: string, kind: "copied" | "equal" = "copied"): SessionOutcome {
    const flags = this.#number(row, column.flags);
    return {
      sid,
      kind,
      format: flags & flag.json ? "json" : "pickle",
      facts: { authenticated: (flags & flag.authenticated) !== 0, lossy: (flags & flag.lossy) !== 0 },
      mtimeMs: this.#number(row, column.mtimeMs),
      expiresAtMs: this.expiresAtMs(row),
      bytesRead: this.#number(row, column.bytesRead),
      bytesWritten: kind === "copied" ? this.valueLength(row) : 0,
    };
  }

  #number(row: number, at: number): number {
    return this.#numbers[row * columns + at] ?? 0;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#commands.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(2 * this.#commands.length, this.#length + bytes)));
    this.#commands.copy(larger, 0, 0, this.#length);
    this.#commands = larger;
  }
}
