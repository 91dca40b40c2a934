import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { readReportFile, run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const fixtures = join(projectRoot, "fixtures");
const others = 300;

/** A pickle that would make a file if it were loaded by Python's own `pickle`. */
function pickleThatTouches(path: string): string {
  return `cos\nsystem\n(S'touch ${path}'\ntR.`;
}

test("every fixture, hostile ones too: others are unharmed, memory is bounded, nothing is executed", async (t) => {
  const redis = await redisOf(t);
  const top = makeTemporaryDirectory();
  const directory = join(top, "sessions");
  const manifest = join(top, "manifest");
  await makeSessions(directory, { count: others, manifest });
  const files = readdirSync(fixtures, { recursive: true, encoding: "utf8" })
    .filter((name) => lstatSync(join(fixtures, name)).isFile())
    .sort();
  assert.ok(files.length > 0, "fixtures/ is empty: run fixtures/generate.py");

  const sidOf = (name: string): string => createHash("sha1").update(`fixture ${name}`).digest("hex");
  for (const [index, name] of files.entries()) {
    const sid = sidOf(name);
    const folder = join(directory, sid.slice(0, 2));
    mkdirSync(folder, { recursive: true });
    const path = index % 2 === 0 ? join(directory, `werkzeug_${sid}.sess`) : join(folder, sid);
    cpSync(join(fixtures, name), path);
  }
  const marker = join(top, "marker");
  for (const [index, content] of [
    pickleThatTouches(marker),
    `\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00${pickleThatTouches(marker)}`,
    `(dS'a'\n${pickleThatTouches(marker).slice(0, -1)}s.`,
  ].entries()) {
    writeFileSync(join(directory, `werkzeug_${sidOf(`marker ${index}`)}.sess`), Buffer.from(content, "latin1"));
  }

  const home = makeTemporaryDirectory();
  const file = join(top, "report.json");
  const beganMs = Date.now();
  const { exitCode, stderr, report } = await run(["copy", ...between(directory, redis), "--json", "--report", file], {
    cwd: home,
    environment: { HOME: home, TMPDIR: home },
  });
  const seconds = (Date.now() - beganMs) / 1000;
  assert.equal(exitCode, 1, stderr);
  assert.equal(existsSync(marker), false, "a pickle ran a command");
  assert.deepEqual(readdirSync(home), [], "something was written where the run ran");
  const total = report.sessions.found + report.source.empty;
  assert.equal(total, others + files.length + 3);
  const { copied, failed } = report.sessions;
  assert.ok(failed >= 3);
  assert.equal(await countKeys(redis), copied);
  await assertCopied(redis, { manifest, beganMs, sessions: others, otherKeys: copied - others });
  const suspicious = report.failures.map((failure) => failure.suspicious === true);
  assert.ok(suspicious.indexOf(false) >= 3, "the three planted files come first");
  assert.ok(!suspicious.slice(suspicious.indexOf(false)).includes(true), "none comes later");
  const whole = readReportFile(file);
  assert.equal(whole.failures.length, failed);
  assert.ok(report.peakMemoryBytes < 250_000_000, `${report.peakMemoryBytes} bytes`);
  assert.ok(seconds < 30, `${seconds} s`);
  t.diagnostic(
    `${files.length} fixtures: ${copied - others} copied, ${failed} failed; ` +
      `${Math.round(report.peakMemoryBytes / 1e6)} MB`,
  );
});
