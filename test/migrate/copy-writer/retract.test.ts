import assert from "node:assert/strict";
import { mkdirSync, renameSync } from "node:fs";
import { describe, it } from "node:test";
import { staysInRedis } from "../../../src/migrate/writing/written-log.js";
import type { SessionStore } from "../../../src/redis/session-store.js";
import { pathOf } from "../../../src/source/recent-files.js";
import { sessionText } from "../../support/sessions/session-directory.js";
import { type GroundChange, goAfterWrite, inADay, remove, WriterGround } from "./writer-ground.js";

const other = sessionText("other");

const notRetracting = [
  ["if other runs cannot be seen", { retracts: false }],
  ["in a dry run", { dryRun: true }],
] as const;

describe("copy-writer: a session that ends before its key is written is retracted (spec.md section 4, Logouts)", () => {
  const ways: readonly (readonly [name: string, mtimeMs: number | undefined])[] = [
    ["sent as it is", undefined],
    ["just modified", Date.now()],
  ];
  for (const [name, mtimeMs] of ways) {
    const how = mtimeMs === undefined ? {} : { mtimeMs };

    it(`${name}: only the key of the file that is gone, and only if this run wrote it`, async () => {
      const ground = new WriterGround();
      const files = (["flat", "scattered", "flat"] as const).map((layout, index) =>
        ground.save(index + 1, sessionText(index + 1), { layout, ...how }),
      );
      const [, gone = assert.fail(), identical = assert.fail()] = files;
      ground.hold(identical, sessionText(3));
      goAfterWrite(ground, [gone, identical]);
      const { outcomes } = await ground.writer.workOn(files);
      const kinds = new Map(outcomes.map(({ sid, kind, bytesWritten }) => [sid, [kind, bytesWritten > 0]]));
      assert.deepEqual(
        files.map(({ sid }) => kinds.get(sid)),
        [
          ["copied", true],
          ["vanished", false],
          ["identical", false],
        ],
      );
      assert.deepEqual(
        files.map((file) => ground.stored(file) !== undefined),
        [true, false, true],
      );
    });

    it(`${name}: not what a server saved since`, async () => {
      const ground = new WriterGround();
      const file = ground.save(1, sessionText(), how);
      goAfterWrite(ground, [file], () => ground.hold(file, other));
      assert.deepEqual(await ground.write(file), ["copied"]);
      assert.equal(ground.stored(file), other);
    });

    for (const [why, change] of notRetracting) {
      it(`${name}: not ${why}`, async () => {
        const ground = new WriterGround(change);
        const file = ground.save(1, sessionText(), how);
        goAfterWrite(ground, [file]);
        assert.deepEqual(await ground.write(file), ["copied"]);
        assert.equal(ground.stored(file), sessionText());
      });
    }

    it(`${name}: not if the connection was lost since it was sent`, async () => {
      const ground = new WriterGround();
      const file = ground.save(1, sessionText(), how);
      goAfterWrite(ground, [file], () => ground.servers.reconnects++);
      assert.deepEqual(await ground.write(file), ["copied"]);
      assert.equal(ground.stored(file), sessionText());
      assert.deepEqual(ground.warnings, [`the connection was lost, so ${staysInRedis}`]);
    });

    it(`${name}: not if the connection is lost before it is deleted`, async () => {
      const ground = new WriterGround();
      const file = ground.save(1, sessionText(), how);
      goAfterWrite(ground, [file]);
      // As the store does it.
      const retract: SessionStore["retract"] = async (keys, reconnects) => {
        assert.equal(reconnects, ground.servers.reconnects++);
        return keys.map(() => false);
      };
      Object.assign(ground.store, { retract });
      assert.deepEqual(await ground.write(file), ["copied"]);
      assert.deepEqual(ground.warnings, [`the connection was lost, so ${staysInRedis}`]);
    });
  }

  it("not if the reply was lost, and the key was found as it was sent", async () => {
    const ground = new WriterGround();
    const file = ground.save(1);
    const { createEncoded } = ground.store;
    Object.assign(ground.store, {
      createEncoded: async (...entries: Parameters<typeof createEncoded>) => {
        await createEncoded.apply(ground.store, entries);
        ground.servers.reconnects++;
        remove(file);
      },
    });
    assert.deepEqual(await ground.write(file), ["copied"]);
    assert.equal(ground.stored(file), sessionText());
  });

  it("a key that was renewed is retracted as Redis holds it; one that was left alone is not", async () => {
    const ground = new WriterGround({ facts: { serverWorks: "files" } });
    const set = (items: string) => `{"db": "d", "uid": 1, "set": {"_type": "set", "value": [${items}]}}`;
    const renewed = ground.save(1, set("1, 2"));
    const leftAlone = ground.save(2);
    ground.hold(renewed, set("2, 1"));
    ground.hold(leftAlone, sessionText(2), inADay(sessionText(2)) + 1);
    goAfterWrite(ground, [renewed, leftAlone]);
    const { outcomes } = await ground.writer.workOn([renewed, leftAlone]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ["vanished", "identical"],
    );
    assert.deepEqual([ground.stored(renewed), ground.stored(leftAlone)], [undefined, sessionText(2)]);
  });

  it("not what was written over something newer: another run may have purged the file", async () => {
    const ground = new WriterGround({ conflicts: { policy: "overwrite", again: false, maxEnded: 10 } });
    const files = [ground.save(1), ground.save(2)];
    const [text = assert.fail(), list = assert.fail()] = files;
    ground.hold(text, other);
    ground.hold(list, null);
    goAfterWrite(ground, files);
    assert.deepEqual(await ground.write(...files), ["copied", "copied"]);
    assert.deepEqual(
      files.map((file) => ground.stored(file)),
      [sessionText(1), sessionText(2)],
    );
  });
});

