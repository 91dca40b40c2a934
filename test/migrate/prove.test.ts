import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import fc from "fast-check";
import type { Conversion } from "../../src/convert/convert-session.js";
import type { Comparison } from "../../src/convert/decide-conflict.js";
import type { ConvertedSession } from "../../src/migrate/prepare-session.js";
import {
  type Proof,
  type ProofParts,
  proveAgain,
  proveBatch,
  type RedisParts,
} from "../../src/migrate/removing/prove.js";
import { RedisError } from "../../src/model/errors.js";
import { failureReasons } from "../../src/model/outcome.js";
import type { SessionFile } from "../../src/model/session-file.js";
import type { StoredValue } from "../../src/model/stored-value.js";
import type { ExactReading } from "../../src/source/read-session-file.js";

const day = 86_400_000;
const nowMs = Date.UTC(2026, 0, 10);
mock.timers.enable({ apis: ["Date"], now: nowMs });
const fileOf = (sid: string): SessionFile => ({ directory: "/d", name: `n-${sid}`, layout: "flat", sid });
const exact = { dev: 1n, ino: 7n, size: 5n, mtimeNs: 1_000_001n, ctimeNs: 1_000_001n };
const readAt = (mtimeMs: number): ExactReading => ({
  kind: "read",
  read: { bytes: Buffer.from("12345"), mtimeMs, openedAtMs: nowMs },
  stamp: { dev: 1, ino: 7, size: 5, mtimeMs, ctimeMs: mtimeMs },
  exact,
});
const facts = { authenticated: true, lossy: false };
const entry: ConvertedSession = {
  kind: "entry",
  format: "json",
  entry: { key: "k", value: "{}", expiresAtMs: nowMs + day },
  fullLifetimeMs: 3000,
  lifetimeOrigin: "authenticated",
  facts,
};
const expired: Conversion = { kind: "expired", format: "json", facts };
const oneKey: Conversion = { ...entry, facts: { ...facts, hasOneKey: true } };
const corrupt: Conversion = { kind: "failed", format: "pickle", reason: "corrupt", detail: "truncated" };
const text: StoredValue = { kind: "text", value: Buffer.from("{}"), expiresAtMs: nowMs + day };
const nothing: StoredValue = { kind: "nothing" };
const different: Comparison = { kind: "different" };

/** What a file meets. By default it can be read, and Redis holds an equal entry. */
interface Case {
  readonly reading?: ExactReading;
  readonly conversion?: Conversion;
  readonly stored?: StoredValue | undefined;
  readonly comparison?: Comparison;
  /** Whether a complete run read the file as it is. */
  readonly unmodified?: boolean;
  /** A file that holds the same session later. */
  readonly later?: SessionFile;
  readonly missing?: "ended";
  /** Whether Redis still has the key. */
  readonly exists?: boolean;
  readonly unconditional?: boolean;
}

function partsOf(caseOf: (sid: string) => Case, redis: Partial<RedisParts> = {}): ProofParts {
  return { ...unaskedPartsOf(caseOf), redis: { ...redisPartsOf(caseOf), ...redis } };
}

/** Without Redis. */
function unaskedPartsOf(caseOf: (sid: string) => Case): ProofParts {
  return {
    read: ({ sid }) => caseOf(sid).reading ?? readAt(nowMs - day),
    convert: (_, sid) => caseOf(sid).conversion ?? entry,
  };
}

function redisPartsOf(caseOf: (sid: string) => Case): RedisParts {
  return {
    look: async (sids) =>
      sids.flatMap((sid) => {
        const { stored } = { stored: text, ...caseOf(sid) };
        return stored === undefined ? [] : [stored];
      }),
    laterFile: ({ sid }) => caseOf(sid).later,
    exist: async (sids) => sids.map((sid) => caseOf(sid).exists ?? true),
    compare: () => caseOf("s").comparison ?? { kind: "equal", lifetimeIsRight: true },
    isUnmodified: ({ sid }) => caseOf(sid).unmodified ?? false,
    explainMissing: ({ sid }) => caseOf(sid).missing ?? "absent",
    unconditional: caseOf("s").unconditional ?? false,
  };
}

