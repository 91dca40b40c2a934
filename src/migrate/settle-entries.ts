import type { ConflictDecision } from "../convert/decide-conflict.js";
import type { Candidate, Entry } from "../model/entry.js";
import type { Held, HeldText } from "../model/held.js";
import type { FailureReason } from "../model/outcome.js";
import type { Creation } from "../redis/create-entries.js";
import type { Replacement } from "../redis/replace-held.js";
import type { Write } from "../redis/write-entries.js";

/** What became of one candidate. */
export type Settlement =
  | {
      readonly kind: "copied" | "identical" | "kept" | "expired" | "ended";
      readonly warning?: string;
      /** Whether it was written over something that may have been newer. */
      readonly blindly?: true;
    }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

/** How candidates are written and compared. Every part may be done again from its start. */
export interface SettleParts {
  readonly create: (entries: readonly Entry[]) => Promise<readonly Creation[]>;
  readonly look: (keys: readonly string[]) => Promise<readonly Held[]>;
  readonly decide: (candidate: Candidate, held: HeldText) => ConflictDecision;
  readonly replace: (replacements: readonly Replacement[]) => Promise<readonly boolean[]>;
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

/**
 * Writes every candidate that no key stands for, but for those that ended in Redis, and settles the others by what Redis holds. What changes while it is looked at is looked
 * at again. One settlement for each candidate, in their order.
 */
export async function settleEntries(
  candidates: readonly Candidate[],
  parts: SettleParts,
): Promise<Settlement[]> {
  const course: Course = { settled: new Map(), sent: new Map(), waited: new Set() };
  let open = candidates;
  for (let round = 0; round < mostRounds && open.length > 0; round++) {
    const standing = [
      ...open.filter(({ endedIfMissing }) => endedIfMissing === true),
      ...(await create(
        open.filter(({ endedIfMissing }) => endedIfMissing !== true),
        parts,
        course,
      )),
    ];
    const endless = await compare(standing, parts, course);
    if (endless.length > 0) await parts.waitForLifetimes();
    for (const candidate of endless) course.waited.add(candidate);
    open = open.filter((candidate) => !course.settled.has(candidate));
  }
  return candidates.map((candidate) => course.settled.get(candidate) ?? restless);
}

/** How far a batch has come. */
interface Course {
  readonly settled: Map<Candidate, Settlement>;
  /** What a candidate comes to if Redis is found to hold what was sent for it, though no reply said so. */
  readonly sent: Map<Candidate, Settlement>;
  /** Those whose equal value was given time to get a lifetime. */
  readonly waited: Set<Candidate>;
}

/** Writes the candidates whose keys do not exist; gives back the others. */
async function create(
  candidates: readonly Candidate[],
  parts: SettleParts,
  { settled, sent }: Course,
): Promise<Candidate[]> {
  if (candidates.length === 0) return [];
  const creations = await parts.create(candidates.map(({ entry }) => entry));
  const standing: Candidate[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const creation = creations[index] ?? { kind: "failed", detail: "no reply" };
    if (creation.kind === "exists") {
      standing.push(candidate);
      if (creation.sentBefore === true) sent.set(candidate, { kind: "copied" });
    } else if (creation.kind === "failed") settled.set(candidate, failed("redis-error", creation.detail));
    else settled.set(candidate, { kind: creation.kind === "created" ? "copied" : "expired" });
  }
  return standing;
}

/** Settles candidates by what Redis holds; gives back those whose equal value has no lifetime yet. */
async function compare(
  candidates: readonly Candidate[],
  parts: SettleParts,
  { settled, sent, waited }: Course,
): Promise<Candidate[]> {
  if (candidates.length === 0) return [];
  const held = await parts.look(candidates.map(({ entry }) => entry.key));
  const replacements: (Replacement & { readonly candidate: Candidate; readonly settlement: Settlement })[] =
    [];
  const ofOtherType: Candidate[] = [];
  const endless: Candidate[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const seen = held[index] ?? { kind: "nothing" };
    if (seen.kind === "nothing") {
      if (candidate.endedIfMissing === true) settled.set(candidate, { kind: "ended" });
      continue;
    }
    if (seen.kind === "other-type") {
      ofOtherType.push(candidate);
      continue;
    }
    const decision = parts.decide(candidate, seen);
    const replacement = { candidate, entry: candidate.entry, held: seen };
    if (decision.kind === "replace") {
      const blindly = decision.blindly === true ? { blindly: true as const } : {};
      replacements.push({ ...replacement, settlement: { kind: "copied", ...blindly } });
    } else if (decision.kind === "refresh" || (decision.kind === "endless" && waited.has(candidate))) {
      // The value stays as Redis has it, which may order a set in its own way.
      const entry = { ...candidate.entry, value: seen.value.toString("latin1") };
      replacements.push({ ...replacement, entry, settlement: { kind: "identical" } });
    } else if (decision.kind === "endless") endless.push(candidate);
    else if (decision.kind === "own") settled.set(candidate, sent.get(candidate) ?? { kind: "identical" });
    else settled.set(candidate, decision);
  }
  await settleOtherTypes(ofOtherType, parts, settled);
  const replaced = replacements.length > 0 ? await parts.replace(replacements) : [];
  for (const [index, { candidate, settlement }] of replacements.entries()) {
    if (replaced[index] === true) settled.set(candidate, settlement);
    else sent.set(candidate, settlement);
  }
  return endless;
}

async function settleOtherTypes(
  candidates: readonly Candidate[],
  { overwrite }: SettleParts,
  settled: Map<Candidate, Settlement>,
): Promise<void> {
  if (candidates.length === 0) return;
  const writes = await overwrite?.(candidates.map(({ entry }) => entry));
  for (const [index, candidate] of candidates.entries()) {
    const write =
      writes === undefined ? undefined : (writes[index] ?? { kind: "failed", detail: "no reply" });
    if (write === undefined) settled.set(candidate, failed("wrong-redis-type", "the key holds no string"));
    else if (write.kind === "failed") settled.set(candidate, failed("redis-error", write.detail));
    else settled.set(candidate, { kind: write.kind, ...(write.kind === "copied" ? { blindly: true } : {}) });
  }
}

function failed(reason: FailureReason, detail: string): Settlement {
  return { kind: "failed", reason, detail };
}
