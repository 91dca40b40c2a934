import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  jointly,
  judgeEnded,
  learn,
  mayBeLost,
  mayRetract,
  SeenDirectories,
} from "../../../src/migrate/earlier-runs/learn.js";
import type { DirectoryFacts, DirectorySeen, Survey } from "../../../src/model/mark.js";
import type { ServerWorks } from "../../../src/model/server-evidence.js";
import { factsOf, markAt, surveyOf } from "../survey-of.js";

const hour = 3_600_000;
const nowMs = 1_000 * hour;

function seenOf(...all: readonly Partial<DirectorySeen>[]): SeenDirectories["all"] {
  const seen = new SeenDirectories();
  for (const one of all) seen.add({ directory: "/d", latestMtimeMs: 0, covered: 0, ended: 0, ...one });
  return seen.all;
}

const surveyWith = (keys: Survey["keys"], ...directories: readonly DirectoryFacts[]): Survey => ({
  ...surveyOf({ keys }),
  directories,
});

describe("learn: where the server works, once every file was seen (spec.md section 4, Where the server works)", () => {
  const marked = factsOf({ mark: markAt(nowMs - 10 * hour) });
  const rows: readonly (readonly [name: string, survey: Survey, latestMtimeMs: number, expected: ServerWorks])[] = [
    ["a server-saved key: on Redis", surveyWith("server-saved", marked), nowMs, "redis"],
    ["a server-saved key and no mark: on Redis", surveyWith("server-saved", factsOf()), nowMs, "redis"],
    ["the look could not say: unknown", surveyWith("unknown", marked), nowMs, "unknown"],
    ["the look could not say, and no mark: unknown", surveyWith("unknown", factsOf()), nowMs, "unknown"],
    ["none, and no run was complete: on files", surveyWith("none", factsOf()), 0, "files"],
    ["none, and a file was modified since the mark", surveyWith("none", marked), nowMs - hour, "files"],
    ["none, modified since the mark, 5 hours ago: unknown", surveyWith("none", marked), nowMs - 5 * hour, "unknown"],
    ["none, modified before the mark: unknown", surveyWith("none", marked), nowMs - 11 * hour, "unknown"],
    [
      "none, modified within 4 hours, but before the mark: unknown",
      surveyWith("none", factsOf({ mark: markAt(nowMs - hour) })),
      nowMs - 2 * hour,
      "unknown",
    ],
    ["a time in the future tells nothing", surveyWith("none", marked), nowMs + 5 * hour, "unknown"],
  ];
  for (const [name, survey, latestMtimeMs, expected] of rows) {
    it(name, () => {
      const learned = learn(survey, seenOf({ latestMtimeMs }), nowMs);
      assert.equal(learned.serverWorks, expected);
      const facts = learned.directories.map(({ serverWorks, whole }) => ({ serverWorks, whole }));
      assert.deepEqual(facts, [{ serverWorks: expected, whole: true }]);
    });
  }

  it("what the survey saw counts on", () => {
    const survey = surveyWith("none", { ...marked, latestMtimeMs: nowMs - hour });
    const [facts] = learn(survey, seenOf(), nowMs).directories;
    assert.deepEqual([facts?.latestMtimeMs, facts?.serverWorks], [nowMs - hour, "files"]);
  });

  it("each directory by itself, and jointly unknown if they differ", () => {
    const other = { ...marked, directory: "/e" };
    const learned = learn(surveyWith("none", marked, other), seenOf({ latestMtimeMs: nowMs }), nowMs);
    assert.deepEqual(
      learned.directories.map(({ serverWorks }) => serverWorks),
      ["files", "unknown"],
    );
    assert.equal(learned.serverWorks, "unknown");
  });
});

describe("learn: directories jointly", () => {
  const rows: readonly (readonly [all: readonly ServerWorks[], expected: ServerWorks])[] = [
    [[], "unknown"],
    [["files"], "files"],
    [["redis", "redis"], "redis"],
    [["files", "redis"], "unknown"],
    [["files", "unknown"], "unknown"],
  ];
  for (const [all, expected] of rows) {
    it(`${all.join(" and ") || "none"}: ${expected}`, () =>
      assert.equal(jointly(all.map((serverWorks) => factsOf({ serverWorks }))), expected));
  }
});

