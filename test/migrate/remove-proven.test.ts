import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Proof, ProvenFile } from "../../src/migrate/removing/prove.js";
import { type Gate, type Prover, type Purge, purgeSessions } from "../../src/migrate/removing/remove-proven.js";
import { RedisError, RedisForgotError, SourceError } from "../../src/model/errors.js";
import { Ledger } from "../../src/model/ledger.js";
import type { FailureReason, OutcomeKind, SessionOutcome } from "../../src/model/outcome.js";
import type { SessionFile } from "../../src/model/session-file.js";
import { pathOf } from "../../src/source/recent-files.js";
import type { Removal } from "../../src/source/removal/remove-session-file.js";

const oldMs = Date.UTC(2026, 0, 10);
const fileOf = (sid: string, directory = "/a"): SessionFile => ({
  directory,
  name: sid,
  layout: "flat",
  sid,
});
/** Files by their names; one in `/b` is called `b:name`. */
const filesOf = (...names: readonly string[]): SessionFile[] =>
  names.map((name) => fileOf(name, name.startsWith("b:") ? "/b" : "/a"));
const numbered = (count: number, from = 0): SessionFile[] =>
  Array.from({ length: count }, (_, index) => fileOf(`s${from + index}`));

function proven(
  file: SessionFile,
  given: { readonly mtimeMs?: number; readonly settled?: boolean; readonly stored?: boolean } = {},
): Proof {
  const { mtimeMs = oldMs, stored = true } = given;
  const { settled = mtimeMs === oldMs } = given;
  const outcome: SessionOutcome = { sid: file.sid, kind: "removed", bytesRead: 1, bytesWritten: 0 };
  const exact = { dev: 1n, ino: 1n, size: 1n, mtimeNs: 1n, ctimeNs: 1n };
  return { proven: { file, exact, mtimeMs, changedMs: mtimeMs, settled, outcome, stored } };
}
const settled = (file: SessionFile, kind: OutcomeKind, leaves: boolean): Proof => ({
  file,
  outcome: { sid: file.sid, kind, bytesRead: 1, bytesWritten: 0 },
  leaves,
});
function failing(file: SessionFile, reason: FailureReason): Proof {
  const failure = { sid: file.sid, reason, detail: "why" };
  const outcome: SessionOutcome = { sid: file.sid, kind: "failed", failure, bytesRead: 0, bytesWritten: 0 };
  return { file, outcome, leaves: true };
}

/** What a purge works with, without its groups. */
interface FlatPurge extends Omit<Purge, "prover" | "gate" | "files">, Prover {
  readonly confirm: Gate["confirmBeforeBatch"];
  readonly conclude: Gate["checkRedisIntact"];
  readonly remove: (file: SessionFile) => Removal;
  readonly denialOf: Purge["files"]["denialOf"];
  readonly isInUse: Purge["files"]["isInUse"];
}

const withBroken = (...directories: readonly string[]): Partial<FlatPurge> => {
  return { tally: { unreadable: directories.map((directory) => ({ directory, message: "EIO" })) } };
};

