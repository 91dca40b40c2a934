import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Comparison } from "../../../src/convert/compare-held.js";
import type { Conversion } from "../../../src/convert/convert-session.js";
import { type VerifyParts, verifyBatch } from "../../../src/migrate/lanes/verify-lane.js";
import { RedisError } from "../../../src/model/errors.js";
import type { Held } from "../../../src/model/held.js";
import type { SessionOutcome } from "../../../src/model/outcome.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import type { Reading } from "../../../src/source/read-session-file.js";

const fileOf = (sid: string): SessionFile => ({ directory: "/d", name: `n-${sid}`, layout: "flat", sid });
const whole: Reading = {
  kind: "read",
  read: { bytes: Buffer.from("12345"), mtimeMs: 1, openedAtMs: 2 },
  stamp: { dev: 1, ino: 1, size: 5, mtimeMs: 1, ctimeMs: 1 },
};
const facts = { authenticated: true, lossy: false };
const entryOf = (key: string): Conversion => ({
  kind: "entry",
  format: "json",
  entry: { key, value: "{}", expiresAtMs: 9 },
  fullLifetimeMs: 3000,
  lifetimeOrigin: "authenticated",
  facts,
});
const text: Held = { kind: "text", value: Buffer.from("{}"), expiresAtMs: 9 };
const endless: Held = { ...text, expiresAtMs: null };
const nothing: Held = { kind: "nothing" };
const equal: Comparison = { kind: "equal", lifetimeIsRight: true };
const wrongLifetime: Comparison = { kind: "equal", lifetimeIsRight: false };

/** What a file meets at one look. By default Redis holds an equal entry with a lifetime that is right. */
interface Case {
  readonly reading?: Reading;
  readonly superseded?: boolean;
  readonly conversion?: Conversion;
  readonly held?: Held | undefined;
  readonly comparison?: Comparison;
  /** Whether a complete run read the file as it is. */
  readonly unmodified?: boolean;
  readonly missing?: "expired" | "ended" | "unknown";
}

/** Parts over what each session meets at the first look and at the second, and how often changes were waited for. */
function partsOf(caseOf: (sid: string, look: number) => Case) {
  let waits = 0;
  const looked: string[][] = [];
  const told: string[] = [];
  const of = (sid: string) => caseOf(sid, waits);
  const parts: VerifyParts = {
    read: ({ sid }) => of(sid).reading ?? whole,
    ahead: async () => undefined,
    isSuperseded: ({ sid }) => of(sid).superseded ?? false,
    convert: (_, sid) => of(sid).conversion ?? entryOf(sid),
    look: async (sids) => {
      looked.push([...sids]);
      return sids.flatMap((sid) => {
        const { held } = { held: text, ...of(sid) };
        return held === undefined ? [] : [held];
      });
    },
    compare: (candidate) => of(candidate.entry.key).comparison ?? equal,
    isUnmodified: ({ sid }) => of(sid).unmodified ?? false,
    explainMissing: ({ sid }) => of(sid).missing ?? "missing",
    noteSettled: ({ sid }, { mtimeMs }, kind) => void told.push(`${sid} ${mtimeMs} ${kind}`),
    waitForChanges: async () => {
      waits++;
    },
  };
  return { parts, waits: () => waits, looked, told };
}

const wordOf = ({ kind, failure, inDoubt }: SessionOutcome): string =>
  [kind, failure?.reason, inDoubt && "in doubt"].filter((part) => part !== undefined).join(" ");

const outcomes: readonly (readonly [name: string, case_: Case, expected: string])[] = [
  ["an equal entry", {}, "equal"],
  ["a newer entry", { comparison: { kind: "newer" } }, "newer"],
  ["an equal entry whose lifetime is wrong", { comparison: wrongLifetime }, "wrong-lifetime"],
  ["a newer entry that never ends", { comparison: { kind: "newer" }, held: endless }, "wrong-lifetime"],
  ["another entry", { comparison: { kind: "different" } }, "different"],
  ["doubt about an entry", { comparison: { kind: "different", inDoubt: true } }, "different in doubt"],
  ["no key", { held: nothing }, "missing"],
  ["no key, for it expired", { held: nothing, missing: "expired" }, "expired"],
  ["no key, for it ended", { held: nothing, missing: "ended" }, "ended"],
  ["over already", { conversion: { kind: "expired", format: "json", facts } }, "expired"],
  ["a later file holds the session", { superseded: true }, "superseded"],
  ["a file that is gone", { reading: { kind: "vanished" } }, "vanished"],
  ["an empty file", { reading: { kind: "empty" } }, "empty"],
  ["no regular file", { reading: { kind: "ignored" } }, "ignored"],
  [
    "a file that cannot be read",
    { reading: { kind: "failed", reason: "unreadable", detail: "EACCES" } },
    "failed unreadable",
  ],
  [
    "a corrupt file",
    { conversion: { kind: "failed", format: "pickle", reason: "corrupt", detail: "truncated" } },
    "failed corrupt",
  ],
  ["a key of another type", { held: { kind: "other-type" } }, "failed wrong-redis-type"],
  ["no reply", { held: undefined }, "failed redis-error"],
];
const differences = ["missing", "different", "different in doubt", "wrong-lifetime"];