describe("learn: what it means that sessions ended (Marks 3)", () => {
  const unknown = (agoHours: number): DirectoryFacts => factsOf({ mark: markAt(nowMs - agoHours * hour) });
  const rows: readonly (readonly [
    name: string,
    facts: DirectoryFacts,
    ended: number,
    covered: number,
    expected: ReturnType<typeof judgeEnded>,
  ])[] = [
    ["4 of 4 are too few", unknown(1), 4, 4, "fine"],
    ["5 of 25 are no more than 20%", unknown(1), 5, 25, "fine"],
    ["5 of 24, the mark an hour old", unknown(1), 5, 24, "lost"],
    ["just under 3 hours", unknown(2.999), 5, 24, "lost"],
    ["3 hours", unknown(3), 5, 24, "doubtful"],
    ["a day", unknown(24), 5, 24, "doubtful"],
    ["on Redis: they logged out", { ...unknown(1), serverWorks: "redis" }, 5, 5, "fine"],
    ["on files: none ends", { ...unknown(1), serverWorks: "files" }, 0, 5, "fine"],
  ];
  for (const [name, facts, ended, covered, expected] of rows) {
    it(`${name}: ${expected}`, () =>
      assert.equal(judgeEnded(surveyWith("none", facts), seenOf({ ended, covered }), 20, nowMs), expected));
  }

  for (const [maxEnded, expected] of [
    [49, "lost"],
    [50, "fine"],
    [100, "fine"],
  ] as const) {
    it(`--max-ended ${maxEnded}%, and half ended: ${expected}`, () =>
      assert.equal(
        judgeEnded(surveyWith("none", unknown(1)), seenOf({ ended: 5, covered: 10 }), maxEnded, nowMs),
        expected,
      ));
  }

  it("each directory by itself, the worst counts", () => {
    const survey = surveyWith("none", unknown(24), { ...unknown(1), directory: "/e" });
    const many = { ended: 5, covered: 10 };
    const few = { ended: 0, covered: 1000 };
    const judge = (d: Partial<DirectorySeen>, e: Partial<DirectorySeen>) =>
      judgeEnded(survey, seenOf({ ...d, directory: "/d" }, { ...e, directory: "/e" }), 20, nowMs);
    assert.deepEqual([judge(many, few), judge(few, many), judge(many, many)], ["doubtful", "lost", "lost"]);
  });

  const lost: readonly (readonly [name: string, facts: DirectoryFacts, expected: boolean])[] = [
    ["a mark of less than 3 hours, and unknown", unknown(2), true],
    ["an older mark", unknown(3), false],
    ["no mark", factsOf(), false],
    ["on Redis", { ...unknown(2), serverWorks: "redis" }, false],
    ["on files", { ...unknown(2), serverWorks: "files" }, false],
  ];
  for (const [name, facts, expected] of lost) {
    it(`${name}: missing keys ${expected ? "may" : "cannot"} turn out to be lost`, () =>
      assert.equal(mayBeLost(surveyWith("none", facts), nowMs), expected));
  }
});

describe("learn: how many keys may be retracted (Logouts between two copies)", () => {
  const rows: readonly (readonly [count: number, all: number, maxEnded: number, expected: boolean])[] = [
    [4, 4, 20, true],
    [5, 5, 20, false],
    [5, 24, 20, false],
    [5, 25, 20, true],
    [200, 1000, 20, true],
    [201, 1000, 20, false],
    [5, 5, 100, true],
    [5, 1000, 0, false],
    [4, 1000, 0, true],
  ];
  for (const [count, all, maxEnded, expected] of rows) {
    it(`${count} of ${all} with --max-ended ${maxEnded}%: ${expected ? "yes" : "no"}`, () =>
      assert.equal(mayRetract(count, all, maxEnded), expected));
  }
});

describe("learn: what is seen of directories adds up", () => {
  it("modifications, and sessions that the mark counts for; taken once", () => {
    const seen = new SeenDirectories();
    seen.addModification("/d", 5);
    seen.addModification("/d", 3);
    seen.addCovered("/d", true);
    seen.addCovered("/d", false);
    seen.addCovered("/e", false);
    seen.add({ directory: "/e", latestMtimeMs: 7, covered: 2, ended: 1 });
    assert.deepEqual(seen.take(), [
      { directory: "/d", latestMtimeMs: 5, covered: 2, ended: 1 },
      { directory: "/e", latestMtimeMs: 7, covered: 3, ended: 1 },
    ]);
    assert.deepEqual([seen.take(), seen.all.size], [[], 0]);
  });
});
