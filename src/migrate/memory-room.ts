import { setImmediate as nextTurn } from "node:timers/promises";
import { convertSession } from "../convert/convert-session.js";
import { explainMissing } from "../convert/missing-key.js";
import { RedisError } from "../model/errors.js";
import type { DirectoryFacts } from "../model/mark.js";
import { bytesText } from "../model/number-text.js";
import type { SessionFile } from "../model/session-file.js";
import type { ResilientConnection } from "../redis/resilient-connection.js";
import { fullShare } from "../redis/server/memory-guard.js";
import { askKeyCounts, askServerState, type ServerState } from "../redis/server/server-state.js";
import { spreadOver } from "../source/list-sessions.js";
import { ReadAhead } from "../source/read-ahead.js";
import { surveyRun } from "./earlier-runs/survey.js";
import { type MemoryNeed, memoryNeedOf, ownMemory } from "./memory-need.js";
import type { Run } from "./run-context.js";

/** Of what is free, a copy takes no more if Redis evicts keys. */
const evictingShare = 0.5;
/** What an estimate may miss, as a factor. */
const inaccuracy = 1.1;
const mebibyte = 2 ** 20;
/** Session files of the sample that are read, and at a time. */
const maxRead = 2000;
const readAtATime = 128;

/** Estimates the memory that a copy needs. Throws `RedisError` if the sessions cannot fit. */
export async function makeMemoryRoom(run: Run): Promise<void> {
  const { connection, guard } = run.redis;
  guard.expect(await checkMemory(connection, run.out.warn, (state) => estimate(run, state)));
}

/** Estimates from a sample of the listing, each directory with its share of it. */
async function estimate(run: Run, { evictionPolicy, evictedKeys }: ServerState): Promise<MemoryNeed> {
  const { redis, options, stop, listing } = run;
  await redis.marks.read();
  const survey = await surveyRun(run, "sample");
  // The canary, without which nothing counts as ended, is written only later.
  const endedCounts = evictionPolicy === "noeviction" && evictedKeys === 0 && !options.conflicts.again;
  const facts = new Map(survey.directories.map((one) => [one.directory, { ...one, endedCounts }]));
  const sample = listing.directories.flatMap((one) =>
    spreadOver(one.sample, Math.ceil((maxRead * one.count) / listing.count)),
  );
  const files = new ReadAhead(run.files.maxFileSize);
  const sizes: number[] = [];
  for (let from = 0; from < sample.length && !stop.aborted; from += readAtATime) {
    const batch = sample.slice(from, from + readAtATime);
    await files.prefetch(batch);
    sizes.push(...(await sizesOf(run, batch, { files, facts })));
    await nextTurn();
  }
  const sampled = { listed: listing.count, sampled: sample.length, sizes };
  const { db } = options.target.redis;
  return memoryNeedOf(sampled, await redis.connection.run((client) => askKeyCounts(client, db)));
}

/** What each of these files would add; those that add nothing are left out. */
async function sizesOf(
  { redis, files: { conversion: settings } }: Run,
  batch: readonly SessionFile[],
  { files, facts }: { files: ReadAhead; facts: ReadonlyMap<string, DirectoryFacts> },
): Promise<number[]> {
  const added = batch.flatMap((file) => {
    const reading = files.read(file);
    if (reading.kind !== "read") return [];
    const conversion = convertSession(reading.read, file.sid, settings, Date.now());
    if (conversion.kind !== "entry") return [];
    const { key, value } = conversion.entry;
    const session = { ...conversion, stamp: reading.stamp };
    const meaning = explainMissing(session, facts.get(file.directory), settings, Date.now());
    return meaning === "write" ? [{ key, bytes: ownMemory(key, value) }] : [];
  });
  // Keys that exist take no further memory.
  const exist = await redis.store.exist(added.map(({ key }) => key));
  return added.flatMap(({ bytes }, index) => (exist[index] === true ? [] : [bytes]));
}

/**
 * Returns about how many bytes of memory the run needs; 0 if Redis has no limit. Warns if they may
 * not fit, or if Redis evicts keys. Throws `RedisError` if they cannot fit.
 */
export async function checkMemory(
  connection: ResilientConnection,
  warn: (message: string) => void,
  estimate: (state: ServerState) => Promise<MemoryNeed>,
): Promise<number> {
  const state = await connection.run(askServerState);
  const { maxMemory, usedMemory, evictionPolicy } = state;
  if (maxMemory === 0) return 0;
  const { bytes, atLeast, atMost } = await estimate(state);
  if (maxMemory === undefined || usedMemory === undefined) {
    if (bytes > 0) {
      warn(`about ${bytesText(bytes)} of Redis memory needed. Redis does not say how much is free`);
    }
    return bytes;
  }
  const evicts = evictionPolicy !== undefined && evictionPolicy !== "noeviction";
  const share = evicts ? evictingShare : 1;
  const room = share * Math.max(Math.floor(maxMemory * fullShare) - usedMemory, 0);
  const free = bytesText(Math.max(maxMemory - usedMemory, 0));
  const enough = (usedMemory + (bytes * inaccuracy) / share) / fullShare;
  const advice = `${free} free: set maxmemory to at least ${bytesText(Math.ceil(enough / mebibyte) * mebibyte)}`;
  const reason = evicts
    ? `Redis evicts keys when it is full (maxmemory-policy ${evictionPolicy}), ` +
      "so a copy takes no more than half of what is free"
    : "The last 5% of maxmemory stay free for the server's own saves";
  if (atLeast > room) {
    throw new RedisError(
      "refused",
      `Redis has too little memory: about ${bytesText(bytes)} needed, ${advice}. ${reason}`,
    );
  }
  if (atMost > room) {
    warn(`Redis may have too little memory: up to ${bytesText(atMost)} needed, ${advice}. ${reason}`);
  } else if (evicts) {
    warn(
      `Redis evicts keys when it is full (maxmemory-policy ${evictionPolicy}), ` +
        `which logs their owners out: about ${bytesText(bytes)} needed, ${free} free`,
    );
  }
  return bytes;
}
