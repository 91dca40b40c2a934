import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { staysInRedis } from "../../../src/migrate/writing/written-log.js";
import { SourceError } from "../../../src/model/errors.js";
import { WrittenSessions } from "../../../src/source/written-sessions.js";
import { withTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { sessionText } from "../../support/sessions/session-directory.js";
import { goAfterWrite, remove, WriterGround } from "./writer-ground.js";

const other = sessionText("other");

describe("copy-writer: keys that were written are looked for at the end (A Redis that may run out)", () => {
  const brief = sessionText().replace("}", ', "expiration": 60}');
  const rows: readonly (readonly [
    name: string,
    lose: (ground: WriterGround) => Promise<void> | void,
    missing: number,
  ])[] = [
    ["all there", () => undefined, 0],
    ["one is missing", (ground) => void ground.store.keys.delete(ground.store.keyOf(ground.directory.file(1).sid)), 1],
    [
      "written in two passes, missing once",
      async (ground) => {
        ground.writer.beginPass(1, Date.now());
        const file = ground.save(1, other, { mtimeMs: Date.now() });
        assert.deepEqual(await ground.write(file), ["copied"]);
        ground.store.keys.delete(ground.store.keyOf(file.sid));
      },
      1,
    ],
    [
      "one that has no more than a minute to live may be missing",
      async (ground) => {
        const file = ground.save(3, brief);
        assert.deepEqual(await ground.write(file), ["copied"]);
        ground.store.keys.delete(ground.store.keyOf(file.sid));
      },
      0,
    ],
    [
      "one that was identical was not written",
      async (ground) => {
        const file = ground.save(3);
        ground.hold(file, sessionText(3));
        assert.deepEqual(await ground.write(file), ["identical"]);
        ground.store.keys.delete(ground.store.keyOf(file.sid));
      },
      0,
    ],
    [
      "once the run is to stop none is looked for",
      (ground) => {
        ground.store.keys.clear();
        ground.stop.abort();
      },
      0,
    ],
  ];
  for (const [name, lose, missing] of rows) {
    it(name, async () => {
      const ground = new WriterGround();
      await ground.write(ground.save(1), ground.save(2));
      await lose(ground);
      assert.equal(await ground.writer.written.countMissing(), missing);
    });
  }
});

describe("copy-writer: it goes on if what was written cannot be kept", () => {
  const broken = () => {
    throw new SourceError("a temporary file cannot be used (ENOSPC)");
  };
  async function goesOn(ground: WriterGround, warning: string): Promise<void> {
    const files = [ground.save(1), ground.save(2)];
    assert.deepEqual(await ground.write(...files), ["copied", "copied"]);
    files.forEach(remove);
    assert.deepEqual(await ground.retractEnded(), []);
    assert.equal(await ground.writer.written.countMissing(), undefined);
    assert.equal(ground.store.keys.size, 2);
    assert.deepEqual(ground.warnings, [`${warning}, so ${staysInRedis}!`]);
    ground.writer.close();
  }

  it("no temporary file can be made", async () => {
    const ground = withTemporaryDirectory("/nowhere", () => new WriterGround());
    await goesOn(ground, "no temporary file can be made (ENOENT)");
  });

  for (const method of ["add", "batches"] as const) {
    it(`it fails later: ${method}`, async (t) => {
      t.mock.method(WrittenSessions.prototype, method, broken);
      await goesOn(new WriterGround(), "a temporary file cannot be used (ENOSPC)");
    });
  }

  it("a session whose file is gone at once is retracted all the same", async (t) => {
    t.mock.method(WrittenSessions.prototype, "add", broken);
    const ground = new WriterGround();
    const file = ground.save(1, sessionText());
    goAfterWrite(ground, [file]);
    assert.deepEqual(await ground.write(file), ["vanished"]);
    assert.deepEqual(ground.warnings, []);
  });
});
