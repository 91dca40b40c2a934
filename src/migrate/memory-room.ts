import { setImmediate as nextTurn } from "node:timers/promises";
import { explainMissing } from "../convert/missing-key.js";
import { RedisError } from "../model/errors.js";
import { bytesText } from "../model/number-text.js";
import { newScanTally } from "../model/session-file.js";
import type { ResilientConnection } from "../redis/resilient-connection.js";
import { fullShare } from "../redis/server/memory-guard.js";
import { askKeyCounts, askServerState, type ServerState } from "../redis/server/server-state.js";
import { ReadAhead } from "../source/read-ahead.js";
import { surveyRun } from "./earlier-runs/survey.js";
import { estimateMemoryNeed, type MemoryNeed } from "./memory-need.js";
import type { Run } from "./run-context.js";
import { type ScanOptions, scanAll } from "./session-scan.js";

/** Of what is free, a copy takes no more if Redis evicts keys. */
const evictingShare = 0.5;
/** What an estimate may miss, as a factor. */
const inaccuracy = 1.1;
const mebibyte = 2 ** 20;
const batchesBetweenTurns = 16;

/** Estimates the memory that a copy needs. Throws `RedisError` if the sessions cannot fit. */
export async function makeMemoryRoom(run: Run, scan: ScanOptions): Promise<void> {
  const { connection, guard } = run.redis;
  guard.expect(await checkMemory(connection, run.out.warn, (state) => estimate(run, scan, state)));
}

async function estimate(
  run: Run,
  scan: ScanOptions,
  { evictionPolicy, evictedKeys }: ServerState,
): Promise<MemoryNeed> {
  const { redis, files, options, stop } = run;
  await redis.marks.read();
  const survey = await surveyRun(run, "sample");
  // The canary, without which nothing counts as ended, is written only later.
  const endedCounts = evictionPolicy === "noeviction" && evictedKeys === 0 && !options.conflicts.again;
  const facts = new Map(survey.directories.map((one) => [one.directory, { ...one, endedCounts }]));
  const reading = new ReadAhead(files.maxFileSize);
  let batches = 0;
  return estimateMemoryNeed({
    batches: scanAll({ ...scan, restores: false, warn: () => undefined }, newScanTally()),
    ahead: (batch) => reading.prefetch(batch),
    read: (file) => reading.read(file),
    convert: files.convert,
    exist: (keys) => redis.store.exist(keys),
    isEnded: ({ directory }, session) => {
      const known = facts.get(directory);
      return (
        known !== undefined && explainMissing(session, known, options.conversion, Date.now()) !== "write"
      );
    },
    stored: await redis.connection.run(askKeyCounts),
    turn: async () => {
      batches++;
      if (batches % batchesBetweenTurns === 0) await nextTurn();
      return !stop.aborted;
    },
  });
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
      warn(`about ${bytesText(bytes)} of Redis memory needed. Redis does not tell how much is free`);
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