describe("verify-lane: each file ends as one of the outcomes (spec.md section 4, Verify)", () => {
  for (const [name, case_, expected] of outcomes) {
    it(`${name}: ${expected}`, async () => {
      const { parts, waits } = partsOf(() => case_);
      assert.deepEqual((await verifyBatch([fileOf("s")], parts)).outcomes.map(wordOf), [expected]);
      assert.equal(waits(), differences.includes(expected) ? 1 : 0, "only differences are looked at twice");
    });
  }

  it("what is known of a session is told, and nothing was written", async () => {
    const { parts } = partsOf(() => ({ conversion: { ...entryOf("s"), warning: "odd" } }));
    const known = { format: "json", facts, warning: "odd", bytesRead: 5, bytesWritten: 0 };
    assert.deepEqual(await verifyBatch([fileOf("s")], parts), {
      outcomes: [{ sid: "s", kind: "equal", ...known }],
      deferred: [],
    });
  });

  const details: readonly (readonly [kind: string, case_: Case, detail: RegExp])[] = [
    ["missing", { held: nothing }, /no key/],
    ["different", { comparison: { kind: "different" } }, /older value/],
    ["different", { comparison: { kind: "different", inDoubt: true } }, /in doubt/],
    ["wrong-lifetime", { comparison: wrongLifetime }, /lifetime/],
  ];
  for (const [kind, case_, detail] of details) {
    it(`${kind}: the report says which file, and ${detail}`, async () => {
      const { outcomes } = await verifyBatch([fileOf("s")], partsOf(() => case_).parts);
      const [{ difference } = assert.fail("no outcome")] = outcomes;
      assert.match(difference?.detail ?? "", detail);
      assert.deepEqual([difference?.sid, difference?.path, difference?.kind], ["s", "/d/n-s", kind]);
    });
  }

  it("a failure says which file", async () => {
    const { parts } = partsOf(() => ({ held: { kind: "unreadable", detail: "too long" } }));
    const { outcomes } = await verifyBatch([fileOf("s")], parts);
    assert.deepEqual(outcomes[0]?.failure, {
      ...{ sid: "s", path: "/d/n-s", reason: "redis-error", detail: "too long" },
    });
  });

  for (const [name, unmodified] of [
    ["a file as the last complete run read it", true],
    ["any other", false],
  ] as const) {
    it(`compared with what is known of it: ${name}`, async () => {
      const { parts } = partsOf(() => ({ unmodified }));
      const compared: unknown[] = [];
      const compare: VerifyParts["compare"] = (candidate) => {
        compared.push(candidate);
        return equal;
      };
      await verifyBatch([fileOf("s")], { ...parts, compare });
      const candidate = {
        entry: { key: "s", value: "{}", expiresAtMs: 9 },
        mtimeMs: 1,
        fullLifetimeMs: 3000,
      };
      assert.deepEqual(compared, [unmodified ? { ...candidate, unmodifiedSinceMark: true } : candidate]);
    });
  }

  it("Redis is not asked where there is nothing to ask for", async () => {
    const { parts, looked } = partsOf(() => ({ reading: { kind: "vanished" } }));
    await verifyBatch([fileOf("s")], parts);
    assert.deepEqual(await verifyBatch([], parts), { outcomes: [], deferred: [] });
    assert.deepEqual(looked, []);
  });

  for (const [name, at] of [
    ["first", 1],
    ["second", 2],
  ] as const) {
    it(`a Redis that cannot be asked at the ${name} look ends the run`, async () => {
      const { parts } = partsOf(() => ({ held: nothing }));
      let looks = 0;
      const look: VerifyParts["look"] = async (sids) => {
        if (++looks === at) throw new RedisError("unavailable", "lost");
        return parts.look(sids);
      };
      await assert.rejects(verifyBatch([fileOf("s")], { ...parts, look }), RedisError);
    });
  }
});

