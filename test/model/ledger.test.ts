import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { ageBuckets } from "../../src/model/counts.js";
import { Ledger } from "../../src/model/ledger.js";
import { type Failure, failureReasons, outcomeKinds, type SessionOutcome } from "../../src/model/outcome.js";

const outcome = (part: Partial<SessionOutcome>): SessionOutcome => ({
  sid: "s",
  kind: "copied",
  bytesRead: 0,
  bytesWritten: 0,
  ...part,
});

const anyOutcome: fc.Arbitrary<SessionOutcome> = fc
  .record({
    kind: fc.constantFrom(...outcomeKinds, "empty" as const, "ignored" as const),
    reason: fc.constantFrom(...failureReasons),
    authenticated: fc.boolean(),
    bytesRead: fc.nat(),
  })
  .map(({ kind, reason, authenticated, bytesRead }) =>
    outcome({
      kind,
      bytesRead,
      ...(kind === "failed"
        ? { failure: { sid: "s", reason, detail: "" } }
        : { facts: { authenticated, lossy: false } }),
    }),
  );

describe("ledger", () => {
  it("is empty at first", () => {
    const { counts, failures, warnings, unvisited } = new Ledger();
    assert.deepEqual([counts.found, failures.length, warnings.size, unvisited, counts.reasons.size], [0, 0, 0, 0, 0]);
  });

  it("found is the sum of the outcomes, always (spec.md section 5)", () => {
    fc.assert(
      fc.property(fc.array(anyOutcome, { maxLength: 300 }), (outcomes) => {
        const told: Failure[] = [];
        const ledger = new Ledger({ onFailure: (failure) => told.push(failure) });
        for (const each of outcomes) {
          ledger.record(each, "/srv/s");
          const { counts } = ledger;
          assert.equal(
            counts.found,
            Object.values(counts.outcomes).reduce((sum, count) => sum + count, 0),
          );
        }
        const { counts } = ledger;
        assert.equal(counts.directories.get("/srv/s")?.found ?? 0, counts.found);
        assert.equal(counts.found + counts.empty + counts.ignored, outcomes.length);
        assert.equal(
          counts.bytesRead,
          outcomes.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
        );
        assert.equal(counts.authenticated + counts.anonymous, outcomes.filter(({ facts }) => facts).length);
        assert.equal(told.length, counts.outcomes.failed);
        assert.equal(
          [...counts.reasons.values()].reduce((sum, count) => sum + count, 0),
          counts.outcomes.failed,
        );
        assert.deepEqual(ledger.failures, told.slice(0, 100));
      }),
    );
  });

  for (const [name, part, expected] of [
    ["pickle", { format: "pickle" }, { formats: { pickle: 1, json: 0 } }],
    ["json", { format: "json" }, { formats: { pickle: 0, json: 1 } }],
    ["authenticated", { facts: { authenticated: true, lossy: false } }, { authenticated: 1, anonymous: 0, lossy: 0 }],
    [
      "anonymous and lossy",
      { facts: { authenticated: false, lossy: true } },
      { authenticated: 0, anonymous: 1, lossy: 1 },
    ],
    ["bytes", { bytesRead: 3, bytesWritten: 4 }, { bytesRead: 3, bytesWritten: 4 }],
    ["empty is no session", { kind: "empty" }, { found: 0, empty: 1 }],
    ["ignored is no session", { kind: "ignored" }, { found: 0, ignored: 1 }],
  ] as const) {
    it(`counts: ${name}`, () => {
      const ledger = new Ledger();
      ledger.record(outcome(part), "/srv/s");
      for (const [key, value] of Object.entries(expected))
        assert.deepEqual(Object.entries(ledger.counts).find(([each]) => each === key)?.[1], value);
    });
  }

  it("keeps suspicious failures before all others, however late they come", () => {
    const ledger = new Ledger();
    const fail = (sid: string, suspicious?: true) =>
      ledger.record(
        outcome({
          kind: "failed",
          failure: { sid, reason: "corrupt", detail: "", ...(suspicious && { suspicious }) },
        }),
        "/srv/s",
      );
    for (let index = 0; index < 100; index++) fail(`s${index}`);
    fail("planted", true);
    fail("s100");
    fail("planted too", true);
    const kept = ledger.failures.map(({ sid }) => sid);
    assert.equal(kept.length, 100);
    assert.deepEqual(kept.slice(0, 3), ["planted", "planted too", "s0"]);
    assert.equal(kept.at(-1), "s97");
    for (let index = 0; index < 200; index++) fail(`planted ${index}`, true);
    assert.equal(ledger.failures.length, 100);
    assert.equal(ledger.failures.at(-1)?.sid, "planted 97");
  });

  it("keeps the first 100 failures; its listener hears of all, as they happen", () => {
    const told: string[] = [];
    const ledger = new Ledger({ onFailure: ({ sid }) => told.push(sid) });
    for (let index = 0; index < 1000; index++) {
      ledger.record(
        outcome({ kind: "failed", failure: { sid: `s${index}`, reason: "corrupt", detail: "" } }),
        "/srv/s",
      );
      assert.equal(told.at(-1), `s${index}`);
    }
    assert.deepEqual(
      ledger.failures.map(({ sid }) => sid),
      told.slice(0, 100),
    );
    assert.equal(told.length, 1000);
    assert.equal(ledger.counts.reasons.get("corrupt"), 1000);
  });

  it("counts each warning, and unvisited files apart from the sum", () => {
    const ledger = new Ledger();
    for (const warning of ["a", "b", "a"]) ledger.record(outcome({ warning }), "/srv/s");
    ledger.recordUnvisited(5);
    ledger.recordUnvisited(2);
    assert.deepEqual(
      [...ledger.warnings],
      [
        ["a", 2],
        ["b", 1],
      ],
    );
    assert.deepEqual([ledger.unvisited, ledger.counts.found], [7, 3]);
  });
});