/**
 * A proof in a word: `proven, stored`, or the outcome and whether it leaves a file that was to go.
 */
function wordOf(proof: Proof): string {
  if ("proven" in proof) return proof.proven.stored ? "proven, stored" : "proven, not stored";
  const { outcome, leaves } = proof;
  const reason = outcome.failure === undefined ? "" : ` ${outcome.failure.reason}`;
  return `${outcome.kind}${reason}${leaves ? ", left" : ""}`;
}

async function prove(case_: Case): Promise<Proof> {
  const [proof, ...others] = await proveBatch(
    [fileOf("s")],
    partsOf(() => case_),
  );
  assert(proof !== undefined && others.length === 0);
  return proof;
}

describe("prove: a file that another supersedes goes only if that is proven (spec.md section 4, Purge)", () => {
  const rows: readonly (readonly [name: string, own: Case, later: Case, expected: string])[] = [
    ["the later one is proven", {}, {}, "proven, stored"],
    ["the later one is proven, and Redis lacks nothing", { stored: nothing }, {}, "proven, stored"],
    ["Redis holds no key for the later one", {}, { stored: nothing }, "kept, left"],
    ["the later one is damaged", {}, { conversion: corrupt }, "kept, left"],
    ["the later one holds one session key", {}, { conversion: oneKey }, "kept, left"],
    [
      "the later one cannot be read",
      {},
      { reading: { kind: "failed", reason: "unreadable", detail: "EIO" } },
      "kept, left",
    ],
    ["the later one is gone by now", {}, { reading: { kind: "vanished" } }, "proven, stored"],
    ["it is damaged itself", { conversion: corrupt }, {}, "failed corrupt, left"],
    ["it holds one session key itself", { conversion: oneKey }, {}, "kept, left"],
  ];
  for (const [name, own, later, expected] of rows) {
    it(name, async () => {
      const parts = partsOf((sid) => (sid === "s" ? { ...own, later: fileOf("later") } : later));
      const [proof] = await proveBatch([fileOf("s")], parts);
      assert(proof !== undefined);
      assert.equal(wordOf(proof), expected);
    });
  }
});

const week = 7 * day;

describe("prove: a file goes only if Redis now holds an equal or newer entry (spec.md section 4, Purge)", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["an equal entry", {}, "proven, stored"],
    [
      "an equal entry with a lifetime that is wrong: a later save sets it",
      { comparison: { kind: "equal", lifetimeIsRight: false } },
      "proven, stored",
    ],
    ["a newer entry", { comparison: { kind: "newer" } }, "proven, stored"],
    ["an older entry", { comparison: different }, "kept, left"],
    ["doubt about the entry", { comparison: { ...different, inDoubt: true } }, "kept, left"],
    ["no key", { stored: nothing }, "absent, left"],
    ["a key of another type", { stored: { kind: "other-type" } }, "failed wrong-redis-type, left"],
    ["no reply", { stored: undefined }, "failed redis-error, left"],

    ["an ended one stays, and is no reason for exit 4", { stored: nothing, missing: "ended" }, "ended"],
    [
      "an ended one stays however old its file is",
      { stored: nothing, missing: "ended", reading: readAt(nowMs - 2 * week) },
      "ended",
    ],
    ["no key, however old its file is", { stored: nothing, reading: readAt(nowMs - 2 * week) }, "absent, left"],
    ["a file with one session key stays, even if Redis holds it", { conversion: oneKey }, "kept, left"],
    [
      "a file with one session key stays, even if it is over",
      {
        conversion: { ...expired, facts: { ...facts, hasOneKey: true } },
        reading: readAt(nowMs - 2 * week),
      },
      "kept, left",
    ],
    [
      "a value that cannot be looked at",
      { stored: { kind: "unreadable", detail: "too long" } },
      "failed redis-error, left",
    ],
    [
      "expired ones go once they are 7 days old",
      { conversion: expired, reading: readAt(nowMs - week) },
      "proven, not stored",
    ],
    ["expired ones stay before that", { conversion: expired, reading: readAt(nowMs - week + 0.25) }, "kept"],

    ["a session that failed stays", { conversion: corrupt }, "failed corrupt, left"],
    [
      "one that cannot be read stays",
      { reading: { kind: "failed", reason: "unreadable", detail: "EACCES" } },
      "failed unreadable, left",
    ],
    ["one that is gone is no failure", { reading: { kind: "vanished" } }, "vanished"],
    ["an empty one is no session", { reading: { kind: "empty" } }, "empty"],
    ["what is no regular file is no session", { reading: { kind: "ignored" } }, "ignored"],
  ];
  for (const [name, case_, expected] of rows) it(name, async () => assert.equal(wordOf(await prove(case_)), expected));
});

