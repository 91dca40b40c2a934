import assert from "node:assert/strict";
import { mkdirSync, statSync, symlinkSync } from "node:fs";
import { describe, it } from "node:test";
import type { SessionOutcome } from "../../../src/model/outcome.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import { pathOf } from "../../../src/source/recent-files.js";
import { interceptCalls, systemError } from "../../support/kills/intercept-calls.js";
import type { MemoryStore } from "../../support/memory-store.js";
import { dayMs, hourMs, sessionText } from "../../support/sessions/session-directory.js";
import { answer, copiedAgo, type GroundChange, keyPrefix, WriterGround } from "./writer-ground.js";

const value = sessionText();
const bytes = value.length;
const facts = { authenticated: true, lossy: false };
const none = { bytesRead: 0, bytesWritten: 0 };
const known = { format: "json", facts, bytesRead: bytes, bytesWritten: 0 } as const;

/** A session whose own lifetime is no number of seconds: it is converted with a warning. */
const odd = sessionText().replace("}", ', "expiration": "soon"}');
const warning = "a session's own expiration is not a number of seconds, so the default applies";

const createsNothing = (store: MemoryStore) =>
  answer(store, {
    createEncoded: async () => ["refused"],
    create: async () => [{ kind: "failed", detail: "Redis answered ERR" }],
  });

