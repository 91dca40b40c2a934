import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maxCommandBytes } from "../../../src/migrate/readers/encoded-sessions.js";
import { RedisError } from "../../../src/model/errors.js";
import { dayMs, sessionOfLength, sessionText } from "../../support/sessions/session-directory.js";
import { answer, beside, WriterGround } from "./writer-ground.js";

describe("copy-writer: what is sent at a time", () => {
  const most = maxCommandBytes;

  /** Bytes of the values that go to Redis together, for session files of these sizes. */
  async function sentTogether(sizes: readonly number[]): Promise<number[][]> {
    const ground = new WriterGround();
    const sent: number[][] = [];
    const { createEncoded, create } = ground.store;
    answer(ground.store, {
      createEncoded: (entries, keys) => {
        sent.push(keys().map((key) => sizes[Number.parseInt(key.slice(8, 12), 16)] ?? 0));
        return createEncoded.call(ground.store, entries, keys);
      },
      create: (entries) => {
        sent.push(entries.map((entry) => entry.value.length));
        return create.call(ground.store, entries);
      },
    });
    let batches = 0;
    beside(ground.readers, "convert", { after: () => batches++ });
    beside(ground.readers, "giveBack", { after: () => batches-- });
    await ground.write(...sizes.map((size, index) => ground.save(index, sessionOfLength(size))));
    assert.equal(batches, 0, "each is given back");
    assert.equal(ground.store.keys.size, sizes.length);
    return sent;
  }

  it("small ones go together", async () => {
    assert.deepEqual(await sentTogether([100, 200, 300]), [[100, 200, 300]]);
  });

  it("none follows once they are as much as may be sent", async () => {
    const big = most - 100;
    assert.deepEqual(await sentTogether([100, big, 200, 300]), [
      [100, big],
      [200, 300],
    ]);
  });

  it("one that is as much by itself goes alone", async () => {
    const big = most + 100;
    assert.deepEqual(await sentTogether([big, big, 100]), [[big], [big], [100]]);
    assert.deepEqual(await sentTogether([100, most, 200]), [[100], [most], [200]]);
  });

  it("the same counts for files that could be read only the second time", async () => {
    const ground = new WriterGround();
    const sent: number[] = [];
    beside(ground.store, "create", { after: () => sent.push(ground.store.keys.size) });
    const sizes = [most, most, 100];
    beside(ground.readers.inline, "stampOf", {
      before: (at) => ground.save(at, sessionOfLength(sizes[at - 1] ?? 0)),
    });
    await ground.write(...[1, 2, 3].map((number) => ground.directory.file(number)));
    assert.deepEqual(sent, [1, 2, 3]);
  });

  it("each reply belongs to its own entry", async () => {
    const ground = new WriterGround();
    const files = [ground.save(1), ground.directory.file(2), ground.save(3), ground.save(4), ground.save(5)];
    answer(ground.store, {
      createEncoded: async () => ["created", "exists", "refused", "created"],
      create: async () => [{ kind: "failed", detail: "of 4" }],
    });
    ground.hold(ground.directory.file(3), sessionText(3));
    const { outcomes } = await ground.writer.workOn(files);
    const kinds = outcomes.map(({ sid, kind }) => [Number.parseInt(sid.slice(0, 4), 16), kind]).sort();
    assert.deepEqual(kinds, [
      [1, "copied"],
      [2, "vanished"],
      [3, "identical"],
      [4, "failed"],
      [5, "copied"],
    ]);
  });

  it("what ends the run comes with the outcomes before it; the others are unvisited", async () => {
    const ground = new WriterGround();
    const files = [ground.save(1), ground.save(2, sessionOfLength(most + 100)), ground.save(3), ground.save(4)];
    const { createEncoded } = ground.store;
    let calls = 0;
    answer(ground.store, {
      createEncoded: async (...sent) => {
        if (++calls === 2) throw new RedisError("refused", "no");
        return createEncoded.apply(ground.store, sent);
      },
    });
    const { page, unvisited, error } = await ground.writer.workOn(files);
    assert.deepEqual([page.outcomes.copied, unvisited], [2, 2]);
    assert(error instanceof RedisError);
  });
});

describe("copy-writer: a reply that was lost (createEncoded gives undefined)", () => {
  it("each key is created, or found as it was sent", async () => {
    const ground = new WriterGround();
    const files = [ground.save(1), ground.save(2), ground.save(3)];
    const { createEncoded } = ground.store;
    answer(ground.store, {
      createEncoded: async (...sent) => {
        await createEncoded.apply(ground.store, sent);
        ground.store.keys.delete(ground.store.keyOf(files[1]?.sid ?? ""));
        ground.hold(ground.directory.file(3), sessionText("saved since"), Date.now() + 7 * dayMs);
        return undefined;
      },
    });
    assert.deepEqual((await ground.write(...files)).sort(), ["copied", "copied", "kept"]);
    assert.deepEqual(
      files.map((file) => ground.stored(file)),
      [sessionText(1), sessionText(2), sessionText("saved since")],
    );
  });
});

describe("copy-writer: a dry run", () => {
  it("keeps no log, waits for no lifetime and retracts nothing", async () => {
    const ground = new WriterGround({ dryRun: true });
    const file = ground.save(1);
    ground.hold(file, sessionText(1), null);
    const beganMs = performance.now();
    assert.deepEqual(await ground.write(file), ["identical"]);
    assert(performance.now() - beganMs < 4000);
    assert.equal(await ground.writer.written.countMissing(), undefined);
    assert.deepEqual(await ground.retractEnded(), []);
  });
});
