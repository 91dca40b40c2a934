import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Conversion } from "../../../src/convert/convert-session.js";
import { type LaneParts, runLane } from "../../../src/migrate/lanes/lane.js";
import type { Settlement } from "../../../src/migrate/lanes/settle-entries.js";
import type { Candidate } from "../../../src/model/entry.js";
import { RedisError } from "../../../src/model/errors.js";
import type { SessionOutcome } from "../../../src/model/outcome.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import type { Reading } from "../../../src/source/read-session-file.js";

const fileOf = (sid: string): SessionFile => ({ directory: "/d", name: sid, layout: "flat", sid });
const whole: Reading = {
  kind: "read",
  read: { bytes: Buffer.from("12345"), mtimeMs: 1, openedAtMs: 2 },
  stamp: { dev: 1, ino: 1, size: 5, mtimeMs: 1, ctimeMs: 1 },
};
const facts = { authenticated: true, lossy: false };
const entryOf = (value: string): Conversion => ({
  kind: "entry",
  format: "json",
  entry: { key: "k", value, expiresAtMs: 9 },
  fullLifetimeMs: 3000,
  lifetimeOrigin: "authenticated",
  facts,
});
const copied: Settlement = { kind: "copied" };

/** Files that stay where they are, each the only one of its session, and that no earlier run saw to. */
const there = {
  ahead: async () => undefined,
  isSuperseded: () => false,
  judge: () => ({}),
  noteSettled: () => undefined,
  deleteOver: async () => undefined,
  takeBackGone: async () => new Set<SessionFile>(),
  timesLost: () => 0,
};

const never = () => {
  throw new Error("not to be called");
};

describe("lane: one outcome for every file (design.md section 2)", () => {
  const rows: readonly (readonly [
    name: string,
    parts: Partial<LaneParts>,
    expected: Omit<SessionOutcome, "sid">,
  ])[] = [
    ["vanished", { read: () => ({ kind: "vanished" }) }, { kind: "vanished", bytesRead: 0, bytesWritten: 0 }],
    ["empty", { read: () => ({ kind: "empty" }) }, { kind: "empty", bytesRead: 0, bytesWritten: 0 }],
    ["ignored", { read: () => ({ kind: "ignored" }) }, { kind: "ignored", bytesRead: 0, bytesWritten: 0 }],
    [
      "unreadable",
      { read: () => ({ kind: "failed", reason: "unreadable", detail: "EACCES" }) },
      {
        kind: "failed",
        failure: { sid: "s", path: "/d/s", reason: "unreadable", detail: "EACCES" },
        bytesRead: 0,
        bytesWritten: 0,
      },
    ],
    [
      "corrupt",
      {
        read: () => whole,
        convert: () => ({ kind: "failed", format: "pickle", reason: "corrupt", detail: "truncated" }),
      },
      {
        kind: "failed",
        format: "pickle",
        failure: { sid: "s", path: "/d/s", reason: "corrupt", detail: "truncated" },
        bytesRead: 5,
        bytesWritten: 0,
      },
    ],
    [
      "expired, with a warning",
      { read: () => whole, convert: () => ({ kind: "expired", format: "json", facts, warning: "odd" }) },
      { kind: "expired", format: "json", facts, warning: "odd", bytesRead: 5, bytesWritten: 0 },
    ],
    [
      "copied",
      { read: () => whole, convert: () => entryOf("{}"), settle: async () => [copied] },
      { kind: "copied", format: "json", facts, bytesRead: 5, bytesWritten: 2 },
    ],
    [
      "not written",
      {
        read: () => whole,
        convert: () => entryOf("{}"),
        settle: async () => [{ kind: "failed", reason: "redis-error", detail: "Redis answered ERR" }],
      },
      {
        kind: "failed",
        format: "json",
        facts,
        failure: { sid: "s", path: "/d/s", reason: "redis-error", detail: "Redis answered ERR" },
        bytesRead: 5,
        bytesWritten: 0,
      },
    ],
    ...(["identical", "kept"] as const).map(
      (kind) =>
        [
          kind,
          {
            read: () => whole,
            convert: () => entryOf("{}"),
            settle: async () => [{ kind, warning: "odd" } as const],
          },
          { kind, format: "json", facts, warning: "odd", bytesRead: 5, bytesWritten: 0 },
        ] as const,
    ),
    [
      "no reply",
      { read: () => whole, convert: () => entryOf("{}"), settle: async () => [] },
      {
        kind: "failed",
        format: "json",
        facts,
        failure: { sid: "s", path: "/d/s", reason: "redis-error", detail: "no reply" },
        bytesRead: 5,
        bytesWritten: 0,
      },
    ],
  ];
  for (const [name, parts, expected] of rows) {
    it(name, async () => {
      const result = await runLane([fileOf("s")], {
        ...{ read: never, convert: never, settle: never },
        ...there,
        ...parts,
      });
      assert.deepEqual(result, { outcomes: [{ sid: "s", ...expected }], deferred: [] });
    });
  }

  it("an empty batch writes nothing", async () =>
    assert.deepEqual(await runLane([], { read: never, convert: never, settle: never, ...there }), {
      outcomes: [],
      deferred: [],
    }));
});