/** A purge of these batches that a test may see into: `events` has every step in its order. */
function purgeOf(batches: Iterable<readonly SessionFile[]>, change: Partial<FlatPurge> = {}) {
  const controller = new AbortController();
  const ledger = new Ledger();
  const events: string[] = [];
  const told: string[] = [];
  const warnings: string[] = [];
  let listed = 0;
  function* handedOut() {
    for (const batch of batches) {
      listed += batch.length;
      yield batch;
    }
  }
  const parts = {
    prove: async (batch: readonly SessionFile[]): Promise<readonly Proof[]> => batch.map((file) => proven(file)),
    proveAgain: async (some: readonly ProvenFile[]): Promise<readonly Proof[]> =>
      some.map((one) => ({ proven: { ...one, settled: true } })),
    confirm: async () => true,
    conclude: async () => true,
    remove: (_: SessionFile): Removal => ({ kind: "removed" }),
    wait: async (_: number) => undefined,
    ...change,
  };
  const flat: FlatPurge = {
    batchesInFlight: 2,
    pace: async () => undefined,
    stop: controller.signal,
    isInUse: () => false,
    tally: { unreadable: [] },
    denialOf: () => undefined,
    inUse: false,
    dryRun: false,
    ledger,
    onStep: () => undefined,
    onOutcome: ({ sid, kind }) => told.push(`${sid} ${kind}`),
    warn: (message, { evenIfQuiet = false } = {}) => void warnings.push(`${message}${evenIfQuiet ? "!" : ""}`),
    ...change,
    batches: handedOut(),
    prove: async (batch) => {
      await nextTurn();
      const proofs = await parts.prove(batch);
      events.push(...batch.map(({ sid }) => `prove ${sid}`));
      return proofs;
    },
    proveAgain: async (some) => {
      await nextTurn();
      events.push(...some.map(({ file }) => `again ${file.sid}`));
      return parts.proveAgain(some);
    },
    confirm: async () => {
      events.push("confirm");
      return parts.confirm();
    },
    conclude: async () => {
      events.push("conclude");
      return parts.conclude();
    },
    remove: (file) => {
      events.push(`remove ${file.sid}`);
      return parts.remove(file);
    },
    wait: async (milliseconds) => {
      events.push(`wait ${milliseconds}`);
      await parts.wait(milliseconds);
    },
  };
  const { prove, proveAgain, confirm, conclude, remove, denialOf, isInUse, ...others } = flat;
  const purge: Purge = {
    ...others,
    prover: { prove, proveAgain },
    gate: { open: async () => true, confirmBeforeBatch: confirm, checkRedisIntact: conclude },
    files: { remove, denialOf, isInUse },
  };
  return {
    purge,
    ledger,
    events,
    told,
    warnings,
    stop: () => controller.abort(),
    /** The counts that are not 0. */
    counts: () =>
      Object.fromEntries(
        Object.entries({ ...ledger.counts.outcomes, unvisited: ledger.unvisited }).filter(([, count]) => count > 0),
      ),
    removed: () => events.filter((event) => event.startsWith("remove ")).map((event) => event.slice(7)),
    /** Every file that was listed has its outcome, or is unvisited. */
    assertBalanced: () => {
      const { found, empty, ignored, outcomes } = ledger.counts;
      assert.equal(found + empty + ignored + ledger.unvisited, listed);
      assert.equal(
        found,
        Object.values(outcomes).reduce((sum, count) => sum + count, 0),
      );
      assert.equal(told.length, found + empty + ignored);
    },
  };
}

