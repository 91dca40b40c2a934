import assert from "node:assert/strict";
import type { Report } from "../../../../src/report/schema/report-schema.js";
import { connectRedis, type RedisReply } from "../../../support/servers/redis-client.js";
import type { Field } from "./field.js";
import type { Situation } from "./situation.js";

/**
 * Outcomes that explain why a session is not in Redis. `absent` and `missing` do not: they are exit
 * 4.
 */
const explaining = ["expired", "ended", "superseded", "vanished", "failed"];

/**
 * The general rule of a run: exit 0 only if every session that the server has is in Redis or has an
 * outcome that explains why not; and none is in neither place.
 */
export async function assertNobodyLost(field: Field, situation: Situation, report: Report): Promise<void> {
  const living = field.sessions.filter(({ over }) => !over);
  const values = await readValues(
    field,
    living.map(({ sid }) => field.keyPrefix + sid),
  );
  const notInRedis = living.filter((_, index) => !Buffer.isBuffer(values[index]));

  if (situation.unbound !== "removal without proof") {
    const lost = notInRedis.filter((session) => !field.isOnDisk(session)).map(({ sid }) => sid.slice(0, 6));
    assert.deepEqual(lost, [], "sessions are neither in Redis nor on disk");
  }
  const wrong = living.filter(({ values: known }, index) => {
    const value = values[index];
    return known.size > 0 && Buffer.isBuffer(value) && !known.has(value.toString());
  });
  assert.deepEqual(
    wrong.map(({ sid }) => sid.slice(0, 6)),
    [],
    "Redis holds other values than the server",
  );

  if (report.exitCode !== 0 || situation.unbound !== undefined) return;
  const explained = explaining.reduce((sum, name) => sum + Number(Reflect.get(report.sessions, name) ?? 0), 0);
  if (report.dryRun) {
    assert.ok(report.sessions.found >= living.length, "a dry run promises less than the server has");
    return;
  }
  assert.ok(
    notInRedis.length <= explained,
    `exit 0, but ${notInRedis.length} sessions are not in Redis and only ${explained} have an outcome that says why`,
  );
}

/** One at a time: some situations limit what Redis has ready for a client. */
async function readValues(field: Field, keys: readonly string[]): Promise<RedisReply[]> {
  const client = await connectRedis({ ...field.redis, db: field.db });
  const values: RedisReply[] = [];
  for (const key of keys) values.push(...(await client.pipeline([["GET", key]])));
  client.close();
  return values;
}