describe("prove: PURGE alone also removes what Redis does not hold; what failed stays (spec.md section 2)", () => {
  const rows: readonly (readonly [name: string, case_: Case, expected: string])[] = [
    ["an equal entry", {}, "proven, stored"],
    ["a newer entry", { comparison: { kind: "newer" } }, "proven, stored"],
    ["an older entry", { comparison: different }, "proven, not stored"],
    ["no key", { stored: nothing }, "proven, not stored"],
    ["ended", { stored: nothing, missing: "ended" }, "proven, not stored"],
    ["expired, and young", { conversion: expired, reading: readAt(nowMs) }, "proven, not stored"],
    ["a key of another type", { stored: { kind: "other-type" } }, "failed wrong-redis-type, left"],
    ["no reply", { stored: undefined }, "failed redis-error, left"],
    ["a session that failed stays, and is not left", { conversion: corrupt }, "failed corrupt"],
    ["a file with one session key stays, and is not left", { conversion: oneKey }, "kept"],
    [
      "one that cannot be read",
      { reading: { kind: "failed", reason: "unreadable", detail: "EIO" } },
      "failed unreadable, left",
    ],
    ["one that is gone", { reading: { kind: "vanished" } }, "vanished"],
  ];
  for (const [name, case_, expected] of rows)
    it(name, async () => assert.equal(wordOf(await prove({ ...case_, unconditional: true })), expected));
});