describe("remove-proven: nothing is removed before all files of the chunk are proven and Redis is asked again", () => {
  it("proofs of all batches, one question, the removals, then the question whether that was right", async () => {
    const made = purgeOf([filesOf("a", "b"), filesOf("c"), filesOf("d", "e")]);
    assert.deepEqual(await purgeSessions(made.purge), {
      left: 0,
      notStored: 0,
      foundInUse: false,
      confirmed: true,
    });
    const { events } = made;
    assert.deepEqual(events.slice(0, 5).sort(), ["prove a", "prove b", "prove c", "prove d", "prove e"]);
    assert.equal(events[5], "confirm");
    assert.deepEqual(events.slice(6, 11).sort(), ["again a", "again b", "again c", "again d", "again e"]);
    assert.equal(events[11], "conclude");
    assert.deepEqual(events.slice(12, 17).sort(), ["remove a", "remove b", "remove c", "remove d", "remove e"]);
    assert.deepEqual(events.slice(17), ["conclude"]);
    assert.deepEqual(made.counts(), { removed: 5 });
    made.assertBalanced();
  });

  it("nothing to do: Redis is not asked", async () => {
    const made = purgeOf([]);
    assert.deepEqual(await purgeSessions(made.purge), {
      left: 0,
      notStored: 0,
      foundInUse: false,
      confirmed: true,
    });
    assert.deepEqual(made.events, []);
  });

  it("nothing proven: Redis is asked at the end whether it lost what is missing", async () => {
    const made = purgeOf([filesOf("a")], {
      prove: async (batch) => batch.map((file) => settled(file, "absent", true)),
    });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual([made.events, made.counts()], [["prove a", "conclude"], { absent: 1 }]);
  });

  it("a chunk is a hundred thousand: it is removed before the next is proven, which is asked for again", async () => {
    const batches = Array.from({ length: 101 }, (_, index) => numbered(1000, index * 1000));
    const made = purgeOf(batches, { batchesInFlight: 1 });
    await purgeSessions(made.purge);
    const firstRemoval = made.events.findIndex((event) => event.startsWith("remove "));
    assert.equal(made.events.slice(0, firstRemoval).filter((event) => event === "confirm").length, 1);
    assert.equal(firstRemoval, 100_102);
    const secondChunk = made.events.indexOf("prove s100000");
    assert.equal(made.events.slice(0, secondChunk).filter((event) => event.startsWith("remove ")).length, 100_000);
    assert.equal(made.events[secondChunk + 1000], "confirm");
    assert.deepEqual(made.counts(), { removed: 101_000 });
    made.assertBalanced();
  });

  it("Redis is asked again before every thousandth removal", async () => {
    const made = purgeOf([numbered(2500)]);
    await purgeSessions(made.purge);
    const places = made.events.flatMap((event, place) => (event === "confirm" ? [place - 2500] : []));
    assert.deepEqual(places, [0, 2011, 4022]);
  });

  it("a hundred files are proven again, and then removed", async () => {
    const made = purgeOf([numbered(250)]);
    await purgeSessions(made.purge);
    const kinds = made.events.map((event) => event.split(" ")[0]);
    const rows = kinds.filter((kind, place) => kind !== kinds[place - 1]);
    const slice = ["again", "conclude", "remove"];
    assert.deepEqual(rows, ["prove", "confirm", ...slice, ...slice, ...slice, "conclude"]);
  });

  it("what Redis lost since it was proven stays", async () => {
    const made = purgeOf([filesOf("a", "b")], {
      proveAgain: async (some) =>
        some.map((one) => (one.file.sid === "a" ? settled(one.file, "absent", true) : { proven: one })),
    });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual([made.removed(), made.counts()], [["b"], { absent: 1, removed: 1 }]);
  });

  it("a Redis that evicts behind the proof: not a file of the hundred goes", async () => {
    let asked = 0;
    const made = purgeOf([numbered(250)], { conclude: async () => ++asked < 2 });
    assert.equal((await purgeSessions(made.purge)).confirmed, false);
    assert.deepEqual(made.counts(), { removed: 100, kept: 150 });
  });

  it("a file that changed again while it was waited for stays", async () => {
    const made = purgeOf([filesOf("a", "b")], {
      proveAgain: async (some) => some.map(({ file }) => proven(file, { settled: file.sid === "b" })),
    });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual([made.removed(), made.counts()], [["b"], { kept: 1, removed: 1 }]);
  });

  it("nothing is removed in a directory with a folder that cannot be read", async () => {
    const made = purgeOf([filesOf("a", "b:a")], withBroken("/b"));
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual([made.removed(), made.counts()], [["a"], { kept: 1, removed: 1 }]);
  });
});