describe("lane: pipelines", () => {
  /** The bytes of every pipeline that values of these sizes go in. */
  async function pipelinesOf(sizes: readonly number[]): Promise<number[][]> {
    const pipelines: number[][] = [];
    const files = sizes.map((size) => fileOf(String(size)));
    const { outcomes } = await runLane(files, {
      read: () => whole,
      convert: (_, sid) => entryOf("x".repeat(Number(sid))),
      settle: async (candidates: readonly Candidate[]) => {
        pipelines.push(candidates.map(({ entry }) => entry.value.length));
        return candidates.map(() => copied);
      },
      ...there,
    });
    assert.deepEqual(
      outcomes.map(({ bytesWritten }) => bytesWritten),
      sizes,
    );
    return pipelines;
  }
  const million = 1024 * 1024;

  it("small ones go in one", async () => assert.deepEqual(await pipelinesOf([1, 2, 3]), [[1, 2, 3]]));
  it("one ends as soon as it holds 4 MiB", async () => {
    assert.deepEqual(await pipelinesOf([4 * million]), [[4 * million]]);
    assert.deepEqual(await pipelinesOf([1, 4 * million - 1, 7, 8]), [
      [1, 4 * million - 1],
      [7, 8],
    ]);
    assert.deepEqual(await pipelinesOf([5 * million, 5 * million, 1]), [[5 * million], [5 * million], [1]]);
  });

  it("each reply belongs to its own entry", async () => {
    const { outcomes } = await runLane(["a", "b", "c", "d"].map(fileOf), {
      read: (file) => (file.sid === "b" ? { kind: "vanished" } : whole),
      convert: () => entryOf("{}"),
      settle: async () => [copied, { kind: "failed", reason: "redis-error", detail: "of c" }, copied],
      ...there,
    });
    const kinds = Object.fromEntries(outcomes.map(({ sid, kind }) => [sid, kind]));
    assert.deepEqual(kinds, { a: "copied", b: "vanished", c: "failed", d: "copied" });
  });

  it("what ends the run comes back with the outcomes of the pipelines before it", async () => {
    const settle = async (candidates: readonly Candidate[]) => {
      if (candidates.length === 1) return [copied];
      throw new RedisError("refused", "no");
    };
    const convert = (_: unknown, sid: string) => entryOf(sid === "a" ? "x".repeat(4 * million) : "{}");
    const { outcomes, error } = await runLane(["a", "b", "c"].map(fileOf), {
      read: () => whole,
      convert,
      settle,
      ...there,
    });
    assert.deepEqual(
      outcomes.map(({ sid, kind }) => [sid, kind]),
      [["a", "copied"]],
    );
    assert(error instanceof RedisError);
  });

  it("an entry whose instant passed before it was sent is expired", async () => {
    const settle = async () => [{ kind: "expired" } as const];
    const { outcomes } = await runLane([fileOf("a")], {
      read: () => whole,
      convert: () => entryOf("{}"),
      settle,
      ...there,
    });
    assert.deepEqual(
      outcomes.map(({ kind, bytesWritten }) => [kind, bytesWritten]),
      [["expired", 0]],
    );
  });

  it("what is gone once it is written is taken back (spec.md section 4, Logouts)", async () => {
    const taken: string[] = [];
    const { outcomes } = await runLane(["a", "b", "c"].map(fileOf), {
      read: () => whole,
      convert: (_, sid) => entryOf(sid),
      settle: async () => [copied, copied, { kind: "identical" }],
      ...there,
      timesLost: () => 7,
      takeBackGone: async (written, timesLost) => {
        taken.push(...written.map(({ candidate }) => `${candidate.entry.value} ${timesLost}`));
        return new Set(written.map(({ file }) => file).filter(({ sid }) => sid !== "a"));
      },
    });
    assert.deepEqual(
      outcomes.map(({ sid, kind }) => [sid, kind]),
      [
        ["a", "copied"],
        ["b", "vanished"],
        ["c", "identical"],
      ],
    );
    assert.deepEqual(taken, ["a 7", "b 7"]);
  });

  it("a key that was renewed is taken back as Redis holds it since; one that was left alone is not", async () => {
    const taken: string[] = [];
    const renewed = { key: "k", value: "as Redis has it", expiresAtMs: 99 };
    const { outcomes } = await runLane(["a", "b"].map(fileOf), {
      ...{ read: () => whole, convert: (_, sid) => entryOf(sid) },
      settle: async () => [{ kind: "identical", renewed }, { kind: "identical" }],
      ...there,
      takeBackGone: async (written) => {
        taken.push(...written.map(({ candidate: { entry } }) => `${entry.value} ${entry.expiresAtMs}`));
        return new Set(written.map(({ file }) => file));
      },
    });
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["vanished", "identical"],
    );
    assert.deepEqual(taken, ["as Redis has it 99"]);
  });

  it("of one sid in two files the earlier is superseded, and not converted (One sid, two files)", async () => {
    const { outcomes } = await runLane([fileOf("a")], {
      ...{ read: () => whole, convert: never, settle: never },
      ...there,
      isSuperseded: (_, { mtimeMs }) => mtimeMs === 1,
    });
    assert.deepEqual(outcomes, [{ sid: "a", kind: "superseded", bytesRead: 5, bytesWritten: 0 }]);
  });

  it("what earlier runs say about a session comes with its candidate (Marks)", async () => {
    const judged = { ifMissing: "ended", covered: true, unmodifiedSinceMark: true } as const;
    const asked: unknown[] = [];
    const candidates: Candidate[] = [];
    await runLane(["a", "b"].map(fileOf), {
      ...{ read: () => whole, convert: () => entryOf("{}") },
      ...there,
      judge: ({ sid }, stamp, { fullLifetimeMs }) => {
        asked.push([sid, stamp.mtimeMs, fullLifetimeMs]);
        return sid === "b" ? judged : {};
      },
      settle: async (given) => {
        candidates.push(...given);
        return given.map(() => copied);
      },
    });
    const known = { entry: { key: "k", value: "{}", expiresAtMs: 9 }, mtimeMs: 1, fullLifetimeMs: 3000 };
    assert.deepEqual(candidates, [known, { ...known, ...judged }]);
    assert.deepEqual(asked, [
      ["a", 1, 3000],
      ["b", 1, 3000],
    ]);
  });

  it("a deferred session has no outcome yet, and nobody is told of it (Where the server works)", async () => {
    const settlements: readonly Settlement[] = [copied, { kind: "deferred" }, { kind: "ended" }];
    const told: string[] = [];
    const { outcomes, deferred } = await runLane(["a", "b", "c"].map(fileOf), {
      ...{ read: () => whole, convert: () => entryOf("{}"), settle: async () => settlements },
      ...there,
      noteSettled: ({ file }, kind) => void told.push(`${file.sid} ${kind}`),
    });
    assert.deepEqual(deferred, [fileOf("b")]);
    assert.deepEqual(
      outcomes.map(({ sid, kind, bytesWritten }) => [sid, kind, bytesWritten]),
      [
        ["a", "copied", 2],
        ["c", "ended", 0],
      ],
    );
    assert.deepEqual(told, ["a copied", "c ended"]);
  });

  it("what was written blindly is not taken back: the file may have gone because another run purged it", async () => {
    const taken: string[] = [];
    await runLane(["a", "b"].map(fileOf), {
      ...{ read: () => whole, convert: (_, sid) => entryOf(sid) },
      settle: async () => [copied, { kind: "copied", blindly: true }],
      ...there,
      takeBackGone: async (written) => {
        taken.push(...written.map(({ file }) => file.sid));
        return new Set<SessionFile>();
      },
    });
    assert.deepEqual(taken, ["a"]);
  });
});

describe("lane: keys of sessions that are over by their own deletion_time are deleted (Lifetime)", () => {
  const over = { kind: "expired", format: "json", facts } as const;
  const rows: readonly (readonly [name: string, conversion: Conversion, deleted: readonly string[]])[] = [
    ["its deletion_time is past", { ...over, deletedAtMs: 5 }, ["s"]],
    ["its own expiration is negative", over, []],
    ["it lives", entryOf("{}"), []],
  ];
  for (const [name, conversion, expected] of rows) {
    it(`${name}: ${expected.length > 0 ? "deleted" : "left alone"}`, async () => {
      const deleted: string[] = [];
      await runLane([fileOf("s")], {
        ...{ read: () => whole, convert: () => conversion, settle: async () => [copied] },
        ...there,
        deleteOver: async (files) => void deleted.push(...files.map(({ sid }) => sid)),
      });
      assert.deepEqual(deleted, expected);
    });
  }
});
