import type { Inspection } from "../model/inspection.js";
import type { KeyCounts } from "../redis/server/server-state.js";

/** A sample of the session files that a copy would read. */
export interface SampledSessions {
  /** Session files in all. */
  readonly listed: number;
  /** How many of them were read. */
  readonly sampled: number;
  /** `ownMemory` of each of those that would add a key. */
  readonly sizes: readonly number[];
}

/** Bytes of Redis memory that a copy would add. */
export interface MemoryNeed {
  /** The best estimate. */
  readonly bytes: number;
  /** With the largest of the sample counted once each, as if no other file were as large. */
  readonly atLeast: number;
  /** With the largest of the sample standing for as many others as each of the rest does. */
  readonly atMost: number;
}

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

/**
 * What a copy of all sessions would add to a Redis without other keys, in keys and bytes. `factor`:
 * how many times as many sessions there are as were inspected.
 */
export function redisNeedOf({ counts }: Pick<Inspection, "counts">, factor: number): { keys: number; bytes: number } {
  const keys = Math.round(counts.keys * factor);
  const tables = tableGrowth({ keys: 0, expiring: 0 }, keys);
  return { keys, bytes: Math.ceil(counts.ownMemory * factor + tables) };
}

/**
 * Bytes that an entry takes besides the hash tables: value, key, and an entry in each of both
 * tables.
 */
export function ownMemory(key: string, value: string): number {
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
  const step = Math.max(16, 2 ** (29 - Math.clz32(bytes - 1)));
  return Math.ceil(bytes / step) * step;
}

/**
 * Bytes of a hash table with this many keys. Its number of slots is a power of two
 * [redis/src/dict.c].
 */
function tableBytes(keys: number): number {
  return keys === 0 ? 0 : slotBytes * 2 ** Math.max(2, Math.ceil(Math.log2(keys)));
}

/** Estimates what all sessions would add. `stored`: decides when the hash tables of Redis grow. */
export function memoryNeedOf({ listed, sampled, sizes }: SampledSessions, stored: KeyCounts): MemoryNeed {
  if (sizes.length === 0) return { bytes: 0, atLeast: 0, atMost: 0 };
  const factor = listed / sampled;
  const tables = tableGrowth(stored, Math.round(sizes.length * factor));
  const sum = sumOf(sizes);
  const largest = sumOf(sizes.toSorted((one, other) => other - one).slice(0, Math.ceil(sampled * largestShare)));
  const atLeast = Math.ceil(tables + (sum - largest) * factor + largest);
  const atMost = Math.ceil(tables + sum * factor);
  return { bytes: largest > sum * rareShare ? atLeast : atMost, atLeast, atMost };
}

export function sumOf(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Bytes by which the tables of keys and of lifetimes grow if this many keys are added. */
function tableGrowth({ keys, expiring }: KeyCounts, added: number): number {
  return [keys, expiring].reduce((growth, stored) => growth + tableBytes(stored + added) - tableBytes(stored), 0);
}