describe("remove-proven: a proof that no longer counts removes nothing more; every proven file is counted", () => {
  const answers: readonly (readonly [
    name: string,
    confirmations: readonly (boolean | Error)[],
    counts: Readonly<Record<string, number>>,
  ])[] = [
    ["no: kept", [false], { kept: 2500 }],
    ["no, after the first thousand: the rest is kept", [true, false], { removed: 1000, kept: 1500 }],
    ["no, after the second thousand", [true, true, false], { removed: 2000, kept: 500 }],
    ["Redis forgot: unvisited", [new RedisForgotError()], { unvisited: 2500 }],
    [
      "Redis forgot after the first thousand: the rest is unvisited",
      [true, new RedisForgotError()],
      { removed: 1000, unvisited: 1500 },
    ],
    ["Redis is lost: unvisited", [new RedisError("unavailable", "lost")], { unvisited: 2500 }],
    [
      "Redis is lost after the second thousand",
      [true, true, new RedisError("unavailable", "lost")],
      { removed: 2000, unvisited: 500 },
    ],
  ];
  for (const [name, confirmations, counts] of answers) {
    it(name, async () => {
      let asked = 0;
      const confirm = async (): Promise<boolean> => {
        // What was answered last is answered from then on.
        const answer = confirmations[Math.min(asked++, confirmations.length - 1)] ?? false;
        if (answer instanceof Error) throw answer;
        return answer;
      };
      const made = purgeOf([numbered(1500), numbered(1000, 1500)], { confirm });
      const error = confirmations.find((answer) => answer instanceof Error);
      if (error === undefined) {
        const { left } = await purgeSessions(made.purge);
        assert.equal(left, counts["kept"], "what was kept was to be removed");
      } else await assert.rejects(purgeSessions(made.purge), error);
      assert.deepEqual(made.counts(), counts);
      assert.equal(made.removed().length, counts["removed"] ?? 0);
      made.assertBalanced();
    });
  }

  const conclusions: readonly (readonly [name: string, answer: boolean | Error])[] = [
    ["no", false],
    ["Redis forgot", new RedisForgotError()],
    ["Redis is lost", new RedisError("unavailable", "lost")],
  ];
  for (const [name, answer] of conclusions) {
    it(`behind the last removal: ${name}: never taken for done`, async () => {
      const made = purgeOf([filesOf("a", "b")], {
        conclude: async () => {
          if (made.removed().length === 0) return true;
          if (answer instanceof Error) throw answer;
          return answer;
        },
      });
      if (answer instanceof Error) await assert.rejects(purgeSessions(made.purge), answer);
      else assert.equal((await purgeSessions(made.purge)).confirmed, false);
      assert.deepEqual(made.counts(), { removed: 2 });
      made.assertBalanced();
    });
  }

  it("if nothing was removed, Redis is asked at the end even so", async () => {
    const made = purgeOf([filesOf("a")], { remove: () => ({ kind: "changed" }) });
    assert.equal((await purgeSessions(made.purge)).confirmed, true);
    assert.deepEqual(made.events.slice(-2), ["remove a", "conclude"]);
  });

  it("a proof that fails: nothing is removed, and what other batches came to is counted", async () => {
    const lost = new RedisError("unavailable", "lost");
    const made = purgeOf([filesOf("a", "b"), filesOf("c"), filesOf("d")], {
      prove: async ([first, ...rest]) => {
        assert(first !== undefined);
        if (first.sid === "c") throw lost;
        return [settled(first, "absent", true), ...rest.map((file) => proven(file))];
      },
    });
    await assert.rejects(purgeSessions(made.purge), lost);
    assert.deepEqual(made.removed(), []);
    assert(!made.events.includes("confirm"));
    made.assertBalanced();
    assert.equal(made.counts()["absent"], 1);
  });

  it("a directory that cannot be read any more: nothing that was proven before is removed", async () => {
    function* batches() {
      yield filesOf("a", "b");
      throw new SourceError("gone");
    }
    const made = purgeOf(batches());
    await assert.rejects(purgeSessions(made.purge), SourceError);
    assert.deepEqual([made.removed(), made.counts()], [[], { unvisited: 2 }]);
    made.assertBalanced();
  });
});

describe("remove-proven: files that this process may not remove (spec.md section 4, Purge)", () => {
  const denialOf: FlatPurge["denialOf"] = ({ directory, sid }) =>
    sid === "b" ? { folder: directory, why: { code: "EACCES" } } : undefined;
  const denied = (code: string) =>
    [`/a may not be changed (${code}), so its session files are not permitted to be removed. `].map(
      (text) => `${text}Is it immutable? (lsattr shows it, chattr -i ends it)!`,
    );

  it("are not touched, are denied and left; the others go", async () => {
    const made = purgeOf([filesOf("a", "b", "c")], { denialOf });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual(made.removed().sort(), ["a", "c"]);
    assert.deepEqual(made.counts(), { removed: 2, denied: 1 });
    assert.deepEqual(made.warnings, denied("EACCES"));
    assert(!made.events.includes("again b"), "nothing more is asked about it");
    made.assertBalanced();
  });

  it("a dry run finds them too", async () => {
    const made = purgeOf([filesOf("a", "b")], { denialOf, dryRun: true });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual([made.removed(), made.counts()], [[], { removed: 1, denied: 1 }]);
    assert.deepEqual(made.warnings, denied("EACCES"));
  });

  it("a file that nothing proves is what it is, whether or not it may be removed", async () => {
    const prove = async (batch: readonly SessionFile[]) => batch.map((file) => settled(file, "absent", true));
    const made = purgeOf([filesOf("b")], { denialOf, prove });
    await purgeSessions(made.purge);
    assert.deepEqual([made.counts(), made.warnings], [{ absent: 1 }, []]);
  });

  it("a removal that is denied, which nothing foretold, is denied as well", async () => {
    const remove = ({ sid }: SessionFile): Removal =>
      sid === "a" ? { kind: "denied", code: "EPERM" } : { kind: "removed" };
    const made = purgeOf([filesOf("a", "b")], { remove });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual(made.counts(), { removed: 1, denied: 1 });
    assert.deepEqual(made.warnings, denied("EPERM"));
  });
});

