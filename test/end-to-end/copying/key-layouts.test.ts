import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { signedInstant } from "../../../src/convert/sign.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand, redisPipeline } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { assertCopied } from "../support/assert-copied.js";
import { run } from "../support/observed-run.js";
import { countKeys } from "../support/redis-of-test.js";

const top = makeTemporaryDirectory();
const manifest = join(top, "manifest");
const sessions = 60;
await makeSessions(join(top, "s"), { count: sessions, manifest });
const redis = await startRedis();
test.after(() => redis.stop());
const copy = ["copy", ...between(join(top, "s"), redis), "--json"];
const sidOfServer = "ab".repeat(20);
const longSidOfServer = "-_Z9".repeat(21);
/** As a server saves it: without a copy's sign. */
const serverSaved = (key: string): string[] => {
  const value = '{"uid": 2}';
  return ["SET", key, value, "PXAT", String(signedInstant(Date.now() + 3_600_000, value, 0) + 1)];
};
/** As a copy leaves it: that proves nothing. */
const copyWritten = (key: string): string[] => {
  const value = '{"uid": 2}';
  return ["SET", key, value, "PXAT", String(signedInstant(Date.now() + 3_600_000, value, 0))];
};

test("keys with a prefix", async (t) => {
  const rows: readonly {
    name: string;
    args: readonly string[];
    prefix: string;
    /** Keys that a server saved. */
    keys?: readonly string[];
    /** Keys that copies wrote. */
    copied?: readonly string[];
    layout: "documented" | "applet";
    evidence: "named" | "found" | "none";
    warns?: true;
  }[] = [
    {
      name: "documented, named",
      args: ["--key-layout", "documented"],
      prefix: "shop",
      layout: "documented",
      evidence: "named",
    },
    {
      name: "applet, named",
      args: ["--key-layout", "applet"],
      prefix: "shop",
      layout: "applet",
      evidence: "named",
    },
    {
      name: "auto, documented keys found",
      ...{
        args: [],
        prefix: "shop",
        keys: [`session:shop:${sidOfServer}`],
        layout: "documented",
        evidence: "found",
      },
    },
    {
      name: "auto, applet keys found",
      ...{
        args: [],
        prefix: "shop",
        keys: [`session::shop:${longSidOfServer}`],
        layout: "applet",
        evidence: "found",
      },
    },
    {
      name: "auto, none found",
      args: [],
      prefix: "shop",
      layout: "documented",
      evidence: "none",
      warns: true,
    },
    {
      name: "auto, applet keys found beside a copy's own documented ones",
      ...{ args: [], prefix: "shop", layout: "applet", evidence: "found" },
      keys: [`session::shop:${sidOfServer}`],
      copied: [`session:shop:${sidOfServer}`],
    },
    {
      name: "auto, copies alone prove nothing",
      ...{ args: [], prefix: "shop", layout: "documented", evidence: "none", warns: true },
      copied: [`session::shop:${sidOfServer}`],
    },
    {
      name: "auto, keys of other prefixes and of no sid do not count",
      ...{ args: [], prefix: "shop", layout: "documented", evidence: "none", warns: true },
      keys: [
        `session::shop2:${sidOfServer}`,
        "session::shop:short",
        `session:${sidOfServer}`,
        `session::shopx:${sidOfServer}`,
      ],
    },
    {
      name: "auto, a prefix of glob characters",
      ...{ args: [], prefix: "a*[b]?\\^-é", layout: "applet", evidence: "found" },
      keys: [`session::a*[b]?\\^-é:${sidOfServer}`, `session:aX[b]?\\^-é:${sidOfServer}`],
    },
    {
      name: "applet, named beside keys of both",
      ...{ args: ["--key-layout", "applet"], prefix: "shop", layout: "applet", evidence: "named" },
      keys: [`session:shop:${sidOfServer}`, `session::shop:${sidOfServer}`],
    },
  ];
  for (const { name, args, prefix, keys = [], copied = [], layout, evidence, warns } of rows) {
    await t.test(name, async () => {
      await redisPipeline(redis, [["FLUSHALL"], ...keys.map(serverSaved), ...copied.map(copyWritten)]);
      const beganMs = Date.now();
      const { exitCode, stderr, report } = await run([...copy, "--prefix", prefix, ...args]);
      assert.equal(exitCode, 0, stderr);
      assert.equal(report.target.keyLayout, layout);
      assert.equal(report.target.keyLayoutEvidence, evidence);
      const start = layout === "applet" ? `session::${prefix}:` : `session:${prefix}:`;
      await assertCopied(redis, {
        ...{ manifest, beganMs, sessions, otherKeys: keys.length + copied.length },
        keyOf: (sid) => start + sid,
      });
      assert.equal(/warning: .*--key-layout/.test(stderr), warns ?? false);
    });
  }
});

test("auto, keys under both layouts: exit 5, named, nothing written", async () => {
  await redisPipeline(redis, [
    ["FLUSHALL"],
    serverSaved(`session:shop:${sidOfServer}`),
    serverSaved(`session::shop:${sidOfServer}`),
  ]);
  const { exitCode, stderr, report } = await run([...copy, "--prefix", "shop"]);
  assert.equal(exitCode, 5);
  assert.match(stderr, /session:shop:.*session::shop:.*--key-layout/s);
  assert.equal(report.target.keyLayoutEvidence, "both");
  assert.equal(await countKeys(redis), 2);
});

test("a prefix from the variable, no key found: --quiet does not silence the warning", async () => {
  await redisCommand(redis, "FLUSHALL");
  const { exitCode, stderr } = await run([...copy, "--quiet"], {
    environment: { TELE_SESSION_REDIS_PREFIX: "shop" },
  });
  assert.equal(exitCode, 0);
  assert.match(stderr, /warning: .*session:shop:.*session::shop:.*--key-layout/s);
  assert.equal(stderr.match(/--key-layout/g)?.length, 2, stderr);
});

test("without a prefix there is nothing to choose", async () => {
  await redisCommand(redis, "FLUSHALL");
  const beganMs = Date.now();
  const { stderr } = await run([...copy, "--key-layout", "applet"]);
  assert.doesNotMatch(stderr, /warning: .*--key-layout/);
  await assertCopied(redis, { manifest, beganMs, sessions });
});