describe("prove: what a proof says", () => {
  it("the file that was compared, and its outcome once it is removed", async () => {
    assert.deepEqual(await prove({ conversion: { ...entry, warning: "odd" } }), {
      proven: {
        file: fileOf("s"),
        exact,
        ...{ mtimeMs: nowMs - day, changedMs: nowMs - day, settled: true },
        outcome: {
          ...{ sid: "s", kind: "removed", format: "json", facts, warning: "odd" },
          ...{ mtimeMs: nowMs - day, expiresAtMs: entry.entry.expiresAtMs, bytesRead: 5, bytesWritten: 0 },
        },
        stored: true,
      },
    });
  });

  it("whether it is in doubt", async () => {
    for (const inDoubt of [true, undefined] as const) {
      const comparison: Comparison = inDoubt === true ? { ...different, inDoubt } : different;
      const proof = await prove({ comparison });
      assert("outcome" in proof);
      assert.deepEqual([proof.outcome.inDoubt, proof.outcome.facts], [inDoubt, facts]);
    }
  });

  it("why a file with one session key stays", async () => {
    const proof = await prove({ conversion: oneKey });
    assert("outcome" in proof);
    assert.match(proof.outcome.detail ?? "", /only one of the keys/);
  });

  for (const unmodified of [true, false]) {
    it(`the comparison goes by whether a complete run read the file as it is: ${unmodified}`, async () => {
      const compared: unknown[] = [];
      const compare: RedisParts["compare"] = (candidate) => {
        compared.push(candidate);
        return different;
      };
      await proveBatch(
        [fileOf("s")],
        partsOf(() => ({ unmodified }), { compare }),
      );
      const candidate = { entry: entry.entry, mtimeMs: nowMs - day, fullLifetimeMs: 3000 };
      assert.deepEqual(compared, [unmodified ? { ...candidate, unmodifiedSinceMark: true } : candidate]);
    });
  }

  it("a failure that is Redis's keeps what is known of the session", async () => {
    const proof = await prove({ stored: { kind: "other-type" }, conversion: { ...entry, warning: "odd" } });
    assert("outcome" in proof);
    assert.deepEqual(proof.outcome, {
      ...{ sid: "s", kind: "failed", format: "json", facts, bytesRead: 5, bytesWritten: 0 },
      ...{ mtimeMs: nowMs - day, expiresAtMs: entry.entry.expiresAtMs },
      failure: { sid: "s", reason: "wrong-redis-type", detail: "the key holds no string" },
    });
  });

  it("Redis is not asked where there is nothing to ask for", async () => {
    const look = () => assert.fail("not to be called");
    const vanished: Case = { reading: { kind: "vanished" } };
    const proofs = await proveBatch(
      [fileOf("s")],
      partsOf(() => vanished, { look }),
    );
    assert.deepEqual(proofs.map(wordOf), ["vanished"]);
    assert.deepEqual(
      await proveBatch(
        [],
        partsOf(() => ({}), { look }),
      ),
      [],
    );
  });

  it("a Redis that cannot be asked ends the run", async () => {
    const look = async () => {
      throw new RedisError("unavailable", "lost");
    };
    await assert.rejects(
      proveBatch(
        [fileOf("s")],
        partsOf(() => ({}), { look }),
      ),
      RedisError,
    );
  });

  it("every file gets exactly one proof, and each its own reply", async () => {
    const cases: readonly (readonly [expected: string, case_: Case])[] = [
      ["proven, stored", {}],
      ["vanished", { reading: { kind: "vanished" } }],
      ["empty", { reading: { kind: "empty" } }],
      ["absent, left", { stored: nothing }],
      ["failed wrong-redis-type, left", { stored: { kind: "other-type" } }],
      ["failed corrupt, left", { conversion: corrupt }],
      ["ended", { stored: nothing, missing: "ended" }],
      ["proven, not stored", { conversion: expired, reading: readAt(nowMs - week) }],
      ["kept, left", { conversion: oneKey }],
      ["kept", { conversion: expired }],
      ...failureReasons.map(
        (reason) => [`failed ${reason}, left`, { reading: { kind: "failed", reason, detail: "why" } }] as const,
      ),
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...cases), { maxLength: 40 }), async (chosen) => {
        const proofs = await proveBatch(
          chosen.map((_, index) => fileOf(String(index))),
          partsOf((sid) => chosen[Number(sid)]?.[1] ?? {}),
        );
        const words = proofs.map((proof) => {
          const { file } = "proven" in proof ? proof.proven : proof;
          return [Number(file.sid), wordOf(proof)] as const;
        });
        assert.deepEqual(
          words.sort(([one], [other]) => one - other),
          chosen.map(([expected], index) => [index, expected]),
        );
      }),
    );
  });
});

