import { setImmediate as nextTurn } from "node:timers/promises";
import { convertSession } from "../../convert/convert-session.js";
import { explainMissing } from "../../convert/missing-key.js";
import { type Check, passed } from "../../model/check.js";
import { bytesText } from "../../model/number-text.js";
import type { SessionFile } from "../../model/session-file.js";
import { fullShare } from "../../redis/server/memory-guard.js";
import { askKeyCounts, askServerState, keptEveryKey, type ServerState } from "../../redis/server/server-state.js";
import { onEach, type RedisServers } from "../../redis/topology/redis-servers.js";
import { spreadOver } from "../../source/list-sessions.js";
import { type ReadAhead, readAhead } from "../../source/read-ahead.js";
import { FactsBySession } from "../earlier-runs/facts-by-session.js";
import { surveyRun } from "../earlier-runs/survey.js";
import { type MemoryNeed, memoryNeedOf, ownMemory, sumOf } from "../memory-need.js";
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
  const { servers, guardOf } = run.redis;
  const estimated = async (states: readonly ServerState[]) => {
    const needs = await estimate(run, states);
    for (const [index, server] of servers.all.entries()) guardOf(server).expect(needs[index]?.bytes ?? 0);
    run.record.memoryNeeded = sumOf(needs.map(({ bytes }) => bytes));
    return needs;
  };
  return judgeMemory(servers, estimated, evenWithoutLimit);
}

/** Estimates from a sample of the listing, each directory with its share of it, for each server. */
async function estimate(run: Run, states: readonly ServerState[]): Promise<readonly MemoryNeed[]> {
  const { redis, options, stop, listing } = run;
  await redis.marks.read();
  const survey = await surveyRun(run, "sample");
  // The canary, without which nothing counts as ended, is written only later.
  const endedCounts = states.every(keptEveryKey) && !options.conflicts.again;
  const facts = new FactsBySession(survey.directories.map((one) => ({ ...one, endedCounts })));
  const sample = listing.directories.flatMap((one) =>
    spreadOver(one.sample, Math.ceil((maxRead * one.ofAllShards) / listing.ofAllShards)),
  );
  const files = readAhead(run.files.maxFileSize);
  const added: AddedKey[] = [];
  for (let from = 0; from < sample.length && !stop.aborted; from += readAtATime) {
    const batch = sample.slice(from, from + readAtATime);
    await files.prefetch(batch);
    added.push(...(await addedKeys(run, batch, { files, facts })));
    await nextTurn();
  }
  const { db } = options.target.redis;
  return onEach(redis.servers, async (client, server) => {
    const own = added.filter(({ key }) => redis.servers.serverOf(key) === server);
    const sizes = own.map(({ bytes }) => bytes);
    const sampled = { listed: listing.ofAllShards, sampled: sample.length, sizes };
    return memoryNeedOf(sampled, await askKeyCounts(client, db));
  });
}

/** A key that a copy would add, and `ownMemory` of it. */
interface AddedKey {
  readonly key: string;
  readonly bytes: number;
}

/** What each of these files would add; those that add nothing are left out. */
async function addedKeys(
  { redis, files: { conversion: settings } }: Run,
  batch: readonly SessionFile[],
  { files, facts }: { files: ReadAhead; facts: FactsBySession },
): Promise<AddedKey[]> {
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
  return added.filter((_, index) => exist[index] !== true);
}

const verdicts: readonly Check["verdict"][] = ["fail", "warn", "ok"];

/**
 * Judges whether the sessions fit, by the server that has the least room. `estimate`: what each
 * server needs.
 */
export async function judgeMemory(
  servers: Pick<RedisServers, "all">,
  estimate: (states: readonly ServerState[]) => Promise<readonly MemoryNeed[]>,
  evenWithoutLimit = false,
): Promise<Check> {
  const { all } = servers;
  const states = await onEach(servers, askServerState);
  const noLimit = "Redis has no memory limit";
  const isUnlimited = states.every(({ maxMemory }) => maxMemory === 0);
  if (isUnlimited && !evenWithoutLimit) return passed("memory", noLimit);
  const needs = await estimate(states);
  const needed = `about ${bytesText(sumOf(needs.map(({ bytes }) => bytes)))} needed`;
  if (isUnlimited) return passed("memory", `${needed}; ${noLimit}`);
  const judged = states.flatMap((state, index) => {
    const need = needs[index];
    return need === undefined ? [] : [judgeServer(state, need, all[index]?.name)];
  });
  const [worst = passed("memory", needed)] = verdicts.flatMap((one) => judged.filter(({ verdict }) => verdict === one));
  return worst;
}

/** Judges one server; `name`: of a master in a Cluster. */
function judgeServer(state: ServerState, need: MemoryNeed, name: string | undefined): Check {
  const { maxMemory, usedMemory, evictionPolicy } = state;
  const { bytes, atLeast, atMost } = need;
  const where = name === undefined ? "" : ` on the master ${name}`;
  const needed = `about ${bytesText(bytes)} needed${where}`;
  if (maxMemory === undefined || usedMemory === undefined) {
    const message = `about ${bytesText(bytes)} of Redis memory needed${where}. Redis does not say how much is free`;
    const found = `${needed}, and Redis does not say how much is free`;
    const unknown: Check = { name: "memory", verdict: "warn", found, remedy: "Allow INFO", message };
    return bytes > 0 ? unknown : passed("memory", "nothing needed");
  }
  if (maxMemory === 0) return passed("memory", `${needed}, which has no memory limit`);
  const evicts = mayEvict(state);
  const share = evicts ? evictingShare : 1;
  const room = share * Math.max(Math.floor(maxMemory * fullShare) - usedMemory, 0);
  const free = `${bytesText(Math.max(maxMemory - usedMemory, 0))} free`;
  const inAll = `${free} of ${bytesText(maxMemory)}`;
  if (atMost <= room) return passed("memory", `${needed}, ${inAll}`);
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
    return { name: "memory", verdict: "fail", found: `${needed}, ${inAll}`, remedy, message, exitCode: 5 };
  }
  const upTo = `up to ${bytesText(atMost)} needed${where}`;
  const message = `Redis may have too little memory: ${upTo}, ${advice}`;
  return { name: "memory", verdict: "warn", found: `${upTo}, ${inAll}`, remedy, message };
}

/** Whether a full Redis evicts keys; `false` if it does not say. */
function mayEvict({ evictionPolicy }: ServerState): boolean {
  return evictionPolicy !== undefined && evictionPolicy !== "noeviction";
}

/** Whether Redis drops sessions when it is full. `memory`: what the copy needs, and what is free. */
export async function checkEviction({ redis }: Run, memory: Check | undefined): Promise<Check> {
  const states = await onEach(redis.servers, askServerState);
  const worst =
    states.find((state) => mayEvict(state) && state.maxMemory !== 0) ??
    states.find((state) => state.evictionPolicy === undefined) ??
    states[0];
  const { evictionPolicy, maxMemory } = worst ?? {};
  if (evictionPolicy === undefined) return passed("eviction", "Redis does not say what it evicts");
  if (evictionPolicy === "noeviction") return passed("eviction", evictionPolicy);
  if (maxMemory === 0) return passed("eviction", `${evictionPolicy}, but Redis has no memory limit`);
  const found = `Redis evicts keys when it is full (maxmemory-policy ${evictionPolicy})`;
  const remedy = "That logs their owners out. To be safe: CONFIG SET maxmemory-policy noeviction";
  const need = memory === undefined ? "" : `: ${memory.found}`;
  const message = `${found}, which logs their owners out${need}`;
  return { name: "eviction", verdict: "warn", found, remedy, message };
}
