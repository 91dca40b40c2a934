import { hourMs, increase, zeros } from "./counts.js";
import type { Failure, FailureReason } from "./outcome.js";
import type { Layout } from "./session-file.js";

/** Where each group of ages ends, milliseconds since the last modification; the last has no end. */
export const inspectedAges: readonly number[] = [1, 24, 72, 168, Number.POSITIVE_INFINITY].map(
  (hours) => hours * hourMs,
);
/** Where each group of sizes ends, bytes; the last has no end. */
export const inspectedSizes: readonly number[] = [256, 1024, 16 * 1024, Number.POSITIVE_INFINITY];
/** The highest protocol of pickles. */
const maxProtocol = 5;

/** Failures that are kept, of the suspicious ones and of all others. */
export const maxInspectedFailures = 100;
/** Databases, and unsupported types, that are counted by name; those that come later are summed. */
const maxDatabases = 10_000;
const maxTypes = 1000;
/** PostgreSQL's names have 63 bytes at most. */
const maxNameLength = 100;

/** What is in session directories, as plain data: the sum of any parts is the whole. */
export interface Inspection {
  readonly counts: Record<InspectionCount, number>;
  /** Session files by age, and by size: one count for each of `inspectedAges`, `inspectedSizes`. */
  readonly ages: number[];
  readonly sizes: number[];
  /** Bytes of the largest file. */
  largestBytes: number;
  readonly layouts: Record<Layout, number>;
  /** Sessions by the protocol of their pickles. */
  readonly pickles: number[];
  /** Sessions by the database that they name. */
  readonly databases: Map<string, number>;
  readonly reasons: Map<FailureReason, number>;
  /** Files that fail as `unsupported-type`, by what they hold; suspicious ones are not among them. */
  readonly unsupported: Map<string, number>;
  /** The first of the files that name what no server writes, and what each names. */
  readonly suspicious: (Failure & { readonly foreignName: string })[];
  /** The first of all other files that fail. */
  readonly failures: Failure[];
  readonly warnings: Map<string, number>;
}

/**
 * `found` is the sum of `authenticated`, `anonymous`, `failed`, `superseded` and `vanished`. The
 * other counts are parts of these, but for `empty` and `ignored` files, which are no sessions.
 */
const countNames = [
  "found",
  "authenticated",
  "anonymous",
  "failed",
  /** Another file holds a later save of the session. */
  "superseded",
  /** Gone since it was listed. */
  "vanished",
  "empty",
  /** No regular file any more. */
  "ignored",
  /** Over now, by the settings of the run. */
  "expired",
  /** Over now if lifetimes count from the last modification. */
  "expiredRemaining",
  "lossy",
  "json",
  /** Sessions that name no database. */
  "withoutDatabase",
  /** Sessions of databases that are not counted by name. */
  "otherDatabases",
  "otherUnsupported",
  "suspicious",
  "bytesRead",
  /** Keys that a copy would write, and the bytes of Redis memory that they take themselves. */
  "keys",
  "ownMemory",
] as const;
export type InspectionCount = (typeof countNames)[number];

export function newInspection(): Inspection {
  return {
    counts: zeros(countNames),
    ages: inspectedAges.map(() => 0),
    sizes: inspectedSizes.map(() => 0),
    largestBytes: 0,
    layouts: { flat: 0, scattered: 0 },
    pickles: Array.from({ length: maxProtocol + 1 }, () => 0),
    databases: new Map(),
    reasons: new Map(),
    unsupported: new Map(),
    suspicious: [],
    failures: [],
    warnings: new Map(),
  };
}

/** Adds a part to a whole. */
export function addInspection(whole: Inspection, part: Inspection): void {
  for (const name of countNames) whole.counts[name] += part.counts[name];
  addEach(whole.ages, part.ages);
  addEach(whole.sizes, part.sizes);
  addEach(whole.pickles, part.pickles);
  whole.largestBytes = Math.max(whole.largestBytes, part.largestBytes);
  whole.layouts.flat += part.layouts.flat;
  whole.layouts.scattered += part.layouts.scattered;
  for (const [name, count] of part.databases) countDatabase(whole, name, count);
  for (const [reason, count] of part.reasons) increase(whole.reasons, reason, count);
  for (const [type, count] of part.unsupported) countUnsupported(whole, type, count);
  for (const [warning, count] of part.warnings) increase(whole.warnings, warning, count);
  keepFirst(whole.suspicious, part.suspicious);
  keepFirst(whole.failures, part.failures);
}

/** Counts sessions of a database. */
export function countDatabase({ databases, counts }: Inspection, name: string, count = 1): void {
  const kept = name.slice(0, maxNameLength);
  if (databases.size < maxDatabases || databases.has(kept)) increase(databases, kept, count);
  else counts.otherDatabases += count;
}

/** Counts files that hold something of a type that no session in Redis can have. */
export function countUnsupported({ unsupported, counts }: Inspection, type: string, count = 1): void {
  if (unsupported.size < maxTypes || unsupported.has(type)) increase(unsupported, type, count);
  else counts.otherUnsupported += count;
}

function addEach(whole: number[], part: readonly number[]): void {
  for (const [index, count] of part.entries()) whole[index] = (whole[index] ?? 0) + count;
}

function keepFirst<T>(kept: T[], more: readonly T[]): void {
  kept.push(...more.slice(0, maxInspectedFailures - kept.length));
}
