import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { signedInstant } from "../../../src/convert/sign.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { keyOf, saveSession } from "../support/made-session.js";
import { run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";

const page = readFileSync(join(projectRoot, "docs", "redis-permissions.md"), "utf8");
const [, commands = ""] = /<!-- commands -->`([a-z| ]+)`<!-- \/commands -->/.exec(page) ?? [];
const rights = commands.split(" ");

const environment = { TELE_SESSION_REDIS_PASSWORD: "pw" };
const value = '{"db": "x", "uid": 2, "v": 1}';
const old = '{"db": "x", "uid": 2, "v": "old"}';

/** A key as an earlier copy left it. */
async function copyWrites(redis: RedisServer, key: string, text: string): Promise<void> {
  const endsMs = signedInstant(Date.now() + 1_000_000, text, 0);
  await redisCommand(redis, "SET", key, text, "PXAT", String(endsMs));
}

/** A user with these rights and no others. */
async function allow(redis: RedisServer, names: readonly string[], keys = ["~session:*", "~tele-sessions:*"]) {
  const rules = names.map((name) => `+${name}`);
  await redisCommand(redis, "ACL", "SETUSER", "u", "reset", "on", ">pw", ...keys, ...rules);
}

function makeDirectory(): string {
  const directory = join(makeTemporaryDirectory(), "s");
  for (let number = 1; number <= 5; number++) saveSession(directory, number, value);
  return directory;
}

test("the ACL SETUSER line in docs/redis-permissions.md grants those commands, and CONFIG GET", () => {
  const [, granted = ""] = /^ACL SETUSER .* -@all (.+)$/m.exec(page) ?? [];
  assert.deepEqual(granted.split(" ").sort(), [...rights, "config|get"].map((name) => `+${name}`).sort());
});

describe("the rights that a Redis user needs (docs/redis-permissions.md)", { concurrency: 2 }, () => {
  test("with those and no others: copy, replace, verify, purge, and nothing to warn of", async (t) => {
    const redis = await redisOf(t);
    assert.ok(rights.length > 5, commands);
    await allow(redis, rights);
    const directory = makeDirectory();
    await copyWrites(redis, keyOf(1), old);
    const args = [...between(directory, redis), "--username", "u", "--json"];
    for (const command of [["copy", "--dry-run"], ["copy"], ["verify"], ["copy"], ["purge"]]) {
      const { exitCode, stderr, report } = await run([...command, ...args], { environment });
      assert.equal(exitCode, 0, stderr);
      // Only CONFIG tells whether Redis saves snapshots, and no run needs that right.
      const expected = /--username|Redis does not say whether it saves to disk/;
      assert.deepEqual(
        report.warnings.filter((warning) => !expected.test(warning)),
        [],
      );
    }
    assert.equal(await countKeys(redis), 5);
    assert.equal(String(await redisCommand(redis, "GET", keyOf(1))), value);
  });

  const without: readonly (readonly [
    missing: string,
    command: string,
    exitCode: number,
    says: RegExp,
    key?: string,
  ])[] = [
    ["set", "copy", 5, /does not allow this user the command SET/],
    ["get", "copy", 5, /does not allow this user the command GET/, value],
    ["pexpiretime", "verify", 5, /does not allow this user the command PEXPIRETIME/],
    ["eval", "copy", 5, /does not allow this user the command EVAL/, '{"db": "x", "uid": 2, "v": "old"}'],
    ["client|list", "copy", 0, /other runs cannot be seen \(CLIENT SETNAME or CLIENT LIST is denied/],
    ["client|setname", "copy", 0, /other runs cannot be seen \(CLIENT SETNAME or CLIENT LIST is denied/],
    ["client|list", "purge", 5, /CLIENT LIST is denied, .* a purge cannot see whether a copy/, value],
  ];
  for (const [missing, command, exitCode, says, held] of without) {
    test(`${command} without ${missing}: exit ${exitCode}, and it is said`, async (t) => {
      const redis = await redisOf(t);
      await allow(
        redis,
        rights.filter((right) => right !== missing),
      );
      const directory = makeDirectory();
      for (let number = 1; held !== undefined && number <= 5; number++) {
        await copyWrites(redis, keyOf(number), held);
      }
      const result = await run([command, ...between(directory, redis), "--username", "u"], { environment });
      assert.equal(result.exitCode, exitCode, result.stderr);
      assert.match(result.stderr, says);
    });
  }
});
