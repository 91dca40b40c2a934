import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { EncodedSessions } from "../../../src/migrate/readers/encoded-sessions.js";
import type { DirectoryFacts } from "../../../src/model/mark.js";
import type { SessionStore } from "../../../src/redis/session-store.js";
import { pathOf } from "../../../src/source/recent-files.js";
import { dayMs, hourMs, sessionText } from "../../support/sessions/session-directory.js";
import { markAt } from "../survey-of.js";
import { beside, conversion, copiedAgo, inADay, remove, WriterGround } from "./writer-ground.js";

const other = sessionText("other");
const withMember = (member: string): string => sessionText().replace("}", `, ${member}}`);

/** What session files hold. */
const contents = [
  sessionText(),
  sessionText("more"),
  '{"db": "d", "uid": null}',
  '{"uid": 1}',
  // Pickles; the second has a key that JSON cannot have.
  "(dp0\nVuid\np1\nI1\nsVdb\np2\nVd\np3\ns.",
  "(dp0\nVuid\np1\nI1\nsVdb\np2\n(dp3\nI5\nI6\nss.",
  withMember('"expiration": 7200'),
  withMember('"expiration": 30'),
  withMember('"expiration": "soon"'),
  withMember('"expiration": -5'),
  withMember('"deletion_time": 1000000000'),
  "{",
  "",
] as const;

/** What Redis holds, for a file of that content. */
const keys: readonly ((content: string) => readonly [value: string | null, expiresAtMs: number] | undefined)[] = [
  () => undefined,
  () => undefined,
  (content) => [content, inADay(content)],
  (content) => [content, inADay(content) + 1],
  (content) => [content, Date.now() + 30 * dayMs],
  () => [other, copiedAgo(other, 3 * dayMs)],
  () => [other, copiedAgo(other, 0) + 1],
  () => ["{", inADay("{")],
  () => [null, inADay("")],
];

const ages = [0, 1000, hourMs, 2 * dayMs] as const;
const session = fc.record({
  content: fc.constantFrom(...contents),
  key: fc.constantFrom(...keys),
  ageMs: fc.constantFrom(...ages),
  /** Whether its owner logs out before its key is written. */
  ends: fc.boolean(),
});

const run = fc.record({
  policy: fc.constantFrom("newest" as const, "keep" as const, "overwrite" as const),
  ttl: fc.constantFrom("full" as const, "remaining" as const),
  again: fc.boolean(),
  isMarked: fc.boolean(),
  whole: fc.boolean(),
  serverWorks: fc.constantFrom<DirectoryFacts["serverWorks"]>("files", "redis", "unknown"),
  sessions: fc.array(session, { minLength: 1, maxLength: 12 }),
});

type Run = typeof run extends fc.Arbitrary<infer Value> ? Value : never;

/** How sessions that can be sent as they are go to Redis, all with the same result. */
const ways: Readonly<Record<string, (ground: WriterGround) => void>> = {
  "as they are": () => undefined,
  "one by one": ({ readers, store }) => {
    const { convert } = readers;
    Object.assign(readers, {
      convert: async (files: Parameters<typeof convert>[0]) => {
        const { sessions, prepared, ...batch } = await convert.call(readers, files);
        const rows = Array.from({ length: sessions.count }, (_, row) => {
          const file = files[sessions.place(row)] ?? assert.fail("no such file");
          return sessions.preparedAt(row, file, store.keyOf(file.sid));
        });
        return {
          ...batch,
          sessions: EncodedSessions.empty(new ArrayBuffer(0), 0, true),
          prepared: [...rows, ...prepared],
        };
      },
    });
  },
  "one by one, after they were refused": ({ store }) => {
    const createEncoded: SessionStore["createEncoded"] = async ({ count }) => Array(count).fill("refused");
    Object.assign(store, { createEncoded });
  },
  "again, after none arrived": ({ store }) => {
    Object.assign(store, { createEncoded: async () => undefined });
  },
  "again, after the reply was lost": ({ store }) => {
    const { createEncoded } = store;
    Object.assign(store, {
      createEncoded: async (...sent: Parameters<typeof createEncoded>) => {
        await createEncoded.apply(store, sent);
      },
    });
  },
};

/** Does a run, and tells what Redis holds and what was counted. */
async function follow({ policy, ttl, again, isMarked, whole, serverWorks, sessions }: Run, way: string) {
  const mark = isMarked ? { mark: markAt(Date.now() - dayMs) } : {};
  const ground = new WriterGround({
    conversion: { ...conversion, ttl },
    conflicts: { policy, again, maxEnded: 10 },
    facts: { ...mark, serverWorks, whole },
  });
  const files = sessions.map(({ content, key, ageMs }, number) => {
    const file = ground.save(number, content, { mtimeMs: Date.now() - ageMs });
    const stored = key(content);
    if (stored !== undefined) ground.hold(file, ...stored);
    return file;
  });
  const end = () => {
    for (const [number, file] of files.entries()) {
      if (sessions[number]?.ends === true && existsSync(pathOf(file))) remove(file);
    }
  };
  for (const method of ["createEncoded", "create", "read"] as const) {
    beside(ground.store, method, { before: end });
  }
  ways[way]?.(ground);
  const { page, outcomes, deferred, seen, unvisited, error } = await ground.writer.workOn(files);
  assert.equal(error, undefined);
  const retracted = await ground.retractEnded();
  const missing = await ground.writer.written.countMissing();
  return {
    keys: [...ground.store.keys].sort(),
    // Each run has a directory of its own.
    counts: { ...page, failures: [], warnings: [...page.warnings].sort(), directories: [] },
    outcomes: outcomes
      .map(({ failure, expiresAtMs, ...one }) => ({
        ...one,
        reason: failure?.reason,
        detail: failure?.detail,
        // It counts in no other outcome.
        expiresAtMs: one.kind === "copied" || one.kind === "identical" ? expiresAtMs : 0,
      }))
      .sort((one, two) => one.sid.localeCompare(two.sid)),
    deferred: deferred.map(({ sid }) => sid).sort(),
    seen: seen.map(({ directory: _, ...counts }) => counts),
    ...{ unvisited, retracted, missing },
  };
}

for (const way of Object.keys(ways).slice(1)) {
  test(`copy-writer: sent as they are or ${way}, the same keys, bytes, instants and counts`, async (t) => {
    t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
    await fc.assert(
      fc.asyncProperty(run, async (one) => {
        assert.deepEqual(await follow(one, way), await follow(one, "as they are"));
      }),
      { numRuns: 60 },
    );
  });
}