describe("copy-writer: one outcome for every file (design.md section 2)", () => {
  type Failure = Omit<NonNullable<SessionOutcome["failure"]>, "sid" | "path">;
  type Expected = Omit<SessionOutcome, "sid" | "failure"> & { readonly failure?: Failure };
  const rows: readonly (readonly [
    name: string,
    place: (ground: WriterGround, file: SessionFile) => void,
    expected: Expected,
    change?: GroundChange,
  ])[] = [
    ["gone", () => undefined, { kind: "vanished", ...none }],
    ["empty", (ground) => ground.save(1, ""), { kind: "empty", ...none }],
    ["a directory", (_, file) => mkdirSync(pathOf(file)), { kind: "ignored", ...none }],
    ["a symlink", (_, file) => symlinkSync("elsewhere", pathOf(file)), { kind: "ignored", ...none }],
    [
      "too large",
      (ground) => ground.save(1),
      { kind: "failed", failure: { reason: "too-large", detail: `a file of ${bytes} bytes` }, ...none },
      { maxFileSize: bytes - 1 },
    ],
    [
      "corrupt",
      (ground) => ground.save(1, "{"),
      {
        ...{ kind: "failed", format: "json", bytesRead: 1, bytesWritten: 0 },
        failure: { reason: "corrupt", detail: "no key at character 1" },
      },
    ],
    [
      "expired, with a warning",
      (ground) => ground.save(1, odd, { mtimeMs: Date.now() - 30 * dayMs }),
      { ...known, kind: "expired", bytesRead: odd.length, warning },
      {
        conversion: {
          ttl: "remaining",
          expiration: 604_800,
          expirationAnonymous: 10_800,
          maxSessionSize: 1000,
          keyPrefix,
          clockLeadMs: 0,
        },
      },
    ],
    ["copied", (ground) => ground.save(1), { ...known, kind: "copied", bytesWritten: bytes }],
    [
      "copied, with a warning",
      (ground) => ground.save(1, odd),
      { ...known, kind: "copied", bytesRead: odd.length, bytesWritten: odd.length, warning },
    ],
    [
      "copied, just modified",
      (ground) => ground.save(1, value, { mtimeMs: Date.now() }),
      { ...known, kind: "copied", bytesWritten: bytes },
    ],
    [
      "not written",
      (ground) => {
        ground.save(1);
        createsNothing(ground.store);
      },
      { ...known, kind: "failed", failure: { reason: "redis-error", detail: "Redis answered ERR" } },
    ],
    [
      "no reply",
      (ground) => {
        ground.save(1);
        answer(ground.store, { createEncoded: async () => [], create: async () => [] });
      },
      { ...known, kind: "failed", failure: { reason: "redis-error", detail: "no reply" } },
    ],
    [
      "over before it was sent",
      (ground) => {
        ground.save(1);
        answer(ground.store, {
          createEncoded: async () => undefined,
          create: async () => [{ kind: "expired" }],
        });
      },
      { ...known, kind: "expired" },
    ],
    ["identical", (ground) => ground.hold(ground.save(1), value), { ...known, kind: "identical" }],
    [
      "kept",
      (ground) => ground.hold(ground.save(1), sessionText(9), Date.now() + 8 * dayMs),
      { ...known, kind: "kept", inDoubt: true },
    ],
    [
      "no string",
      (ground) => ground.hold(ground.save(1), null),
      {
        ...known,
        kind: "failed",
        failure: { reason: "wrong-redis-type", detail: "the key holds no string" },
      },
    ],
    [
      "contested: kept, with a warning",
      (ground) => {
        ground.hold(ground.save(1), sessionText(9), copiedAgo(sessionText(9), 2 * hourMs));
        answer(ground.store, { replace: async () => [false] });
      },
      {
        ...known,
        kind: "kept",
        warning: "a key changed each time it was about to be replaced, so it was left alone",
      },
    ],
  ];
  for (const [name, place, { failure, ...expected }, change] of rows) {
    it(name, async () => {
      const ground = new WriterGround(change);
      const file = ground.directory.file(1);
      place(ground, file);
      const { outcomes, ...others } = await ground.writer.workOn([file]);
      const located = failure === undefined ? {} : { failure: { sid: file.sid, path: pathOf(file), ...failure } };
      const [{ mtimeMs, expiresAtMs, ...outcome } = assert.fail("no outcome")] = outcomes;
      assert.deepEqual([outcome], [{ sid: file.sid, ...expected, ...located }]);
      if (outcome.facts !== undefined) assert.ok(Math.abs((mtimeMs ?? 0) - statSync(pathOf(file)).mtimeMs) < 1);
      if (outcome.kind === "copied") assert.ok((expiresAtMs ?? 0) > Date.now());
      if (outcome.kind === "identical") assert.equal(expiresAtMs, undefined, "its lifetime was not renewed");
      assert.deepEqual([others.deferred, others.unvisited, others.error], [[], 0, undefined]);
    });
  }

  it("unreadable", async () => {
    const ground = new WriterGround();
    const file = ground.save(1);
    const end = interceptCalls(({ name, paths, proceed }) => {
      if (name === "openSync" && paths[0] === pathOf(file)) throw systemError("EIO");
      return proceed();
    });
    const { outcomes } = await ground.writer.workOn([file]).finally(end);
    assert.deepEqual(outcomes[0]?.failure, {
      sid: file.sid,
      path: pathOf(file),
      reason: "unreadable",
      detail: "EIO",
    });
  });

  it("of one session in two files the earlier is superseded, and not converted (One sid, two files)", async () => {
    const ground = new WriterGround();
    const earlier = ground.save(1, "{", { mtimeMs: Date.now() - dayMs });
    const later = ground.save(1, value, { layout: "scattered" });
    const { outcomes } = await ground.writer.workOn([earlier, later]);
    const { sid } = earlier;
    assert.deepEqual(
      outcomes.map(({ mtimeMs: _, expiresAtMs: __, ...outcome }) => outcome),
      [
        { sid, kind: "superseded", bytesRead: 1, bytesWritten: 0 },
        { sid, ...known, kind: "copied", bytesWritten: bytes },
      ],
    );
  });

  it("an empty batch asks Redis nothing", async () => {
    const ground = new WriterGround();
    answer(ground.store, {
      createEncoded: () => assert.fail(),
      create: () => assert.fail(),
      read: () => assert.fail(),
    });
    assert.deepEqual(await ground.write(), []);
  });

  it("outcomes come one by one only if somebody asks; they are counted all the same", async () => {
    const ground = new WriterGround({ collectsOutcomes: false });
    const { outcomes, page } = await ground.writer.workOn([ground.save(1), ground.save(2, odd), ground.save(3, "{")]);
    assert.deepEqual(outcomes, []);
    assert.deepEqual([page.found, page.outcomes.copied, page.outcomes.failed], [3, 2, 1]);
    assert.deepEqual([page.failures.length, page.warnings], [1, new Map([[warning, 1]])]);
  });
});