describe("remove-proven: what stays is told with its file and a reason", () => {
  const rows: readonly (readonly [name: string, change: Partial<FlatPurge>, kind: string, detail: RegExp])[] = [
    [
      "Redis has no key",
      { prove: async ([file = assert.fail("no file")]) => [settled(file, "absent", true)] },
      "absent",
      /no key/,
    ],
    [
      "Redis holds an older value",
      { prove: async ([file = assert.fail("no file")]) => [settled(file, "kept", true)] },
      "kept",
      /older value/,
    ],
    [
      "it may not be removed",
      { denialOf: () => ({ folder: "/a", why: { code: "EACCES" } }) },
      "denied",
      /^not permitted \(EACCES\)$/,
    ],
    ["it changed", { remove: () => ({ kind: "changed" }) }, "kept", /changed after it was compared/],
    ["a server is at work", { isInUse: () => true }, "kept", /still using the directory/],
    ["a folder cannot be read", withBroken("/a"), "kept", /error in its directory/],
    ["Redis does not answer for it", { confirm: async () => false }, "kept", /may have lost keys/],
  ];
  for (const [name, change, kind, detail] of rows) {
    it(`${name}: ${kind}`, async () => {
      const told: SessionOutcome[] = [];
      const made = purgeOf([filesOf("a")], { ...change, onOutcome: (outcome) => told.push(outcome) });
      await purgeSessions(made.purge);
      const [{ difference } = assert.fail("no outcome")] = told;
      assert.deepEqual([difference?.kind, difference?.path], [kind, pathOf(filesOf("a")[0] ?? assert.fail())]);
      assert.match(difference?.detail ?? "", detail);
    });
  }
});

describe("remove-proven: an I/O error in a directory ends removal there (spec.md section 4, Purge)", () => {
  const unreadable = (sid: string) => async (batch: readonly SessionFile[]) =>
    batch.map((file) => (file.sid === sid ? failing(file, "unreadable") : proven(file)));

  for (const [name, batches] of [
    ["before the others", [filesOf("x"), filesOf("a", "b:a")]],
    ["behind the others", [filesOf("a", "b:a"), filesOf("x")]],
    ["between the others", [filesOf("a", "x", "b"), filesOf("b:a")]],
  ] as const) {
    it(`a file that cannot be read, ${name}: all of its directory stay, those of another go`, async () => {
      const made = purgeOf(batches, { prove: unreadable("x") });
      const { left } = await purgeSessions(made.purge);
      assert.deepEqual(made.removed(), ["b:a"]);
      const inDirectory = batches.flat().length - 1;
      assert.deepEqual(made.counts(), {
        removed: 1,
        failed: 1,
        ...(inDirectory > 1 ? { kept: inDirectory - 1 } : {}),
      });
      assert.equal(left, inDirectory);
      made.assertBalanced();
    });
  }

  it("a removal that fails closes its directory for what comes after it", async () => {
    const made = purgeOf([filesOf("a", "b:a", "x", "b", "b:b")], {
      batchesInFlight: 1,
      remove: ({ sid }) => (sid === "x" ? { kind: "failed", code: "EROFS" } : { kind: "removed" }),
    });
    const { left } = await purgeSessions(made.purge);
    assert.deepEqual(made.removed(), ["a", "b:a", "x", "b:b"]);
    assert.deepEqual(made.counts(), { removed: 3, failed: 1, kept: 1 });
    assert.equal(left, 2);
    assert.deepEqual(
      made.ledger.failures.map(({ reason, detail }) => `${reason}: ${detail}`),
      ["unreadable: not removed: EROFS"],
    );
    made.assertBalanced();
  });

  it("a session that failed for its content closes nothing", async () => {
    const made = purgeOf([filesOf("x", "a")], {
      prove: async (batch) => batch.map((file) => (file.sid === "x" ? failing(file, "corrupt") : proven(file))),
    });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual(made.counts(), { removed: 1, failed: 1 });
  });

  it("a dry run tells the same", async () => {
    const made = purgeOf([filesOf("x", "a", "b:a")], { prove: unreadable("x"), dryRun: true });
    await purgeSessions(made.purge);
    assert.deepEqual(made.counts(), { removed: 1, failed: 1, kept: 1 });
  });
});

