import assert from "node:assert/strict";
import { it } from "node:test";
import { SessionLog } from "../../src/migrate/session-log.js";
import type { Written } from "../../src/model/entry.js";

const sid = "ab".padEnd(40, "0");
const written: Written = {
  file: { directory: "/srv", name: `werkzeug_${sid}.sess`, layout: "flat", sid },
  ...{ pass: 1, reconnects: 0, expiresAtMs: 1000, bytes: 7, renewed: false },
  digest: Buffer.alloc(20, 7),
};

it("session-log: gives back what was written", () => {
  const log = new SessionLog(["/srv"], "it stays", assert.fail);
  log.add(written);
  assert.deepEqual(
    [...log.batches(2)].map((batch) => batch.map((one) => ({ ...one, digest: Buffer.from(one.digest) }))),
    [[written]],
  );
  log.close();
});

it("session-log: without a temporary file it warns, and the run goes on", (t) => {
  const environment = process.env["TMPDIR"];
  process.env["TMPDIR"] = "/nowhere";
  t.after(() => {
    if (environment === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = environment;
  });
  const warnings: string[] = [];
  const log = new SessionLog(["/srv"], "it stays", (text) => warnings.push(text));
  log.add(written);
  assert.deepEqual([...log.batches(2)], []);
  assert.match(warnings.join(), /^no temporary file can be made \(ENOENT\), so it stays$/);
  log.close();
});
