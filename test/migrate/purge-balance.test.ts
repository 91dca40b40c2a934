import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import fc from "fast-check";
import type { Proof, ProvenFile } from "../../src/migrate/removing/prove.js";
import { purgeSessions } from "../../src/migrate/removing/remove-proven.js";
import { RedisError, RedisForgotError, SourceError } from "../../src/model/errors.js";
import { Ledger } from "../../src/model/ledger.js";
import { type FailureReason, failureReasons, type SessionOutcome } from "../../src/model/outcome.js";
import type { SessionFile } from "../../src/model/session-file.js";
import type { Removal } from "../../src/source/removal/remove-session-file.js";

/** What becomes of one file, in the proof and where it comes to its removal. */
interface Fate {
  readonly directory: string;
  readonly verdict: "stored" | "notStored" | "absent" | "kept" | "vanished" | "empty" | "ignored" | FailureReason;
  readonly removal: Removal["kind"];
  /** Whether it is seen before its removal that it may not be removed. */
  readonly isDenied: boolean;
  /** Whether Redis has lost its key since it was proven. */
  readonly isLost: boolean;
}

/** A purge, and everything that befalls it. */
interface Course {
  readonly batches: readonly {
    readonly fates: readonly Fate[];
    readonly proofFails: boolean;
    readonly turns: number;
  }[];
  /** Whether the directory cannot be read to its end. */
  readonly scanFails: boolean;
  /** Directories with a folder that cannot be read. */
  readonly broken: readonly string[];
  /** What Redis answers; the last answer stands. */
  readonly answers: readonly ("yes" | "no" | "forgot" | "lost")[];
  /** After so many proofs, questions and removals. */
  readonly stopAfter: number;
  /** After so many removals a server is seen at work. */
  readonly usedAfter: number;
  readonly inUse: boolean;
  readonly dryRun: boolean;
  readonly batchesInFlight: number;
}

const fate: fc.Arbitrary<Fate> = fc.record({
  directory: fc.constantFrom("/a", "/b", "/c"),
  verdict: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom("stored" as const, "notStored" as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        ...(["absent", "kept", "vanished", "empty", "ignored"] as const),
        ...failureReasons.filter((reason) => reason !== "unreadable"),
      ),
    },
    { weight: 1, arbitrary: fc.constant("unreadable" as const) },
  ),
  removal: fc.oneof(
    { weight: 8, arbitrary: fc.constant("removed" as const) },
    { weight: 1, arbitrary: fc.constantFrom(...(["changed", "vanished", "denied", "failed"] as const)) },
  ),
  isDenied: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  isLost: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
});
const rarely = fc.integer({ min: 0, max: 19 }).map((number) => number === 0);
const often = Number.POSITIVE_INFINITY;
const course: fc.Arbitrary<Course> = fc.record({
  batches: fc.array(
    fc.record({
      // Beyond a thousand removals Redis is asked again.
      fates: fc
        .tuple(fc.array(fate, { minLength: 1, maxLength: 6 }), fc.constantFrom(1, 1, 1, 1, 1, 1, 1, 200))
        .map(([fates, times]) => Array.from({ length: times }, () => fates).flat()),
      proofFails: rarely,
      turns: fc.nat(3),
    }),
    { maxLength: 8 },
  ),
  scanFails: rarely,
  broken: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray(["/a", "/b", "/c"]) },
  ),
  answers: fc.oneof(
    fc.constant(["yes"] as const),
    fc
      .tuple(fc.nat(3), fc.constantFrom("no" as const, "forgot" as const, "lost" as const))
      .map(([times, last]) => [...Array.from({ length: times }, () => "yes" as const), last]),
  ),
  stopAfter: fc.oneof(fc.constant(often), fc.nat(30), fc.nat(2000)),
  usedAfter: fc.oneof(fc.constant(often), fc.constant(often), fc.nat(30)),
  inUse: fc.boolean(),
  dryRun: rarely,
  batchesInFlight: fc.integer({ min: 1, max: 4 }),
});

function proofOf(file: SessionFile, verdict: Fate["verdict"]): Proof {
  const known = { sid: file.sid, bytesRead: 1, bytesWritten: 0 };
  switch (verdict) {
    case "stored":
    case "notStored": {
      const exact = { dev: 1n, ino: 1n, size: 1n, mtimeNs: 1n, ctimeNs: 1n };
      const outcome: SessionOutcome = { ...known, kind: "removed" };
      const times = { mtimeMs: 0, changedMs: 0, settled: true };
      return { proven: { file, exact, ...times, outcome, stored: verdict === "stored" } };
    }
    case "absent":
    case "kept":
      return { file, outcome: { ...known, kind: verdict }, leaves: true };
    case "vanished":
    case "empty":
    case "ignored":
      return { file, outcome: { ...known, kind: verdict }, leaves: false };
    default: {
      const failure = { sid: file.sid, reason: verdict, detail: "why" };
      return { file, outcome: { ...known, kind: "failed", failure }, leaves: true };
    }
  }
}