describe("copy-writer: a session that ends after its key was written is retracted at the end (Logouts)", () => {
  /** A ground where two sessions were written in the main pass, and two in the next. */
  async function writeInTwoPasses(change: GroundChange = {}) {
    const ground = new WriterGround(change);
    const files = [1, 2, 3, 4].map((number) => ground.save(number));
    await ground.write(...files.slice(0, 2));
    ground.writer.beginPass(1, Date.now());
    await ground.write(...files.slice(2));
    return { ground, files };
  }
  const bytes = sessionText(1).length;

  it("each with its pass and its bytes", async () => {
    const { ground, files } = await writeInTwoPasses();
    for (const file of files) if (file !== files[1]) remove(file);
    assert.deepEqual(await ground.retractEnded(), [
      [files[0]?.sid, { pass: 0, renewed: false, bytes }],
      [files[2]?.sid, { pass: 1, renewed: false, bytes }],
      [files[3]?.sid, { pass: 1, renewed: false, bytes }],
    ]);
    assert.deepEqual(
      files.map((file) => ground.stored(file) !== undefined),
      [false, true, false, false],
    );
    assert.equal(await ground.writer.written.countMissing(), 0, "a retracted key is not missing");
  });

  it("not one that was moved, one that a server saved since, or any of a directory that is away", async () => {
    const { ground, files } = await writeInTwoPasses();
    const [moved = assert.fail(), saved = assert.fail()] = files;
    const scattered = ground.directory.file(1, "scattered");
    mkdirSync(pathOf(scattered).slice(0, -scattered.sid.length));
    renameSync(pathOf(moved), pathOf(scattered));
    ground.hold(saved, other);
    remove(saved);
    assert.deepEqual(await ground.retractEnded(), []);
    renameSync(ground.directory.path, `${ground.directory.path}-away`);
    assert.deepEqual(await ground.retractEnded(), []);
    assert.equal(ground.store.keys.size, 4);
  });

  it("not what was written before the connection was lost", async () => {
    const { ground, files } = await writeInTwoPasses();
    ground.servers.reconnects++;
    const last = ground.save(5);
    await ground.write(last);
    [...files, last].forEach(remove);
    assert.deepEqual(await ground.retractEnded(), [[last.sid, { pass: 1, renewed: false, bytes }]]);
    assert.deepEqual([ground.store.keys.size, ground.warnings.length], [4, 1]);
  });

  for (const [name, change] of notRetracting) {
    it(`none ${name}`, async () => {
      const { ground, files } = await writeInTwoPasses(change);
      files.forEach(remove);
      assert.deepEqual(await ground.retractEnded(), []);
      assert.equal(ground.store.keys.size, 4);
    });
  }

  it("none once the run is to stop", async () => {
    const { ground, files } = await writeInTwoPasses();
    files.forEach(remove);
    ground.stop.abort();
    assert.deepEqual(await ground.retractEnded(), []);
  });
});
