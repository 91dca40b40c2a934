import assert from "node:assert/strict";
import fs, { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, join } from "node:path";
import { after, before, beforeEach, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { signedInstant } from "../../src/convert/sign.js";
import { copy } from "../../src/migrate/copy.js";
import { doubtText } from "../../src/migrate/tell.js";
import { RedisError } from "../../src/model/errors.js";
import { failureReasons } from "../../src/model/outcome.js";
import { dayMs, hourMs, keyOf, pathOf, saveSession } from "../end-to-end/support/made-session.js";
import { interceptCalls, systemError, tamper } from "../support/kills/intercept-calls.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { redisCommand } from "../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../support/servers/redis-server.js";
import { saveFailing } from "./support/failing-session.js";
import {
  beforeCalls,
  type Counts,
  laterOf,
  mainOf,
  markOf,
  meanwhile,
  openCopy,
  type RunOfTest,
  stepsOf,
} from "./support/run-of-test.js";

let server: RedisServer;
let directory: string;
before(async () => {
  server = await startRedis();
});
after(() => server.stop());
beforeEach(async () => {
  await redisCommand(server, "FLUSHALL");
  directory = makeTemporaryDirectory();
});

type Prepare = (t: TestContext, made: RunOfTest) => unknown;

const redis = (...words: readonly string[]) => redisCommand(server, ...words);
/** Opens a copy; sessions may fail if nothing else is said. */
const open = (t: TestContext, ...flags: readonly string[]) => {
  const all = flags.includes("--max-failed") ? flags : ["--max-failed", "100%", ...flags];
  return openCopy(t, server, directory, all);
};
const numbersTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const textOf = (note: string | number) => `{"db": "d", "uid": 2, "v": "${note}"}`;
const existing = (...numbers: readonly number[]) => redis("EXISTS", ...numbers.map(keyOf));

/** A server saves a session, now. */
function save(number: number, value = textOf("new")): void {
  saveSession(directory, number, value, { mtimeMs: Date.now() });
}

/** Saves sessions as they were a day ago. */
function saveOld(...numbers: readonly number[]): void {
  for (const number of numbers) saveSession(directory, number, textOf("old"));
}

/** Their owners log out. */
function remove(...numbers: readonly number[]): void {
  for (const number of numbers) rmSync(pathOf(directory, number));
}

/** Sets a key whose instant bears the sign of a copy, or is so much off it. */
async function setKey(number: number, value: string, offMs = 0): Promise<void> {
  const instant = signedInstant(Date.now() + dayMs, value, 0) + offMs;
  await redis("SET", keyOf(number), value, "PXAT", String(instant));
}

const saveInRedis = (number: number) => setKey(number, textOf("in Redis"), -1);

/** Saves a session whose key holds what nobody can read, and so cannot date. */
async function saveInDoubt(number: number): Promise<void> {
  await setKey(number, "{");
  save(number);
}

/** An earlier copy, which left a mark. File times count as up to 50 ms late. */
async function copyEarlier(t: TestContext, count: number): Promise<void> {
  saveOld(...numbersTo(count));
  await sleep(60);
  const made = await open(t);
  await copy(made.run);
  assert.deepEqual(mainOf(made), { copied: count });
}

/** An earlier copy, a session that ended since, and a server that works on files. */
async function copyEarlierAndEnd(t: TestContext, ended: number): Promise<void> {
  await copyEarlier(t, 6);
  remove(ended);
  save(3);
}

/** Dates the mark of an earlier copy. */
async function dateMark(startedMs: number): Promise<void> {
  const key = String(await redis("KEYS", "tele-sessions:mark:*"));
  const mark = JSON.parse(String(await redis("GET", key)));
  Object.assign(mark.shards["1/1"], {
    started: startedMs,
    startedWithoutKeep: startedMs,
    renewed: startedMs,
  });
  await redis("SET", key, JSON.stringify(mark));
}

describe("copy: a complete run leaves the start of its main pass (spec.md section 4, Logouts)", () => {
  it("the look at Redis comes before the first file, the mark after everything else", async (t) => {
    saveOld(1);
    const made = await open(t);
    const steps = stepsOf(made);
    meanwhile(
      made,
      () => save(2),
      () => remove(1),
    );
    await copy(made.run);
    const main = ["begin", "read", "complete", "noteStart", "createEncoded"];
    assert.deepEqual(steps, [...main, "retract", "check", "leave, renewed"]);
    assert(await markOf(made));
  });

  it("its instant is between the look and the first file, however long both take", async (t) => {
    saveOld(1);
    const made = await open(t);
    const instants: number[] = [];
    beforeCalls(made.run.redis.marks, ["complete", "noteStart"], (name) => {
      if (name === "complete") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      instants.push(Date.now());
    });
    meanwhile(
      made,
      () => sleep(50).then(() => save(1)),
      () => sleep(50),
    );
    await copy(made.run);
    const [lookedMs = 0, notedMs = 0] = instants;
    const { startedMs = 0 } = (await markOf(made)) ?? {};
    assert(lookedMs <= startedMs && startedMs <= notedMs, `${startedMs}, not within ${instants}`);
    assert(Date.now() >= startedMs + 100);
    assert.deepEqual(laterOf(made), [{ copied: 1 }]);
  });

  const leaves = (name: string, counts: Counts, later: number, prepare: Prepare) =>
    it(`left: ${name}`, async (t) => {
      const made = await open(t);
      await prepare(t, made);
      const beganMs = Date.now();
      await copy(made.run);
      assert.deepEqual([mainOf(made), laterOf(made).length], [counts, later]);
      assert(((await markOf(made))?.startedMs ?? 0) >= beganMs);
      assert.equal(made.run.record.partial, false);
    });
  leaves("nothing found", {}, 0, () => undefined);
  const all = { ended: 1, kept: 1, identical: 2, expired: 1, superseded: 1, copied: 1 };
  leaves("every outcome but a failure", all, 0, async (t) => {
    await copyEarlier(t, 4);
    await redis("DEL", keyOf(1));
    saveSession(directory, 2, textOf("another"));
    saveSession(directory, 5, '{"uid": 2, "expiration": -5}');
    saveSession(directory, 6, textOf("flat"));
    saveSession(directory, 6, textOf("later"), { layout: "scattered", mtimeMs: Date.now() - hourMs });
  });
  leaves("files that are gone or empty", { vanished: 1, copied: 1 }, 0, (t) => {
    saveOld(1, 2);
    saveSession(directory, 3, "");
    const file = basename(pathOf(directory, 1));
    t.after(tamper([{ side: "before", call: "openSync", file, action: () => remove(1) }]));
  });
  leaves("changed while it ran", { copied: 1 }, 1, (_, made) => {
    saveOld(1);
    meanwhile(made, () => save(1));
  });
  leaves("still changing", { copied: 1 }, 3, (_, made) => {
    saveOld(1);
    meanwhile(made, ...numbersTo(4).map((number) => () => save(1, textOf(number))));
  });

  const final = new Set<string>(["corrupt", "not-a-session", "circular", "too-deep"]);
  for (const reason of failureReasons.filter((one) => final.has(one))) {
    leaves(`${reason}: no run could write it`, { copied: 1, failed: 1 }, 0, (t, made) => {
      saveOld(2);
      return saveFailing(reason, t, made, 1);
    });
  }
  const ofExport = new Set<string>(["invalid-sid", "not-written"]);
  for (const reason of failureReasons.filter((one) => !final.has(one) && !ofExport.has(one))) {
    it(`none if a session failed that another run could write: ${reason}`, async (t) => {
      const made = await open(t, "--max-session-size", "4000");
      saveOld(2);
      await saveFailing(reason, t, made, 1);
      await copy(made.run);
      assert.deepEqual([...made.run.record.ledger.counts.reasons.keys()], [reason]);
      assert.deepEqual([mainOf(made), await markOf(made)], [{ copied: 1, failed: 1 }, undefined]);
    });

    it(`none if it failed in a later pass: ${reason}`, async (t) => {
      const made = await open(t, "--max-session-size", "4000");
      saveOld(2);
      meanwhile(made, () => saveFailing(reason, t, made, 1));
      await copy(made.run);
      assert.deepEqual([mainOf(made), laterOf(made)[0]], [{ copied: 1 }, { failed: 1 }]);
      assert.equal(await markOf(made), undefined);
    });
  }

  it("none of a dry run, which writes nothing and has no later pass", async (t) => {
    saveOld(1);
    const made = await open(t, "--dry-run");
    const steps = stepsOf(made);
    meanwhile(made, () => save(1));
    await copy(made.run);
    assert.deepEqual(steps, ["begin", "read", "complete", "createEncoded"]);
    assert.deepEqual([mainOf(made), laterOf(made), await redis("DBSIZE")], [{ copied: 1 }, [], 0]);
  });

  for (const [at, pass] of ["main", "later"].entries()) {
    it(`none if a folder could not be read in the ${pass} pass: that is thrown`, async (t) => {
      saveOld(1, 2);
      const folder = join(directory, "ab");
      mkdirSync(folder);
      const made = await open(t);
      meanwhile(made, () => save(1));
      let openings = 0;
      const release = interceptCalls(({ name, paths: [path], proceed }) => {
        if (name === "opendirSync" && path === folder && openings++ === at) throw systemError("EACCES");
        return proceed();
      });
      t.after(release);
      await assert.rejects(copy(made.run), { name: "SourceError", message: /ab cannot be read/ });
      assert.deepEqual([openings, made.run.record.tally.unreadable.length], [3, 1]);
      assert.deepEqual([mainOf(made), laterOf(made)], [{ copied: 2 }, [{ copied: 1 }]]);
      assert.equal(await markOf(made), undefined);
    });

    it(`none if it was stopped in the ${pass} pass; nothing more is begun`, async (t) => {
      saveOld(1, 2);
      const made = await open(t);
      const changes = numbersTo(3).map((number) => () => save(1, textOf(number)));
      changes[at] = () => {
        made.stop();
        save(1);
        remove(2);
      };
      meanwhile(made, ...changes);
      const steps = stepsOf(made);
      await copy(made.run);
      assert.deepEqual([laterOf(made).length, steps.at(-1)], [at, "check"]);
      assert.equal(await markOf(made), undefined);
      // Session 2 ended after the main pass wrote it, and was not looked for.
      if (at === 1) assert.equal(await existing(2), 1);
    });
  }

  /** What is warned of, and the flags. */
  interface Incomplete {
    readonly warning?: RegExp;
    readonly partial?: true;
    readonly flags?: readonly string[];
  }
  const isIncomplete = (name: string, expected: Incomplete, prepare: Prepare) => {
    const { warning = /^$/, partial = false, flags = [] } = expected;
    it(`none if ${name}`, async (t) => {
      saveOld(2);
      const made = await open(t, ...flags);
      await prepare(t, made);
      await copy(made.run);
      assert.deepEqual([await markOf(made), made.run.record.partial], [undefined, partial]);
      assert.match(made.warnings.join("|"), warning);
    });

    it(`nothing is retracted if ${name}`, async (t) => {
      await copyEarlierAndEnd(t, 6);
      const made = await open(t, ...flags);
      const steps = stepsOf(made);
      await prepare(t, made);
      await copy(made.run);
      assert(!steps.includes("whyNotRetract") && !steps.some((step) => step.startsWith("leave")));
      assert.deepEqual([made.run.record.retracted, await existing(6)], [0, 1]);
    });
  };
  isIncomplete("a session failed", {}, (t, made) => saveFailing("redis-error", t, made, 9));
  const noneMayFail = { flags: ["--max-failed", "0"] };
  isIncomplete("more sessions failed than is allowed", noneMayFail, () => save(9, "{"));
  isIncomplete("keys were evicted", { partial: true }, (t, { run }) =>
    t.mock.method(run.redis.continuity, "check", async () => "evicted"),
  );
  const lost = /^even if quiet: 1 session that this run wrote is no longer in Redis/;
  isIncomplete("a key is gone, and evictions are hidden", { partial: true, warning: lost }, (t, { run }) => {
    t.mock.getter(run.redis.continuity, "hidesEvictions", () => true);
    beforeCalls(run.redis.continuity, ["check"], () => redis("DEL", keyOf(9)));
    saveOld(9);
  });
  isIncomplete("it is stopped after the passes", {}, (_, { run, stop }) =>
    beforeCalls(run.redis.continuity, ["check"], stop),
  );
  const doubt = { warning: new RegExp(`^even if quiet: ${doubtText(1).slice(0, 50)}`) };
  isIncomplete("a conflict is in doubt", doubt, () => saveInDoubt(9));
  isIncomplete("a conflict of a later pass is in doubt", {}, (_, made) => {
    saveOld(8);
    meanwhile(made, () => saveInDoubt(9));
  });

  const throws = (name: string, error: object, prepare: Prepare) =>
    it(`none if ${name}: that is thrown`, async (t) => {
      saveOld(1);
      const made = await open(t);
      await prepare(t, made);
      await assert.rejects(copy(made.run), error);
      assert.equal(await markOf(made), undefined);
    });
  throws("Redis is lost in a pass", { name: "RedisError", message: "lost" }, (t, { run }) =>
    t.mock.method(run.redis.store, "createEncoded", () => Promise.reject(new RedisError("unavailable", "lost"))),
  );
  throws("the directory goes", { name: "SourceError" }, () => rmSync(directory, { recursive: true }));
  const replaced = { name: "SourceError", message: /was replaced by another directory during the copy$/ };
  throws("another directory takes its place", replaced, (_, made) =>
    meanwhile(made, () => {
      renameSync(directory, `${directory}-away`);
      mkdirSync(directory);
    }),
  );
  throws("Redis forgot, each time", { name: "RedisError", kind: "unavailable" }, (_, { run }) =>
    beforeCalls(run.redis.continuity, ["check"], () => redis("FLUSHALL")),
  );
});

describe("copy: what it renewed, retracts and doubts (Marks, Logouts between two copies)", () => {
  const retracts = (
    name: string,
    count: number,
    steps: readonly string[],
    prepare: (t: TestContext) => unknown,
    onOpen: (made: RunOfTest) => void = () => undefined,
  ) =>
    it(name, async (t) => {
      await prepare(t);
      const made = await open(t);
      onOpen(made);
      const done = stepsOf(made);
      await copy(made.run);
      assert.deepEqual(done.slice(done.indexOf("check") + 1), steps);
      assert.equal(made.run.record.retracted, count);
      assert(await markOf(made));
    });
  retracts("no mark, and on files: renewed", 0, ["leave, renewed"], () => saveOld(1));
  retracts("no mark, and nothing tells where: not renewed", 0, ["leave"], async () => {
    saveOld(1);
    // In a store that keeps whole seconds only, no instant bears a sign.
    const instant = String(1000 * Math.floor(Date.now() / 1000) + dayMs);
    for (const number of [11, 12, 13, 14, 15]) await redis("SET", keyOf(number), "{}", "PXAT", instant);
  });
  const onFiles = ["whyNotRetract", "retract", "leave, renewed"];
  retracts("a mark, and on files: keys without a file go, before the mark", 1, onFiles, async (t) => {
    await copyEarlierAndEnd(t, 6);
  });
  retracts("a mark, and on Redis: not renewed, and keys stay", 0, ["leave"], async (t) => {
    await copyEarlierAndEnd(t, 6);
    await saveInRedis(7);
  });
  const lateSteps = ["whyNotRetract", "retract", "leave"];
  const endEarlier = async (t: TestContext) => {
    await copyEarlier(t, 6);
    remove(6);
  };
  retracts("learned in time to retract, too late to renew", 1, lateSteps, endEarlier, ({ run }) =>
    beforeCalls(run.redis.marks, ["noteStart"], () => save(3)),
  );

  it("a dry run with a mark counts what it would retract, and leaves nothing", async (t) => {
    await copyEarlierAndEnd(t, 6);
    const made = await open(t, "--dry-run");
    const earlier = await markOf(made);
    await copy(made.run);
    assert.equal(made.run.record.retracted, 1);
    assert.deepEqual([await existing(6), await markOf(made)], [1, earlier]);
  });

  it("deferred sessions are settled once the whole directory was seen, and count once", async (t) => {
    await copyEarlier(t, 3);
    await redis("DEL", keyOf(1));
    saveOld(4);
    const made = await open(t);
    await copy(made.run);
    assert.deepEqual(mainOf(made), { ended: 1, identical: 2, copied: 1 });
    assert.equal(made.run.record.ledger.unvisited, 0);
  });

  const ends = (name: string, ended: number, isLost: boolean, warning: RegExp, prepare: () => unknown) =>
    it(name, async (t) => {
      await copyEarlier(t, 10);
      await redis("DEL", ...numbersTo(ended).map(keyOf));
      await prepare();
      const made = await open(t);
      const steps = stepsOf(made);
      await copy(made.run);
      assert.deepEqual(mainOf(made), { ended, identical: 10 - ended });
      assert.deepEqual([made.run.record.partial, !steps.includes("leave")], [isLost, isLost]);
      assert.match(made.warnings.join("|"), warning);
    });
  ends("4 of 10 are too few to say", 4, false, /^$/, () => undefined);
  const deleted = /^even if quiet: 5 of 10 .*: their keys were deleted or lost/;
  ends("5 of 10, just after the copy: lost, exit 4, no mark", 5, true, deleted, () => undefined);
  const doubtful = /^even if quiet: 5 of 10 .*may have been deleted/;
  const fourHoursAgo = () => dateMark(Date.now() - 4 * hourMs);
  ends("5 of 10, 4 hours after: doubtful", 5, false, doubtful, fourHoursAgo);
  ends("5 of 10 on Redis: they logged out", 5, false, /^$/, () => saveInRedis(11));
});

describe("copy: passes over what changed, until one finds nothing or three are done (A live server)", () => {
  let saves = 0;
  const change = async (...numbers: readonly number[]) => {
    // Of two files of the same millisecond, nothing tells which is newer.
    await sleep(2);
    for (const number of numbers) save(number, textOf(++saves));
  };
  const passes = (name: string, later: readonly Counts[], still: number, ...changes: (() => unknown)[]) =>
    it(name, async (t) => {
      saveOld(1, 2);
      const made = await open(t);
      meanwhile(made, ...changes);
      await copy(made.run);
      assert.deepEqual([mainOf(made), laterOf(made)], [{ copied: 2 }, later]);
      assert.equal(made.run.record.stillChanging, still);
    });
  const one = () => change(1);
  const both = () => change(1, 2);
  const older = () => void saveSession(directory, 2, textOf("older"));
  passes("nothing changed: no row", [], 0);
  passes("changed once", [{ copied: 1 }], 0, one);
  passes("found as it was: a row, and no further pass", [{ identical: 1 }], 0, () => saveOld(1), both);
  const three = [{ copied: 1 }, { kept: 1 }, { copied: 2 }];
  passes("changed in every pass: three rows, and so many still change", three, 2, one, older, both, one);
  const last = [{ copied: 1 }, { copied: 1 }, { identical: 1 }];
  passes("the third pass finds all as it was", last, 0, one, one, () => saveOld(2));
  passes("a file that is empty by now is no session", [], 0, () => save(1, ""));
  passes("a failure of a later pass has its row", [{ failed: 1 }], 0, () => save(1, "{"));

  /** Counts how often the session directory is listed from now on. */
  const countListings = (t: TestContext) => {
    let listings = 0;
    const release = interceptCalls(({ name, paths: [path], proceed }) => {
      if (name === "opendirSync" && path === directory) listings++;
      return proceed();
    });
    t.after(release);
    return () => listings;
  };
  const lists = (name: string, times: number, prepare: (made: RunOfTest, t: TestContext) => unknown) =>
    it(`${name}: ${times === 1 ? "no later pass" : "a later pass"}`, async (t) => {
      saveOld(1, 2);
      const made = await open(t);
      await prepare(made, t);
      const count = countListings(t);
      await copy(made.run);
      assert.deepEqual([count(), laterOf(made), made.run.record.stillChanging], [times, [], 0]);
    });
  lists("nothing changed", 1, () => undefined);
  lists("nothing changed, and sessions lie in folders", 1, () => {
    saveSession(directory, 3, textOf("old"), { layout: "scattered" });
  });
  lists("a session was saved just before the run, and then nothing changed", 1, () => save(1));
  lists("something changed that is no session", 2, (made) =>
    meanwhile(made, () => writeFileSync(join(directory, "notes"), "")),
  );
  lists("something changed in a folder", 2, (made) => {
    mkdirSync(join(directory, "ab"));
    meanwhile(made, () => writeFileSync(join(directory, "ab", "notes"), ""));
  });
  lists("a file could not be read at once", 2, () => save(2, ""));
  lists("a folder could not be watched", 2, (_, t) => {
    const original = fs.watch;
    const restore = (put: typeof fs.watch) => {
      fs.watch = put;
      syncBuiltinESMExports();
    };
    t.after(() => restore(original));
    restore(() => {
      throw systemError("ENOSPC");
    });
  });

  it("nothing changed after Redis forgot, though it did before: no later pass", async (t) => {
    saveOld(1, 2);
    const made = await open(t);
    let checks = 0;
    beforeCalls(made.run.redis.continuity, ["check"], () => (++checks === 1 ? redis("FLUSHALL") : undefined));
    meanwhile(made, () => save(2));
    const count = countListings(t);
    await copy(made.run);
    assert.deepEqual([mainOf(made), laterOf(made), await existing(1, 2)], [{ copied: 2 }, [], 2]);
    // Two attempts, and two later passes in the first one.
    assert.equal(count(), 4);
  });

  it("a pass that ends early has its row all the same", async (t) => {
    saveOld(1, 2);
    // At so few sessions a second, a batch has one.
    const made = await open(t, "--max-rate", "7");
    const nothing = () => undefined;
    const lose = () => Promise.reject(new RedisError("unavailable", "lost"));
    meanwhile(made, nothing, both, nothing, lose);
    await assert.rejects(copy(made.run), { name: "RedisError", message: "lost" });
    assert.deepEqual([mainOf(made), laterOf(made)], [{ copied: 2 }, [{ copied: 1 }]]);
  });

  it("a session that ended after its write is vanished, in the row of the pass that wrote it", async (t) => {
    saveOld(1, 2, 3);
    const made = await open(t);
    const steps = stepsOf(made);
    // Session 3 is written twice: it ended where the value that stood was written.
    meanwhile(
      made,
      () => change(3),
      () => change(2),
      () => remove(1, 3),
    );
    await copy(made.run);
    assert.deepEqual(mainOf(made), { copied: 2, vanished: 1 });
    assert.deepEqual(laterOf(made), [{ vanished: 1 }, { copied: 1 }]);
    assert.equal(made.run.record.ledger.counts.bytesWritten, 2 * textOf("old").length);
    assert.deepEqual([await existing(1, 3), await existing(2)], [0, 1]);
    assert.deepEqual(steps.slice(-3), ["retract", "check", "leave, renewed"]);
  });
});

it("copy: it starts over if Redis forgot, and the mark is that of the attempt that came through", async (t) => {
  saveOld(1, 2);
  const made = await open(t);
  const checks: number[] = [];
  beforeCalls(made.run.redis.continuity, ["check"], () => {
    checks.push(Date.now());
    return checks.length < 3 ? redis("FLUSHALL") : undefined;
  });
  const steps = stepsOf(made);
  meanwhile(made, () => save(2));
  await copy(made.run);
  const attempt = ["begin", "read", "complete", "noteStart", "createEncoded", "check"];
  assert.deepEqual(steps, [...attempt, ...attempt, ...attempt, "leave, renewed"]);
  assert.deepEqual([mainOf(made), laterOf(made), await existing(1, 2)], [{ copied: 2 }, [], 2]);
  assert.equal(made.warnings.length, 2);
  const { startedMs = 0 } = (await markOf(made)) ?? {};
  assert(startedMs >= (checks[1] ?? 0) && startedMs <= (checks[2] ?? 0));
});
