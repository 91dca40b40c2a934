import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type CompleteRun, completeMarks } from "../../../src/migrate/earlier-runs/complete-mark.js";
import { FactsBySession } from "../../../src/migrate/earlier-runs/facts-by-session.js";
import type { DirectoryMark, ShardMark } from "../../../src/model/mark.js";
import { isInShard, parseShard, type Shard, shardText, wholeShard } from "../../../src/model/shard.js";
import { sidOf } from "../../end-to-end/support/made-session.js";
import { expirations, factsOf, markAt } from "../survey-of.js";

const nowMs = 1000;

function shard(text: string): Shard {
  const read = parseShard(text);
  if (read === undefined) throw new Error(`${text} is no shard`);
  return read;
}

const left = (text: string, mark: DirectoryMark): ShardMark => ({ shard: shard(text), mark });

/** A run over a shard that began at 500, did not renew and used the usual settings. */
function runWith(change: Partial<CompleteRun> = {}): CompleteRun {
  const lifetimes = { ...expirations, ttl: "full" as const };
  return { startedMs: 500, keeps: false, renewed: false, lifetimes, ...change };
}

/** By shard, when its mark started, renewed, and started without keep. */
type Short = Readonly<Record<string, readonly number[]>>;

function short(marks: readonly ShardMark[]): Short {
  return Object.fromEntries(
    marks.map(({ shard: of, mark }) => [
      shardText(of),
      [mark.startedMs, mark.renewedMs, mark.startedWithoutKeepMs ?? []].flat(),
    ]),
  );
}

describe("complete-mark: shards (spec.md section 4, Marks)", () => {
  const of = (text: string, ms: number, change = {}) => left(text, markAt(ms, change));
  const four = [of("1/4", 103), of("2/4", 102), of("3/4", 101), of("4/4", 100)];
  const rows: readonly (readonly [
    name: string,
    earlier: readonly ShardMark[],
    shard: string,
    run: CompleteRun,
    expected: Short,
  ])[] = [
    ["the first of four", [], "1/4", runWith(), { "1/4": [500, 500, 500] }],
    [
      "the next of four leaves the others' alone",
      [of("1/4", 100)],
      "2/4",
      runWith(),
      { "1/4": [100, 100, 100], "2/4": [500, 500, 500] },
    ],
    [
      "one over everything takes the place of all four, which renewed at 103 at the latest",
      four,
      "1/1",
      runWith(),
      { "1/1": [500, 103, 500] },
    ],
    [
      "with keep: the first of their starts without it",
      four,
      "1/1",
      runWith({ keeps: true }),
      { "1/1": [500, 103, 100] },
    ],
    ["renewed: its own start", four, "1/1", runWith({ renewed: true }), { "1/1": [500, 500, 500] }],
    [
      "over three of four: the keys of the fourth are new",
      four.slice(1),
      "1/1",
      runWith({ keeps: true }),
      { "1/1": [500, 500] },
    ],
    [
      "four after one over everything, which still counts for the others",
      [of("1/1", 100)],
      "2/4",
      runWith(),
      { "2/4": [500, 100, 500], "1/1": [100, 100, 100] },
    ],
    [
      "another number of shards: what may count for any of its sids",
      four,
      "1/3",
      runWith(),
      {
        "1/3": [500, 103, 500],
        "1/4": [103, 103, 103],
        "2/4": [102, 102, 102],
        "3/4": [101, 101, 101],
        "4/4": [100, 100, 100],
      },
    ],
    [
      "half of it: only the two that share sids with it",
      four,
      "2/2",
      runWith({ keeps: true }),
      { "1/4": [103, 103, 103], "3/4": [101, 101, 101], "2/2": [500, 102, 100] },
    ],
    [
      "a run over everything that began later counts; this one adds no mark",
      [of("1/1", 600)],
      "2/4",
      runWith(),
      { "1/1": [600, 600, 600] },
    ],
    [
      "a run over a part that began later: its mark stays beside",
      [of("1/4", 600)],
      "1/2",
      runWith(),
      { "1/4": [600, 600, 600], "1/2": [500, 500, 500] },
    ],
    [
      "the clock of an earlier run was ahead: its mark is nothing",
      [of("1/4", 1001), of("2/4", 1001)],
      "1/2",
      runWith(),
      { "1/2": [500, 500, 500], "2/4": [1001, 1001, 1001] },
    ],
    [
      "numbers that have too many parts in common: nothing is known of some",
      [of("1/999999937", 100)],
      "1/999999929",
      runWith({ keeps: true }),
      { "1/999999929": [500, 500], "1/999999937": [100, 100, 100] },
    ],
  ];
  for (const [name, earlier, text, run, expected] of rows) {
    it(name, () => assert.deepEqual(short(completeMarks(earlier, shard(text), run, nowMs)), expected));
  }

  it("expirations: the shortest and longest of all parts, also in marks of runs that began later", () => {
    const shorter = { expiration: 10, expirationAnonymous: 20 };
    const longer = { expiration: 700_000, expirationAnonymous: 20_000 };
    const earlier = [
      of("1/2", 100, { shortest: shorter, longest: shorter, ttl: "remaining" }),
      of("2/2", 100, { shortest: longer, longest: longer, ttl: "remaining" }),
    ];
    const remaining = runWith({ lifetimes: { ...expirations, ttl: "remaining" } });
    const [whole] = completeMarks(earlier, wholeShard, remaining, nowMs);
    assert.deepEqual(
      whole?.mark,
      markAt(500, { renewedMs: 100, shortest: shorter, longest: longer, ttl: "remaining" }),
    );
    const later = [of("1/1", 600, { shortest: longer, longest: longer })];
    const run = runWith({ lifetimes: { ...shorter, ttl: "full" } });
    assert.deepEqual(completeMarks(later, shard("1/2"), run, nowMs), [
      of("1/1", 600, { shortest: shorter, longest: longer }),
    ]);
  });
});

describe("facts-by-session: the latest mark of any shard that contains a sid counts for it", () => {
  const sids = Array.from({ length: 200 }, (_, number) => sidOf(number));
  const shardMarks = [
    { ...left("2/4", markAt(300)), changeTimesCount: false },
    { ...left("1/2", markAt(200)), changeTimesCount: true },
    { ...left("2/8", markAt(100)), changeTimesCount: true },
  ];

  it("by sid, with its change times", () => {
    const facts = new FactsBySession([factsOf({ mark: markAt(300), shardMarks, latestMtimeMs: 7 })]);
    const started = new Map<number | undefined, number>();
    for (const sid of sids) {
      const known = facts.of({ directory: "/d", sid });
      const expected = isInShard(sid, shard("2/4")) ? 300 : isInShard(sid, shard("1/2")) ? 200 : undefined;
      assert.equal(known?.mark?.startedMs, expected);
      assert.equal(known?.changeTimesCount, expected !== 300);
      assert.equal(known?.latestMtimeMs, 7);
      started.set(expected, (started.get(expected) ?? 0) + 1);
    }
    assert.equal(started.size, 3, "each of them counts for some");
  });

  it("without marks of shards, the directory's; nothing of another directory", () => {
    const facts = new FactsBySession([factsOf({ mark: markAt(300) })]);
    assert.equal(facts.of({ directory: "/d", sid: sidOf(1) })?.mark?.startedMs, 300);
    assert.equal(facts.of({ directory: "/e", sid: sidOf(1) }), undefined);
  });
});
