import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { sessionText } from "../../support/sessions/session-directory.js";
import { inADay, marked, wordOf } from "../copy-writer/writer-ground.js";
import {
  differences,
  different,
  equal,
  missing,
  newer,
  noLifetime,
  old,
  otherType,
  type State,
  states,
  superseded,
  VerifierGround,
  vanished,
} from "./verifier-ground.js";

describe("verifier: a save that falls between the two readings is no difference: both are read again", () => {
  const changes: readonly (readonly [name: string, first: State, second: State, expected: string])[] = [
    ["missing, then there", missing, equal, "equal"],
    ["different, then read again and equal", different, equal, "equal"],
    ["different, then newer", different, newer, "newer"],
    ["without a lifetime, which comes a moment later", noLifetime, equal, "equal"],
    ["missing, because its owner logged out", missing, vanished, "vanished"],
    ["missing, then of another type", missing, otherType, "failed: the key holds no string"],
    ["missing, then superseded", missing, superseded, "superseded"],
    ["missing twice", missing, missing, "missing"],
    ["different, then missing", different, missing, "missing"],
  ];
  for (const [name, first, second, expected] of changes) {
    it(`${name}: ${expected}`, async () => {
      const ground = new VerifierGround();
      const file = ground.place(1, first);
      ground.meanwhile = () => void ground.place(1, second);
      assert.deepEqual(await ground.verify(file), [expected]);
      assert.equal(ground.waits, 1);
    });
  }

  it("only what differed is compared again, after one wait for the whole batch", async () => {
    const ground = new VerifierGround();
    const files = [ground.place(1, missing), ground.place(2, equal), ground.place(3, missing)];
    await ground.verify(...files);
    const keys = files.map(({ sid }) => ground.store.keyOf(sid));
    assert.deepEqual(ground.asked, [keys, [keys[0], keys[2]]]);
    assert.equal(ground.waits, 1);
  });

  it("if every batch differs, a run waits 20 times", async () => {
    const ground = new VerifierGround();
    const file = ground.place(1, missing);
    for (let batches = 0; batches < 25; batches++) await ground.verify(file);
    assert.equal(ground.waits, 20);
    assert.equal(ground.asked.length, 50);
  });

  it("every file gets exactly one outcome, and each its own", async () => {
    const state = fc.constantFrom(...states);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(state, state), { maxLength: 20 }), async (meetings) => {
        const ground = new VerifierGround();
        const files = meetings.map(([[, first]], number) => ground.place(number, first));
        ground.meanwhile = () => {
          for (const [number, [, [, second]]] of meetings.entries()) ground.place(number, second);
        };
        const { outcomes, page } = await ground.verifier.workOn(files);
        const found = new Map(outcomes.map((outcome) => [outcome.sid, wordOf(outcome)]));
        const expected = meetings.map(([[, , first], [, , second]]) => (differences.includes(first) ? second : first));
        assert.deepEqual(
          files.map(({ sid }) => found.get(sid)),
          expected,
        );
        assert.equal(page.found + page.empty + page.ignored, files.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe("verifier: what a missing key means may show only once the whole directory was seen (Marks)", () => {
  /** A ground where a mark counts for all files. */
  function makeGround(facts: Parameters<typeof marked>[0] = {}) {
    const ground = new VerifierGround({ facts: marked(facts) });
    const files = [1, 2].map((number) => ground.directory.save(number, sessionText(), old()));
    ground.hold(2);
    return { ground, files };
  }
  const seenOf = (ground: VerifierGround, covered: number, ended: number) => {
    return { directory: ground.directory.path, covered, ended };
  };

  it("then it is compared twice, has no outcome yet, and does not count for its directory", async () => {
    const { ground, files } = makeGround();
    const { outcomes, deferred, seen, unvisited } = await ground.verifier.workOn(files);
    assert.deepEqual([outcomes.map(wordOf), deferred, unvisited], [["equal"], files.slice(0, 1), 0]);
    assert.equal(ground.waits, 1);
    const [{ latestMtimeMs, ...counts } = assert.fail("nothing seen")] = seen;
    assert.deepEqual(counts, seenOf(ground, 1, 0));
    assert(Math.abs(latestMtimeMs - old().mtimeMs) < 60_000);
  });

  it("a key that is there the second time is no longer missing", async () => {
    const { ground, files } = makeGround();
    ground.meanwhile = () => ground.hold(1, sessionText(), inADay(sessionText()));
    assert.deepEqual(await ground.verify(...files), ["equal", "equal"]);
  });

  it("what the verifier learns counts from then on", async () => {
    const { ground, files } = makeGround();
    const survey = {
      ...ground.survey,
      directories: ground.survey.directories.map((one) => ({ ...one, whole: true })),
    };
    ground.verifier.learn(survey);
    assert.deepEqual((await ground.verify(...files)).sort(), ["ended", "equal"]);
  });

  it("only sessions that were compared count for their directory, each once", async () => {
    const { ground, files } = makeGround({ serverWorks: "redis" });
    const others = [ground.place(3, vanished), ground.place(4, superseded), ground.place(5, missing)];
    const { outcomes, seen } = await ground.verifier.workOn([...files, ...others]);
    assert.deepEqual(outcomes.map(wordOf).sort(), ["ended", "equal", "missing", "superseded", "vanished"]);
    const [{ latestMtimeMs: _, ...counts } = assert.fail("nothing seen")] = seen;
    assert.deepEqual(counts, seenOf(ground, 2, 1));
  });
});
