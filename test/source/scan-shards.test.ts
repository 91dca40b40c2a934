import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { newScanTally, type ScanTally, type SessionFile } from "../../src/model/session-file.js";
import { isInShard, type Shard } from "../../src/model/shard.js";
import { listSessions } from "../../src/source/list-sessions.js";
import { scanSessions } from "../../src/source/scan-sessions.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";

const sids = Array.from({ length: 300 }, (_, number) => createHash("sha1").update(String(number)).digest("hex"));
const flat = (sid: string) => `werkzeug_${sid}.sess`;
const scattered = (sid: string) => `${sid.slice(0, 2)}/${sid}`;
const aside = (name: string) => join(dirname(name), `.tele-sessions-7-0123456789abcdef-${name.split("/").at(-1)}`);

/** Session files in both layouts, some in both at once, files set aside, and other names. */
function makeTree(): string {
  const directory = makeTemporaryDirectory();
  const names = sids.flatMap((sid, number) => {
    if (number % 10 === 0) return [flat(sid), scattered(sid)];
    if (number % 10 === 1) return [aside(number % 20 === 1 ? flat(sid) : scattered(sid))];
    return [number % 2 === 0 ? flat(sid) : scattered(sid)];
  });
  const others = Array.from({ length: 40 }, (_, number) => `note-${number}.txt`);
  for (const name of [...names, ...others]) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), "{}");
  }
  return directory;
}

interface Scanned {
  readonly files: readonly SessionFile[];
  readonly others: readonly SessionFile[];
  readonly tally: ScanTally;
}

function scan(directory: string, shard: Shard | null, batchSize = 16): Scanned {
  const tally = newScanTally();
  const others: SessionFile[] = [];
  const onOther = (file: SessionFile) => others.push(file);
  const batches = [...scanSessions(directory, batchSize, tally, { shard, onOther })];
  return { files: batches.flat(), others, tally };
}

const namesOf = (files: readonly SessionFile[]) => files.map(({ name }) => name).sort();

describe("scan-sessions: shards", () => {
  const directory = makeTree();
  const all = scan(directory, null);
  const asideOf = ({ tally }: Scanned) => tally.setAside.map(({ asideName }) => asideName);

  for (const count of [1, 2, 3, 8, 1000]) {
    it(`${count}: every name is in exactly one, and the counts add up`, () => {
      const shards = Array.from({ length: count }, (_, index) => ({ index, count }));
      const parts = shards.map((shard) => scan(directory, shard));
      assert.deepEqual(namesOf(parts.flatMap(({ files }) => files)), namesOf(all.files));
      assert.deepEqual(parts.flatMap(asideOf).sort(), asideOf(all).sort());
      const sum = (of: (tally: ScanTally) => number) => parts.reduce((total, { tally }) => total + of(tally), 0);
      assert.equal(
        sum(({ ignored }) => ignored),
        all.tally.ignored,
      );
      assert.equal(
        sum(({ layouts }) => layouts.flat),
        all.tally.layouts.flat,
      );
      assert.equal(
        sum(({ layouts }) => layouts.scattered),
        all.tally.layouts.scattered,
      );
      for (const { files, others } of parts) {
        assert.deepEqual(namesOf([...files, ...others]), namesOf(all.files), "the rest is told of");
      }
    });
  }

  it("a sid goes with its other file, in another directory, and with what a killed purge set aside", () => {
    const shard = { index: 2, count: 4 };
    const { files, tally } = scan(directory, shard);
    assert.ok(files.length > 0 && tally.setAside.length > 0);
    assert.ok(files.every(({ sid }) => isInShard(sid, shard)));
    assert.ok(tally.setAside.every(({ file }) => isInShard(file.sid, shard)));
    const twice = sids.filter((sid, number) => number % 10 === 0 && isInShard(sid, shard));
    const names = new Set(namesOf(files));
    assert.ok(twice.every((sid) => names.has(flat(sid)) && names.has(scattered(sid))));
  });

  it("a small shard gives a short batch now and then, so that signals have their turn", () => {
    const many = makeTemporaryDirectory();
    for (let number = 0; number < 200; number++) writeFileSync(join(many, `other-${number}`), "");
    const batches = [...scanSessions(many, 2, newScanTally(), { shard: { index: 0, count: 1000 } })];
    assert.ok(batches.length >= 3, `${batches.length} batches`);
    assert.equal(batches.flat().length, 0);
  });

  it("listed: what the shard takes, and how many there are in all, which the memory estimate needs", async () => {
    const running = new AbortController().signal;
    const listOf = (shard: Shard | null) => listSessions([directory], { shard, sample: null }, running);
    const whole = await listOf(null);
    const parts = await Promise.all([0, 1, 2].map((index) => listOf({ index, count: 3 })));
    assert.equal(
      parts.reduce((sum, { count }) => sum + count, 0),
      whole.count,
    );
    for (const { count, selected, ofAllShards, directories } of parts) {
      assert.ok(count > 0 && count < whole.count);
      assert.deepEqual([selected, ofAllShards], [count, whole.count]);
      assert.deepEqual(namesOf(directories[0]?.sample ?? []), namesOf(whole.directories[0]?.sample ?? []));
    }
  });
});