/** Runs a purge through a course; fails at the first step that the promises forbid. */
async function runThrough(given: Course): Promise<void> {
  const controller = new AbortController();
  const ledger = new Ledger();
  const told = new Set<string>();
  const fates = new Map<SessionFile, Fate>();
  const proven = new Set<SessionFile>();
  const provenAgain = new Set<SessionFile>();
  const broken = new Set(given.broken);
  const closed = new Set<string>();
  const removals = new Map<Removal["kind"], number>();
  let listed = 0;
  let unproven = 0;
  let steps = 0;
  let taken = 0;
  let asked = 0;
  let confirmed = false;
  let failed = false;
  let notStored = 0;

  const step = () => {
    if (steps++ >= given.stopAfter) controller.abort();
  };
  const isInUse = () => taken >= given.usedAfter;
  function* batches() {
    for (const [place, { fates: batch }] of given.batches.entries()) {
      const files = batch.map((each, index) => {
        const sid = `${place}-${index}`;
        const file: SessionFile = { directory: each.directory, name: sid, layout: "flat", sid };
        fates.set(file, each);
        return file;
      });
      listed += files.length;
      unproven++;
      yield files;
    }
    if (given.scanFails) {
      failed = true;
      throw new SourceError("gone");
    }
  }
  const prove = async (batch: readonly SessionFile[]): Promise<Proof[]> => {
    const place = Number(batch[0]?.sid.split("-")[0]);
    for (let turn = 0; turn < (given.batches[place]?.turns ?? 0); turn++) await nextTurn();
    step();
    if (given.batches[place]?.proofFails === true) {
      failed = true;
      throw new RedisError("unavailable", "lost");
    }
    unproven--;
    return batch.map((file) => {
      const proof = proofOf(file, fates.get(file)?.verdict ?? "stored");
      if ("proven" in proof) proven.add(file);
      else if (proof.outcome.failure?.reason === "unreadable") closed.add(file.directory);
      return proof;
    });
  };
  const confirm = async (): Promise<boolean> => {
    step();
    confirmed = false;
    assert(unproven === 0 && !failed, "Redis is asked once all are proven");
    const answer = given.answers[Math.min(asked++, given.answers.length - 1)];
    if (answer === "no") return false;
    if (answer !== "yes") {
      failed = true;
      throw answer === "forgot" ? new RedisForgotError() : new RedisError("unavailable", "lost");
    }
    confirmed = true;
    return true;
  };
  const proveAgain = async (some: readonly ProvenFile[]): Promise<Proof[]> => {
    step();
    assert(!given.dryRun && confirmed, "asked behind a confirmation only");
    return some.map((one) => {
      if (fates.get(one.file)?.isLost !== true) {
        provenAgain.add(one.file);
        return { proven: one };
      }
      return { file: one.file, outcome: { ...one.outcome, kind: "absent" }, leaves: true };
    });
  };
  const remove = (file: SessionFile): Removal => {
    assert(!given.dryRun, "a dry run touches nothing");
    assert(unproven === 0 && !failed, "nothing is removed before all are proven");
    assert(confirmed, "nothing is removed before Redis was asked once more, and said yes");
    assert(proven.delete(file) && provenAgain.has(file), "only what is proven, twice, and only once");
    assert(fates.get(file)?.isDenied !== true, "nothing is touched that may not be removed");
    assert(!broken.has(file.directory), "nothing is removed where part of the directory cannot be read");
    assert(!closed.has(file.directory), "nothing is removed behind an I/O error in its directory");
    assert(given.inUse || !isInUse(), "nothing is removed that a server uses");
    step();
    taken++;
    const kind = fates.get(file)?.removal ?? "removed";
    removals.set(kind, (removals.get(kind) ?? 0) + 1);
    if (kind === "failed") closed.add(file.directory);
    if (kind === "removed" && fates.get(file)?.verdict === "notStored") notStored++;
    if (kind === "failed") return { kind, code: "EIO" };
    return kind === "denied" ? { kind, code: "EPERM" } : { kind };
  };

  const conclude = async (): Promise<boolean> => {
    assert(!given.dryRun && (confirmed || asked === 0), "asked only while the proof counts");
    return true;
  };

  const purging = purgeSessions({
    ...{ batches: batches(), ledger, prover: { prove, proveAgain } },
    gate: { open: async () => true, confirmBeforeBatch: confirm, checkRedisIntact: conclude },
    files: {
      remove,
      isInUse,
      denialOf: (file) =>
        fates.get(file)?.isDenied === true ? { folder: file.directory, why: { code: "EACCES" } } : undefined,
    },
    tally: { unreadable: given.broken.map((directory) => ({ directory, message: "EIO" })) },
    ...{ inUse: given.inUse, dryRun: given.dryRun, batchesInFlight: given.batchesInFlight },
    pace: async () => undefined,
    stop: controller.signal,
    onStep: () => undefined,
    onOutcome: ({ sid }) => {
      assert(!told.has(sid), "one outcome for each file");
      told.add(sid);
    },
    warn: () => undefined,
    wait: () => assert.fail("no file is young"),
  });
  const result = await purging.catch((error: unknown) => {
    if (error instanceof assert.AssertionError) throw error;
    return undefined;
  });

  assert.equal(result === undefined, failed, "an error that ends the run is thrown, and nothing else");
  const { found, empty, ignored, outcomes } = ledger.counts;
  assert.equal(found + empty + ignored + ledger.unvisited, listed, "every listed file is counted");
  assert.equal(
    found,
    Object.values(outcomes).reduce((sum, count) => sum + count, 0),
  );
  assert.equal(told.size, found + empty + ignored);
  if (!given.dryRun) {
    assert.equal(outcomes.removed, removals.get("removed") ?? 0, "removed is what was removed");
    if (result !== undefined) assert.equal(result.notStored, notStored);
  }
  if (result !== undefined)
    assert.equal(result.left, outcomes.absent + outcomes.kept + outcomes.denied + outcomes.failed);
}

describe("purge-sessions: whatever befalls it", () => {
  // spec.md section 4, Purge; design.md section 2.
  it("found and unvisited are all that was listed; what goes is proven, confirmed and still to go", async () => {
    await fc.assert(fc.asyncProperty(course, runThrough), { numRuns: 400 });
  });
});