describe("remove-proven: what a removal comes to", () => {
  const rows: readonly (readonly [
    removal: Removal,
    counts: Readonly<Record<string, number>>,
    left: number,
    notStored: number,
  ])[] = [
    [{ kind: "removed" }, { removed: 2 }, 0, 1],
    [{ kind: "changed" }, { kept: 2 }, 2, 0],
    [{ kind: "vanished" }, { vanished: 2 }, 0, 0],
    [{ kind: "failed", code: "EACCES" }, { failed: 1, kept: 1 }, 2, 0],
  ];
  for (const [removal, counts, left, notStored] of rows) {
    it(`${removal.kind}: left ${left}, removed without Redis holding it ${notStored}`, async () => {
      const made = purgeOf([filesOf("a", "b")], {
        prove: async (batch) => batch.map((file) => proven(file, { stored: file.sid === "a" })),
        remove: () => removal,
      });
      assert.deepEqual(await purgeSessions(made.purge), {
        left,
        notStored,
        foundInUse: false,
        confirmed: true,
      });
      assert.deepEqual(made.counts(), counts);
      made.assertBalanced();
    });
  }

  it("only what a proof leaves of those that were to go counts as left", async () => {
    const made = purgeOf([filesOf("a", "b", "c")], {
      prove: async ([a, b, c]) =>
        a && b && c ? [settled(a, "kept", false), settled(b, "kept", true), settled(c, "vanished", false)] : [],
    });
    assert.equal((await purgeSessions(made.purge)).left, 1);
    assert.deepEqual(made.counts(), { kept: 2, vanished: 1 });
  });
});

describe("remove-proven: a directory that a server still uses keeps its files, unless --in-use (Purge)", () => {
  it("nothing is removed", async () => {
    const made = purgeOf([filesOf("a", "b")], { isInUse: () => true });
    assert.deepEqual(await purgeSessions(made.purge), {
      left: 2,
      notStored: 0,
      foundInUse: true,
      confirmed: true,
    });
    assert.deepEqual([made.removed(), made.counts()], [[], { kept: 2 }]);
  });

  it("found in the middle: nothing more is removed", async () => {
    const made = purgeOf([filesOf("a", "b", "c")], { isInUse: () => made.removed().length > 0 });
    assert.deepEqual(await purgeSessions(made.purge), {
      left: 2,
      notStored: 0,
      foundInUse: true,
      confirmed: true,
    });
    assert.deepEqual([made.removed(), made.counts()], [["a"], { removed: 1, kept: 2 }]);
  });

  it("--in-use removes all the same", async () => {
    const made = purgeOf([filesOf("a", "b")], { isInUse: () => true, inUse: true });
    assert.deepEqual(await purgeSessions(made.purge), {
      left: 0,
      notStored: 0,
      foundInUse: false,
      confirmed: true,
    });
    assert.deepEqual(made.counts(), { removed: 2 });
  });

  it("a dry run tells the same", async () => {
    const made = purgeOf([filesOf("a", "b")], { isInUse: () => true, dryRun: true });
    assert.deepEqual(await purgeSessions(made.purge), {
      left: 2,
      notStored: 0,
      foundInUse: true,
      confirmed: true,
    });
  });
});

