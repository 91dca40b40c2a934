import type { Conversion } from "../convert/convert-session.js";
import type { MissingSession } from "../convert/missing-key.js";
import type { ReadSession, SessionFile } from "../model/session-file.js";
import type { KeyCounts } from "../redis/server/server-state.js";
import type { Reading } from "../source/read-session-file.js";

/** What an estimate works with. */
export interface EstimateParts {
  readonly batches: Iterable<readonly SessionFile[]>;
  /** Begins to read a batch. */
  readonly ahead: (batch: readonly SessionFile[]) => Promise<void>;
  readonly read: (file: SessionFile) => Reading;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  /** Which of the keys exist already: they take no further memory. */
  readonly exist: (keys: readonly string[]) => Promise<readonly boolean[]>;
  /** Whether a session whose key is missing may have ended, so that it is not written. */
  readonly isEnded: (file: SessionFile, session: MissingSession) => boolean;
  /** How many keys Redis holds already: they decide when its hash tables grow. */
  readonly stored: KeyCounts;
  /** Gives the event loop its turn; tells whether to go on. */
  readonly turn: () => Promise<boolean>;
}

/** Bytes of Redis memory that a copy would add. */
export interface MemoryNeed {
  /** Session files that the listing saw. */
  readonly listed: number;
  /** The best estimate. */
  readonly bytes: number;
  /** With the largest of the sample counted once each, as if no other file were as large. */
  readonly atLeast: number;
  /** With the largest of the sample standing for as many others as each of the rest does. */
  readonly atMost: number;
}

const maxSampled = 2000;
const readAtATime = 128;
/** Of the sample: the largest of it, which may be rare. */
const largestShare = 0.01;
/** Of the bytes of the sample: if its largest hold more, they count as rare. */
const rareShare = 0.1;

const objectBytes = 16;
const dictEntryBytes = 24;
const slotBytes = 8;
/**
 * Slots of both tables for one key: a table has one to two slots for each, as it has just grown or
 * soon will.
 */
const slotsPerEntry = 3;
/** Redis keeps a value up to this length in one piece with its object [redis/src/object.c]. */
const maxEmbedded = 44;

/** Bytes of Redis memory that an entry takes, with its part of the hash tables, about. */
export function entryMemory(key: string, value: string): number {
  return ownMemory(key, value) + slotsPerEntry * slotBytes;
}

/** What an entry takes besides the hash tables: value, key, and an entry in each of both tables. */
function ownMemory(key: string, value: string): number {
  const ofValue =
    value.length <= maxEmbedded
      ? allocated(objectBytes + textBytes(value.length))
      : allocated(objectBytes) + allocated(textBytes(value.length));
  return ofValue + allocated(textBytes(key.length)) + 2 * allocated(dictEntryBytes);
}

/** A text in Redis: header, characters, a zero [redis/src/sds.h]. */
function textBytes(length: number): number {
  const header = length < 32 ? 1 : length < 256 ? 3 : length < 65_536 ? 5 : 9;
  return header + length + 1;
}

/**
 * Rounds bytes up to a size class of jemalloc: multiples of 16 up to 64, then four classes for each
 * power of two.
 */
function allocated(bytes: number): number {
  const step = Math.max(16, 2 ** (Math.floor(Math.log2(bytes - 1)) - 2));
  return Math.ceil(bytes / step) * step;
}

/**
 * Bytes of a hash table with this many keys. Its number of slots is a power of two
 * [redis/src/dict.c].
 */
function tableBytes(keys: number): number {
  return keys === 0 ? 0 : slotBytes * 2 ** Math.max(2, Math.ceil(Math.log2(keys)));
}

/**
 * Lists the session files and estimates what they would add, from a sample spread evenly over the
 * listing.
 */
export async function estimateMemoryNeed(parts: EstimateParts): Promise<MemoryNeed> {
  const { listed, sample } = await drawSample(parts);
  const sizes: number[] = [];
  for (let from = 0; from < sample.length; from += readAtATime) {
    sizes.push(...(await sizesOf(sample.slice(from, from + readAtATime), parts)));
    if (!(await parts.turn())) break;
  }
  if (sizes.length === 0) return { listed, bytes: 0, atLeast: 0, atMost: 0 };
  const factor = listed / sample.length;
  const tables = tableGrowth(parts.stored, Math.round(sizes.length * factor));
  const sum = sumOf(sizes);
  const largest = sumOf(
    sizes.sort((one, other) => other - one).slice(0, Math.ceil(sample.length * largestShare)),
  );
  const atLeast = Math.ceil(tables + (sum - largest) * factor + largest);
  const atMost = Math.ceil(tables + sum * factor);
  return { listed, bytes: largest > sum * rareShare ? atLeast : atMost, atLeast, atMost };
}

function sumOf(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Bytes by which the tables of keys and of lifetimes grow if this many keys are added. */
function tableGrowth({ keys, expiring }: KeyCounts, added: number): number {
  return [keys, expiring].reduce(
    (growth, stored) => growth + tableBytes(stored + added) - tableBytes(stored),
    0,
  );
}

/**
 * Counts the files and keeps some, each with the same probability; a fixed seed makes it
 * repeatable.
 */
async function drawSample({ batches, turn }: EstimateParts) {
  const sample: SessionFile[] = [];
  let listed = 0;
  let seed = 1;
  for (const batch of batches) {
    for (const file of batch) {
      listed++;
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      const place = listed <= maxSampled ? listed - 1 : Math.floor((seed / 2 ** 32) * listed);
      if (place < maxSampled) sample[place] = file;
    }
    if (!(await turn())) break;
  }
  return { listed, sample };
}

/** What each of these files would add; those that add nothing are left out. */
async function sizesOf(files: readonly SessionFile[], parts: EstimateParts): Promise<number[]> {
  await parts.ahead(files);
  const added = files.flatMap((file) => {
    const reading = parts.read(file);
    if (reading.kind !== "read") return [];
    const conversion = parts.convert(reading.read, file.sid);
    if (conversion.kind !== "entry") return [];
    const { key, value } = conversion.entry;
    const isEnded = parts.isEnded(file, { ...conversion, stamp: reading.stamp });
    return [{ key, bytes: ownMemory(key, value), isEnded }];
  });
  const exist = await parts.exist(added.map(({ key }) => key));
  return added.flatMap(({ bytes, isEnded }, index) => (isEnded || exist[index] === true ? [] : [bytes]));
}