describe("ledger: what the report's charts show", () => {
  const hourMs = 3_600_000;
  const facts = { authenticated: true, lossy: false };

  it("found and failed by directory, also of pages that were added", () => {
    const [ledger, other] = [new Ledger(), new Ledger()];
    const failure = { sid: "s", reason: "corrupt", detail: "" } as const;
    ledger.record(outcome({}), "/srv/a");
    ledger.record(outcome({ kind: "failed", failure }), "/srv/b");
    ledger.record(outcome({ kind: "empty" }), "/srv/b");
    other.record(outcome({}), "/srv/b");
    ledger.add(other.page);
    assert.deepEqual(Object.fromEntries(ledger.counts.directories), {
      "/srv/a": { found: 1, failed: 0 },
      "/srv/b": { found: 2, failed: 1 },
    });
  });

  const ages: readonly (readonly [name: string, hours: number, underHours: number])[] = [
    ["a file from the future", -5, 1],
    ["just saved", 0, 1],
    ["59 minutes", 59 / 60, 1],
    ["an hour and a bit", 1.01, 3],
    ["six days and a bit", 145, 168],
    ["a year", 8760, Number.POSITIVE_INFINITY],
  ];
  for (const [name, hours, underHours] of ages) {
    it(`age: ${name}`, () => {
      const [ledger, sum] = [new Ledger(), new Ledger()];
      ledger.record(outcome({ facts, mtimeMs: Date.now() - hours * hourMs }), "/srv/s");
      sum.add(ledger.page);
      const expected = ageBuckets.map((under) => ({
        authenticated: under === underHours ? 1 : 0,
        anonymous: 0,
      }));
      assert.deepEqual(sum.counts.ages, expected);
    });
  }

  it("lifetimes written, by the hour in which they end: of what was copied or renewed, not taken back", () => {
    const ledger = new Ledger();
    const hour = Math.floor(Date.now() / hourMs) + 10;
    const expiresAtMs = hour * hourMs + 5;
    for (const kind of ["copied", "copied", "identical", "kept", "equal"] as const) {
      ledger.record(outcome({ kind, expiresAtMs }), "/srv/s");
    }
    ledger.record(outcome({ kind: "identical" }), "/srv/s");
    ledger.recordRetracted({ renewed: false, bytes: 0, expiresAtMs });
    assert.deepEqual([...ledger.counts.lifetimes], [[hour, 2]]);
  });

  it("lifetimes of 300 years take no more room than those of 60 days", () => {
    const ledger = new Ledger();
    for (let index = 0; index < 5000; index++) {
      ledger.record(outcome({ expiresAtMs: Date.now() + index * 1000 * hourMs }), "/srv/s");
    }
    assert.ok(ledger.counts.lifetimes.size < 5);
  });
});

describe("ledger: a session that ended after its write (spec.md section 4, Logouts)", () => {
  it("turns from copied to vanished, and its bytes no longer count as written; bytes read stay", () => {
    const ledger = new Ledger();
    const facts = { authenticated: true, lossy: false };
    for (const bytesWritten of [7, 9])
      ledger.record(outcome({ facts, format: "json", bytesRead: 5, bytesWritten }), "/srv/s");
    ledger.recordRetracted({ renewed: false, bytes: 9, expiresAtMs: 0 });
    const { outcomes, found, bytesRead, bytesWritten, authenticated, formats } = ledger.counts;
    assert.deepEqual([outcomes.copied, outcomes.vanished, found], [1, 1, 2]);
    assert.deepEqual([bytesRead, bytesWritten, authenticated, formats.json], [10, 7, 2, 2]);
  });

  it("turns from identical to vanished if only its lifetime was renewed", () => {
    const ledger = new Ledger();
    for (const kind of ["copied", "identical"] as const) ledger.record(outcome({ kind, bytesWritten: 0 }), "/srv/s");
    ledger.recordRetracted({ renewed: true, bytes: 9, expiresAtMs: 0 });
    const { outcomes, found, bytesWritten } = ledger.counts;
    assert.deepEqual([outcomes.copied, outcomes.identical, outcomes.vanished], [1, 0, 1]);
    assert.deepEqual([found, bytesWritten], [2, 0]);
  });

  it("found stays the sum of the outcomes (section 5)", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ bytes: fc.nat(1000), ended: fc.boolean() })), (sessions) => {
        const ledger = new Ledger();
        for (const { bytes } of sessions) ledger.record(outcome({ bytesWritten: bytes }), "/srv/s");
        for (const { bytes, ended } of sessions)
          if (ended) ledger.recordRetracted({ renewed: false, bytes, expiresAtMs: 0 });
        const { outcomes, found, bytesWritten } = ledger.counts;
        const stayed = sessions.filter(({ ended }) => !ended);
        assert.deepEqual([found, outcomes.copied + outcomes.vanished], [sessions.length, sessions.length]);
        assert.equal(outcomes.copied, stayed.length);
        assert.equal(
          bytesWritten,
          stayed.reduce((sum, { bytes }) => sum + bytes, 0),
        );
      }),
    );
  });
});