describe("verify-lane: a save that falls between the two readings is no difference: it is looked at twice", () => {
  const changes: readonly (readonly [name: string, first: Case, second: Case, expected: string])[] = [
    ["missing, then there", { held: nothing }, {}, "equal"],
    ["different, then read again and equal", { comparison: { kind: "different" } }, {}, "equal"],
    [
      "different, then newer",
      { comparison: { kind: "different" } },
      { comparison: { kind: "newer" } },
      "newer",
    ],
    ["without a lifetime, which comes a moment later", { comparison: wrongLifetime }, {}, "equal"],
    ["missing, for its owner logged out", { held: nothing }, { reading: { kind: "vanished" } }, "vanished"],
    [
      "missing, then of another type",
      { held: nothing },
      { held: { kind: "other-type" } },
      "failed wrong-redis-type",
    ],
    ["missing, then superseded", { held: nothing }, { superseded: true }, "superseded"],
    ["missing twice", { held: nothing }, { held: nothing }, "missing"],
    ["different, then missing", { comparison: { kind: "different" } }, { held: nothing }, "missing"],
  ];
  for (const [name, first, second, expected] of changes) {
    it(`${name}: ${expected}`, async () => {
      const { parts, waits } = partsOf((_, look) => (look === 0 ? first : second));
      assert.deepEqual((await verifyBatch([fileOf("s")], parts)).outcomes.map(wordOf), [expected]);
      assert.equal(waits(), 1);
    });
  }

  it("only what differed is looked at again, after one wait for the whole batch", async () => {
    const { parts, waits, looked } = partsOf((sid, look) => {
      assert(look === 0 || sid !== "equal");
      return sid === "equal" ? {} : { held: nothing };
    });
    await verifyBatch(["a", "equal", "b"].map(fileOf), parts);
    assert.deepEqual(looked, [
      ["a", "equal", "b"],
      ["a", "b"],
    ]);
    assert.equal(waits(), 1);
  });
});

describe("verify-lane: what a missing key means may show only once the whole directory was seen (Marks)", () => {
  it("then it is looked at twice, has no outcome yet, and nobody is told of it", async () => {
    const { parts, waits, told } = partsOf((sid) =>
      sid === "a" ? { held: nothing, missing: "unknown" } : {},
    );
    const { outcomes, deferred } = await verifyBatch(["a", "b"].map(fileOf), parts);
    assert.deepEqual([outcomes.map(({ sid }) => sid), deferred], [["b"], [fileOf("a")]]);
    assert.deepEqual([waits(), told], [1, ["b 1 equal"]]);
  });

  it("a key that is there at the second look is no longer missing", async () => {
    const { parts } = partsOf((_, look) => (look === 0 ? { held: nothing, missing: "unknown" } : {}));
    const { outcomes, deferred } = await verifyBatch([fileOf("s")], parts);
    assert.deepEqual([outcomes.map(wordOf), deferred], [["equal"], []]);
  });

  it("only sessions that were compared are told of, each once", async () => {
    const cases: Readonly<Record<string, Case>> = {
      ended: { held: nothing, missing: "ended" },
      missing: { held: nothing },
      vanished: { reading: { kind: "vanished" } },
      superseded: { superseded: true },
    };
    const { parts, told } = partsOf((sid) => cases[sid] ?? {});
    await verifyBatch(Object.keys(cases).map(fileOf), parts);
    assert.deepEqual(told, ["ended 1 ended", "missing 1 missing"]);
  });
});

describe("verify-lane: whatever it meets", () => {
  it("every file gets exactly one outcome, and each its own", async () => {
    const replied = outcomes.filter(([name]) => name !== "no reply");
    const meeting = fc.tuple(fc.constantFrom(...replied), fc.constantFrom(...replied));
    await fc.assert(
      fc.asyncProperty(fc.array(meeting, { maxLength: 30 }), async (meetings) => {
        const { parts } = partsOf((sid, look) => meetings[Number(sid)]?.[look === 0 ? 0 : 1][1] ?? {});
        const done = await verifyBatch(
          meetings.map((_, index) => fileOf(String(index))),
          parts,
        );
        const expected = meetings.map(([[, , first], [, , second]], index) => [
          index,
          differences.includes(first) ? second : first,
        ]);
        assert.deepEqual(
          done.outcomes
            .map((outcome) => [Number(outcome.sid), wordOf(outcome)] as const)
            .sort(([one], [other]) => one - other),
          expected,
        );
      }),
    );
  });
});