describe("prove: just before a file goes it is proven again", () => {
  const young = readAt(nowMs - 2000);
  const lost = { stored: nothing, exists: false } as const;
  const rows: readonly (readonly [name: string, first: Case, then: Case, expected: string])[] = [
    ["Redis still has the key", {}, {}, "proven, stored"],
    ["the key is gone", {}, lost, "absent, left"],
    ["the key is gone, for its session ended", {}, { ...lost, missing: "ended" }, "ended"],
    ["the key is gone, and PURGE stands alone", {}, { ...lost, unconditional: true }, "proven, not stored"],
    [
      "what is over is not asked for again",
      { conversion: expired, reading: readAt(nowMs - week) },
      lost,
      "proven, not stored",
    ],
    ["an old file is not read again", {}, { reading: { kind: "vanished" } }, "proven, stored"],
    ["a young file is read again", { reading: young }, { reading: { kind: "vanished" } }, "vanished"],
    ["a young file, and Redis holds something else now", { reading: young }, { comparison: different }, "kept, left"],
    ["a young file, and the key is gone", { reading: young }, lost, "absent, left"],
  ];
  for (const [name, first, then, expected] of rows) {
    it(name, async () => {
      const proof = await prove(first);
      assert("proven" in proof);
      const partsThen = partsOf(() => then);
      assert.deepEqual((await proveAgain([proof.proven], partsThen)).map(wordOf), [expected]);
    });
  }

  it("a young file that another run renames while it is read, and then removes, is gone", async () => {
    const proof = await prove({ reading: young });
    assert("proven" in proof);
    const readings: ExactReading[] = [young, { kind: "vanished" }];
    const read = () => readings.shift() ?? assert.fail("read too often");
    const proofs = await proveAgain([proof.proven], { ...partsOf(() => ({})), read });
    assert.deepEqual(proofs.map(wordOf), ["vanished"]);
  });

  for (const [name, ageMs, settled] of [
    ["2 s", 2000, false],
    ["a little more", 2000.25, true],
  ] as const) {
    it(`${name} before it was opened: its times ${settled ? "" : "do not yet "}tell of every change`, async () => {
      const proof = await prove({ reading: readAt(nowMs - ageMs) });
      assert("proven" in proof);
      assert.equal(proof.proven.settled, settled);
    });
  }

  it("renamed or linked a moment ago: its modification time alone tells nothing", async () => {
    const reading = readAt(nowMs - day);
    assert(reading.kind === "read");
    const linked = { ...reading, stamp: { ...reading.stamp, ctimeMs: nowMs } };
    const proof = await prove({ reading: linked });
    assert("proven" in proof);
    assert.deepEqual([proof.proven.settled, proof.proven.changedMs], [false, nowMs]);
  });

  it("--unverified: a young file is read again, and Redis is not asked", async () => {
    const files = [fileOf("s"), fileOf("t")];
    const read = ({ sid }: SessionFile) => (sid === "s" ? young : readAt(nowMs - day));
    const proven = (await proveBatch(files, { read, convert: () => entry })).flatMap((proof) =>
      "proven" in proof ? [proof.proven] : [],
    );
    const proofs = await proveAgain(proven, {
      read: () => ({ kind: "vanished" }),
      convert: () => entry,
    });
    assert.deepEqual(proofs.map(wordOf), ["vanished", "proven, not stored"]);
  });
});

describe("prove: --unverified takes every file that holds a session, without asking Redis (Purge)", () => {
  const rows: readonly (readonly [name: string, case_: Pick<Case, "reading" | "conversion">, expected: string])[] = [
    ["a session", {}, "proven, not stored"],
    ["one that is over, however young", { conversion: expired, reading: readAt(nowMs) }, "proven, not stored"],
    ["what fails stays, and is not left", { conversion: corrupt }, "failed corrupt"],
    ["a file with one session key stays, and is not left", { conversion: oneKey }, "kept"],
    ["one that is gone", { reading: { kind: "vanished" } }, "vanished"],
    ["an empty one", { reading: { kind: "empty" } }, "empty"],
    ["what is no regular file", { reading: { kind: "ignored" } }, "ignored"],
    [
      "one that cannot be read",
      { reading: { kind: "failed", reason: "unreadable", detail: "EACCES" } },
      "failed unreadable, left",
    ],
  ];
  for (const [name, case_, expected] of rows) {
    it(name, async () => {
      const proofs = await proveBatch(
        [fileOf("s")],
        unaskedPartsOf(() => case_),
      );
      assert.deepEqual(proofs.map(wordOf), [expected]);
    });
  }

  it("the file that was read, and no other", async () => {
    const parts = unaskedPartsOf(() => ({ reading: readAt(9) }));
    assert.deepEqual(await proveBatch([fileOf("s")], parts), [
      {
        proven: {
          file: fileOf("s"),
          exact,
          ...{ mtimeMs: 9, changedMs: 9, settled: true },
          outcome: {
            ...{ sid: "s", kind: "removed", format: "json", facts, bytesRead: 5, bytesWritten: 0 },
            ...{ mtimeMs: 9, expiresAtMs: entry.entry.expiresAtMs },
          },
          stored: false,
        },
      },
    ]);
  });
});
