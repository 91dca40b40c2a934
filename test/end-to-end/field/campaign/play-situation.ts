import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Report } from "../../../../src/report/schema/report-schema.js";
import { startCommand } from "../../../support/process/command.js";
import { RedisReplyError } from "../../../support/servers/redis-client.js";
import { redisCommand } from "../../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../../support/servers/redis-server.js";
import { assertNobodyLost } from "./assert-nobody-lost.js";
import { Field } from "./field.js";
import type { Situation } from "./situation.js";

const notOutcomes = ["found", "purged", "retracted", "authenticated", "anonymous", "lossy", "unvisited"];

/**
 * Brings a situation about, runs the binary in it, and holds the run to what must be and to the
 * general rule.
 */
export async function playSituation(t: TestContext, situation: Situation, shared: RedisServer): Promise<void> {
  const { sessions = 9, where = [], must } = situation;
  const redis = situation.redis === undefined ? shared : await startRedis({ args: situation.redis });
  if (redis !== shared) t.after(() => redis.stop());
  else await empty(shared);

  const field = new Field(redis);
  t.after(() => field.clear());
  field.makeSessions(sessions);
  await situation.prepare?.(field);

  const running = startCommand(
    [
      ...situation.run(field),
      ...(where.includes("directory") ? [] : ["--session-dir", field.directory]),
      ...(where.includes("redis") ? [] : ["--port", String(redis.port)]),
      ...["--json", "--retry-for", "5s"],
    ],
    {
      environment: situation.environment?.(field) ?? {},
      under: situation.under ?? [],
      nodeArgs: situation.nodeArgs ?? [],
      cwd: "/",
    },
  );
  const [{ exitCode, stdout, stderr }] = await Promise.all([running.result, situation.meanwhile?.(field, running)]);

  const said = `exit ${exitCode}\n${stderr}`;
  const exits = typeof must.exit === "number" ? [must.exit] : must.exit;
  assert.ok(exitCode !== null && exits.includes(exitCode), `exit ${exits.join(" or ")} was due: ${said}`);
  for (const words of must.says ?? []) assert.ok(holds(stderr, words), `nothing says ${words}: ${said}`);
  for (const words of must.hides ?? []) assert.ok(!holds(stderr, words), `something says ${words}: ${said}`);
  assert.ok(!stderr.includes("\x1b[2J"), "a control character gets to the terminal");

  assert.match(stdout, /^\{.*\}\n$/, "stdout holds one object");
  const report: Report = JSON.parse(stdout);
  assert.equal(report.exitCode, exitCode, "the report's exit code is the process's");
  for (const counts of [report.sessions, ...report.passes]) {
    const sum = Object.entries(counts).reduce(
      (total, [name, count]) => total + (notOutcomes.includes(name) ? 0 : count),
      0,
    );
    assert.equal(sum, counts.found, `the outcomes come to found: ${JSON.stringify(counts)}`);
  }

  await assertNobodyLost(field, situation, report);
  for (const [name, count] of Object.entries(must.counts ?? {})) {
    assert.equal(Reflect.get(report.sessions, name), count, `${name} in ${JSON.stringify(report.sessions)}\n${said}`);
  }
  if (must.reasons !== undefined) {
    assert.deepEqual(report.failures.map(({ reason }) => reason).sort(), must.reasons, said);
  }
  if (must.keys !== undefined) assert.equal(await field.countKeys(), must.keys, `keys: ${said}`);
  if (must.files !== undefined) assert.equal(field.countFiles(), must.files, `files: ${said}`);
  await situation.afterwards?.(field);
}

function holds(text: string, words: string | RegExp): boolean {
  return typeof words === "string" ? text.toLowerCase().includes(words.toLowerCase()) : words.test(text);
}

/** A Redis as it was started: no key, no user of ours. */
async function empty(redis: RedisServer): Promise<void> {
  const reply = await redisCommand(redis, "FLUSHALL");
  if (reply instanceof RedisReplyError) throw reply;
  await redisCommand(redis, "ACL", "DELUSER", "app");
}
