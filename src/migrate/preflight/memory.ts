import { setImmediate as nextTurn } from "node:timers/promises";
import { convertSession } from "../../convert/convert-session.js";
import { explainMissing } from "../../convert/missing-key.js";
import { type Check, passed } from "../../model/check.js";
import { bytesText } from "../../model/number-text.js";
import type { SessionFile } from "../../model/session-file.js";
import type { ResilientConnection } from "../../redis/resilient-connection.js";
import { fullShare } from "../../redis/server/memory-guard.js";
import { askKeyCounts, askServerState, type ServerState } from "../../redis/server/server-state.js";
import { spreadOver } from "../../source/list-sessions.js";
import { ReadAhead } from "../../source/read-ahead.js";
import { FactsBySession } from "../earlier-runs/facts-by-session.js";
import { surveyRun } from "../earlier-runs/survey.js";
import { type MemoryNeed, memoryNeedOf, ownMemory } from "../memory-need.js";
import type { Run } from "../run-context.js";

/** Of what is free, a copy takes no more if Redis evicts keys. */
const evictingShare = 0.5;
/** What an estimate may miss, as a factor. */
const inaccuracy = 1.1;
const mebibyte = 2 ** 20;
/** Session files of the sample that are read, and at a time. */
const maxRead = 2000;
const readAtATime = 128;

/**
 * Checks whether the memory that a copy needs is free, and tells the guard and the record how much
 * that is. `evenWithoutLimit`: estimates it even if Redis takes all that comes.
 */
export async function checkMemory(run: Run, evenWithoutLimit: boolean): Promise<Check> {
  const { connection, guard } = run.redis;
  const estimated = async (state: ServerState) => {
    const need = await estimate(run, state);
    run.record.memoryNeeded = need.bytes;
    return need;
  };
  const { check, bytes } = await judgeMemory(connection, estimated, evenWithoutLimit);
  guard.expect(bytes);
  return check;
}

/** Estimates from a sample of the listing, each directory with its share of it. */
async function estimate(run: Run, { evictionPolicy, evictedKeys }: ServerState): Promise<MemoryNeed> {
  const { redis, options, stop, listing } = run;
  await redis.marks.read();
  const survey = await surveyRun(run, "sample");
  // The canary, without which nothing counts as ended, is written only later.
  const endedCounts = evictionPolicy === "noeviction" && evictedKeys === 0 && !options.conflicts.again;
  const directories = survey.directories.map((one) => ({ ...one, endedCounts }));
  const facts = new FactsBySession(directories);
  const sample = listing.directories.flatMap((one) =>
    spreadOver(one.sample, Math.ceil((maxRead * one.ofAllShards) / listing.ofAllShards)),
  );
  const files = new ReadAhead(run.files.maxFileSize);
  const sizes: number[] = [];
  for (let from = 0; from < sample.length && !stop.aborted; from += readAtATime) {
    const batch = sample.slice(from, from + readAtATime);
    await files.prefetch(batch);
    sizes.push(...(await sizesOf(run, batch, { files, facts })));
    await nextTurn();
  }
  const sampled = { listed: listing.ofAllShards, sampled: sample.length, sizes };
  const { db } = options.target.redis;
  return memoryNeedOf(sampled, await redis.connection.run((client) => askKeyCounts(client, db)));
}

/** What each of these files would add; those that add nothing are left out. */
async function sizesOf(
  { redis, files: { conversion: settings } }: Run,
  batch: readonly SessionFile[],
  { files, facts }: { files: ReadAhead; facts: FactsBySession },
): Promise<number[]> {
  const added = batch.flatMap((file) => {
    const reading = files.read(file);
    if (reading.kind !== "read") return [];
    const conversion = convertSession(reading.read, file.sid, settings, Date.now());
    if (conversion.kind !== "entry") return [];
    const { key, value } = conversion.entry;
    const session = { ...conversion, stamp: reading.stamp };
    const meaning = explainMissing(session, facts.of(file), settings, Date.now());
    return meaning === "write" ? [{ key, bytes: ownMemory(key, value) }] : [];
  });
  // Keys that exist take no further memory.
  const exist = await redis.store.exist(added.map(({ key }) => key));
  return added.flatMap(({ bytes }, index) => (exist[index] === true ? [] : [bytes]));
}

/**
 * Judges whether the sessions fit, and returns about how many bytes they need; 0 if Redis has no
 * limit.
 */
export async function judgeMemory(
  connection: ResilientConnection,
  estimate: (state: ServerState) => Promise<MemoryNeed>,
  evenWithoutLimit = false,
): Promise<{ readonly check: Check; readonly bytes: number }> {
  const state = await connection.run(askServerState);
  const { maxMemory, usedMemory, evictionPolicy } = state;
  const noLimit = "Redis has no memory limit";
  if (maxMemory === 0 && !evenWithoutLimit) return { check: passed("memory", noLimit), bytes: 0 };
  const { bytes, atLeast, atMost } = await estimate(state);
  const needed = `about ${bytesText(bytes)} needed`;
  if (maxMemory === 0) return { check: passed("memory", `${needed}; ${noLimit}`), bytes };
  if (maxMemory === undefined || usedMemory === undefined) {
    const message = `about ${bytesText(bytes)} of Redis memory needed. Redis does not say how much is free`;
    const found = `${needed}, and Redis does not say how much is free`;
    const unknown: Check = { name: "memory", verdict: "warn", found, remedy: "Allow INFO", message };
    return { check: bytes > 0 ? unknown : passed("memory", "nothing needed"), bytes };
  }
  const evicts = evictionPolicy !== undefined && evictionPolicy !== "noeviction";
  const share = evicts ? evictingShare : 1;
  const room = share * Math.max(Math.floor(maxMemory * fullShare) - usedMemory, 0);
  const free = `${bytesText(Math.max(maxMemory - usedMemory, 0))} free`;
  const inAll = `${free} of ${bytesText(maxMemory)}`;
  if (atMost <= room) return { check: passed("memory", `${needed}, ${inAll}`), bytes };
  const enough = (usedMemory + (bytes * inaccuracy) / share) / fullShare;
  const limit = bytesText(Math.ceil(enough / mebibyte) * mebibyte);
  const reason = evicts
    ? `Redis evicts keys when it is full (maxmemory-policy ${evictionPolicy}), ` +
      "so a copy takes no more than half of what is free"
    : "The last 5% of maxmemory stay free for the server's own saves";
  const remedy = `Set maxmemory to at least ${limit}. ${reason}`;
  const advice = `${free}: set maxmemory to at least ${limit}. ${reason}`;
  if (atLeast > room) {
    const message = `Redis has too little memory: ${needed}, ${advice}`;
    return {
      check: { name: "memory", verdict: "fail", found: `${needed}, ${inAll}`, remedy, message, exitCode: 5 },
      bytes,
    };
  }
  const upTo = `up to ${bytesText(atMost)} needed`;
  const message = `Redis may have too little memory: ${upTo}, ${advice}`;
  return { check: { name: "memory", verdict: "warn", found: `${upTo}, ${inAll}`, remedy, message }, bytes };
}
