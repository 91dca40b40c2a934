import type { ConflictDecision } from "../../convert/decide-conflict.js";
import type { Candidate, Entry } from "../../model/entry.js";
import type { Held, HeldText } from "../../model/held.js";
import type { FailureReason } from "../../model/outcome.js";
import type { Creation } from "../../redis/create-entries.js";
import type { Replacement } from "../../redis/replace-held.js";
import { unaccepted } from "../../redis/unaccepted.js";
import type { Write } from "../../redis/write-entries.js";

/** What became of one candidate. */
export type Settlement =
  | {
      readonly kind: "copied" | "identical" | "kept" | "expired" | "ended";
      readonly warning?: string;
      /** Whether it was written over something that may have been newer. */
      readonly blindly?: true;
      /**
       * What Redis holds now, if its lifetime was renewed. A logout from files then deletes it, as
       * if this run had written it.
       */
      readonly renewed?: Entry;
      /** Whether nothing tells which value is newer. */
      readonly inDoubt?: true;
    }
  /** The key is missing, and what that means shows only once the whole directory was seen. */
  | { readonly kind: "deferred" }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

/** How candidates are written and compared. Every part may be done again from its start. */
export interface SettleParts {
  readonly create: (entries: readonly Entry[]) => Promise<readonly Creation[]>;
  readonly look: (keys: readonly string[]) => Promise<readonly Held[]>;
  readonly decide: (candidate: Candidate, held: HeldText) => ConflictDecision;
  readonly replace: (replacements: readonly Replacement[]) => Promise<readonly (boolean | "unaccepted")[]>;
  /** Writes whatever stands there; absent where a key of another type is left alone. */
  readonly overwrite?: (entries: readonly Entry[]) => Promise<readonly Write[]>;
  /** Lets the applet, which sets a lifetime a moment after a value, come to that. */
  readonly waitForLifetimes: () => Promise<void>;
}

const mostRounds = 5;
const restless: Settlement = {
  kind: "kept",
  warning: "a key changed whenever it was to be replaced: it was left alone",
};

const [copied, expired]: readonly [Settlement, Settlement] = [{ kind: "copied" }, { kind: "expired" }];

/** How far a candidate has come. */
interface Course {
  readonly candidate: Candidate;
  /** Absent while it is open. */
  settlement?: Settlement;
  /** What it comes to if Redis is found to hold what was sent for it, though no reply said so. */
  sent?: Settlement;
  /** Whether its equal value was given time to get a lifetime. */
  waited?: true;
}

/**
 * Writes every candidate that no key stands for, but for those that ended in Redis, and settles the others by what Redis holds. What changes while it is looked at is looked
 * at again. One settlement for each candidate, in their order.
 */
export async function settleEntries(
  candidates: readonly Candidate[],
  parts: SettleParts,
): Promise<Settlement[]> {
  const courses = candidates.map((candidate): Course => ({ candidate }));
  let open = courses;
  for (let round = 0; round < mostRounds && open.length > 0; round++) {
    const mayEnd = open.filter(({ candidate }) => candidate.ifMissing !== undefined);
    const others = open.filter(({ candidate }) => candidate.ifMissing === undefined);
    const endless = await compare([...mayEnd, ...(await create(others, parts))], parts);
    if (endless.length > 0) await parts.waitForLifetimes();
    for (const course of endless) course.waited = true;
    open = open.filter(({ settlement }) => settlement === undefined);
  }
  return courses.map(({ settlement }) => settlement ?? restless);
}

/** Writes what no key stands for; gives back the others. */
async function create(courses: readonly Course[], parts: SettleParts): Promise<Course[]> {
  if (courses.length === 0) return [];
  const creations = await parts.create(courses.map(({ candidate }) => candidate.entry));
  const standing: Course[] = [];
  for (const [index, course] of courses.entries()) {
    const creation = creations[index] ?? { kind: "failed", detail: "no reply" };
    if (creation.kind === "exists") {
      standing.push(course);
      if (creation.sentBefore === true) course.sent = copied;
    } else if (creation.kind === "failed") course.settlement = failed("redis-error", creation.detail);
    else course.settlement = creation.kind === "created" ? copied : expired;
  }
  return standing;
}

/** Settles what it can by what Redis holds; gives back those whose equal value has no lifetime yet. */
async function compare(courses: readonly Course[], parts: SettleParts): Promise<Course[]> {
  if (courses.length === 0) return [];
  const held = await parts.look(courses.map(({ candidate }) => candidate.entry.key));
  const replacements: (Replacement & { readonly course: Course; readonly settlement: Settlement })[] = [];
  const ofOtherType: Course[] = [];
  const endless: Course[] = [];
  for (const [index, course] of courses.entries()) {
    const { candidate } = course;
    const seen = held[index] ?? { kind: "nothing" };
    if (seen.kind === "nothing") {
      if (candidate.ifMissing === "ended") course.settlement = { kind: "ended" };
      if (candidate.ifMissing === "unknown") course.settlement = { kind: "deferred" };
      continue;
    }
    if (seen.kind === "unreadable") {
      course.settlement = failed("redis-error", seen.detail);
      continue;
    }
    if (seen.kind === "other-type") {
      ofOtherType.push(course);
      continue;
    }
    const decision = parts.decide(candidate, seen);
    const replacement = { course, entry: candidate.entry, held: seen };
    if (decision.kind === "replace") {
      const blindly = decision.blindly === true ? { blindly: true as const } : {};
      replacements.push({ ...replacement, settlement: { kind: "copied", ...blindly } });
    } else if (decision.kind === "refresh" || (decision.kind === "endless" && course.waited === true)) {
      // The value stays as Redis has it, which may order a set in its own way.
      const { expiresAtMs } = decision;
      const entry = { ...candidate.entry, value: seen.value.toString("latin1"), expiresAtMs };
      const renewed = decision.kind === "refresh" && decision.renews === true ? { renewed: entry } : {};
      replacements.push({ ...replacement, entry, settlement: { kind: "identical", ...renewed } });
    } else if (decision.kind === "endless") endless.push(course);
    else if (decision.kind === "own") course.settlement = course.sent ?? { kind: "identical" };
    else course.settlement = decision;
  }
  await settleOtherTypes(ofOtherType, parts);
  const replaced = replacements.length > 0 ? await parts.replace(replacements) : [];
  for (const [index, { course, entry, settlement }] of replacements.entries()) {
    if (replaced[index] === true) course.settlement = settlement;
    else if (replaced[index] === "unaccepted") course.settlement = failed("redis-error", unaccepted(entry));
    else course.sent = settlement;
  }
  return endless;
}

async function settleOtherTypes(courses: readonly Course[], { overwrite }: SettleParts): Promise<void> {
  if (courses.length === 0) return;
  const writes = await overwrite?.(courses.map(({ candidate }) => candidate.entry));
  for (const [index, course] of courses.entries()) {
    const write =
      writes === undefined ? undefined : (writes[index] ?? { kind: "failed", detail: "no reply" });
    if (write === undefined) course.settlement = failed("wrong-redis-type", "the key holds no string");
    else if (write.kind === "failed") course.settlement = failed("redis-error", write.detail);
    else course.settlement = { kind: write.kind, ...(write.kind === "copied" ? { blindly: true } : {}) };
  }
}

function failed(reason: FailureReason, detail: string): Settlement {
  return { kind: "failed", reason, detail };
}