describe("remove-proven: a file younger than 2 s waits (Purge)", () => {
  const nowMs = Date.UTC(2026, 0, 11);
  /** A purge of one file of that time, on a clock that only `wait` moves on. */
  async function purgeOn(t: TestContext, mtimeMs: number, change: Partial<FlatPurge> = {}) {
    t.mock.timers.enable({ apis: ["Date"], now: nowMs });
    const made = purgeOf([filesOf("old", "young")], {
      prove: async (batch) =>
        batch.map((file) => proven(file, file.sid === "young" ? { mtimeMs } : { mtimeMs: oldMs })),
      wait: async (milliseconds) => t.mock.timers.tick(milliseconds),
      ...change,
    });
    const { left } = await purgeSessions(made.purge);
    made.assertBalanced();
    return { ...made, left, events: made.events.filter((event) => !event.startsWith("prove")) };
  }

  for (const [name, ageMs, waits] of [
    ["just modified", 0, ["wait 2001"]],
    ["modified a second ago", 1000, ["wait 1001"]],
    ["almost 2 s old", 1999, ["wait 2"]],
    ["2 s old", 2001, []],
    ["a day old", 86_400_000, []],
  ] as const) {
    it(`${name}: ${waits.length === 0 ? "no wait" : waits[0]}, and it goes`, async (t) => {
      const { events, left } = await purgeOn(t, nowMs - ageMs);
      const removed = ["again old", "again young", "conclude", "remove old", "remove young"];
      assert.deepEqual(events, [...waits, "confirm", ...removed, "conclude"]);
      assert.equal(left, 0);
    });
  }

  it("modified in the future: it is not waited for longer than 2 s, and it stays", async (t) => {
    const { events, left } = await purgeOn(t, nowMs + 60_000);
    assert.deepEqual(events, [
      "wait 2001",
      "confirm",
      "again old",
      "again young",
      "conclude",
      "remove old",
      "conclude",
    ]);
    assert.equal(left, 1);
  });

  it("a wait that ends too early, as timers may: it waits on", async (t) => {
    const wait = async () => t.mock.timers.tick(1999);
    assert.deepEqual((await purgeOn(t, nowMs, { wait })).counts(), { removed: 2 });
  });

  it("a stop in the wait: nothing is removed, and Redis is not asked", async (t) => {
    const controller = new AbortController();
    const wait = async () => controller.abort();
    const { events, counts } = await purgeOn(t, nowMs, { wait, stop: controller.signal });
    assert.deepEqual([events, counts()], [["wait 2001"], { unvisited: 2 }]);
  });

  it("a dry run does not wait", async (t) => {
    const { events, counts } = await purgeOn(t, nowMs, { dryRun: true });
    assert.deepEqual([events, counts()], [[], { removed: 2 }]);
  });
});

describe("remove-proven: a stop (spec.md section 5: what was in flight is finished and reported)", () => {
  it("before the start: nothing is listed", async () => {
    const made = purgeOf([filesOf("a")]);
    made.stop();
    await purgeSessions(made.purge);
    assert.deepEqual([made.events, made.counts()], [[], {}]);
    made.assertBalanced();
  });

  it("while files are proven: nothing is removed, all are unvisited", async () => {
    const made = purgeOf([filesOf("a", "b"), filesOf("c"), filesOf("d"), filesOf("e")], {
      batchesInFlight: 1,
      prove: async (batch) => {
        if (batch[0]?.sid === "c") made.stop();
        return batch.map((file) => proven(file));
      },
    });
    await purgeSessions(made.purge);
    assert.deepEqual([made.removed(), made.counts()], [[], { unvisited: 4 }]);
    assert(!made.events.includes("confirm"));
    made.assertBalanced();
  });

  it("while files are removed: the one in hand is finished, the rest is unvisited", async () => {
    const made = purgeOf([numbered(10)], {
      remove: (file) => {
        if (file.sid === "s3") made.stop();
        return { kind: "removed" };
      },
    });
    await purgeSessions(made.purge);
    assert.deepEqual([made.removed().length, made.counts()], [4, { removed: 4, unvisited: 6 }]);
    made.assertBalanced();
  });

  it("one that the event loop brings is heeded between removals", async () => {
    const made = purgeOf([numbered(50_000)], { confirm: async () => setImmediate(made.stop) !== undefined });
    await purgeSessions(made.purge);
    assert(made.removed().length < 50_000, "all files were removed before the stop was seen");
    made.assertBalanced();
  });
});

describe("remove-proven: a dry run touches no file, and asks Redis for nothing but what it reads", () => {
  it("what would be removed is counted as removed", async () => {
    const made = purgeOf([filesOf("a", "b")], { dryRun: true });
    await purgeSessions(made.purge);
    assert.deepEqual([made.events, made.counts()], [["prove a", "prove b"], { removed: 2 }]);
    made.assertBalanced();
  });
});
