import type { Redis } from "ioredis";
import type { Explanation } from "../../model/errors.js";
import type { RedisFacts } from "../../model/redis-facts.js";
import { allowed, fieldOf } from "./server-info.js";
import { askPersistence, completeState, type ServerState } from "./server-state.js";

/** What a server says about itself. */
export interface ServerFacts {
  /** `undefined` if INFO is denied. */
  readonly version: string | undefined;
  /** By how much Redis's clock is ahead of ours, milliseconds; 0 if they agree to the second. */
  readonly clockLeadMs: number;
  /** Databases that hold keys which expire, as sessions do; none if INFO is denied. */
  readonly databases: readonly number[];
  /** What the operator should know if TIME is denied. */
  readonly warning?: Explanation;
}

const clockUnknown: Explanation = {
  found: "Redis does not allow the command TIME, so its clock is assumed to agree with ours",
  remedy: "Compare both: lifetimes are off by the difference",
};

/** What a server says at the start of a run. */
export interface FirstFacts {
  readonly server: ServerFacts;
  /** What a report says about it. */
  readonly facts: RedisFacts;
  /** Keys evicted since the server started; `undefined` if it does not say. */
  readonly evictedBefore: number | undefined;
}

/** Asks a server, at the start of a run, for what the run and its report need to know. */
export async function askFirstFacts(client: Redis): Promise<FirstFacts> {
  const info = await allowed(() => client.info());
  // The time alone: whatever else is asked meanwhile would delay its answer.
  const clockLeadMs = await allowed(() => measureClockLead(client));
  const server: ServerFacts = {
    version: info && fieldOf(info, "redis_version"),
    clockLeadMs: clockLeadMs ?? 0,
    databases: [...(info ?? "").matchAll(/^db(\d+):keys=\d+,expires=[1-9]/gm)].map(([, db]) => Number(db)),
    ...(clockLeadMs === undefined ? { warning: clockUnknown } : {}),
  };
  const [state, persistence] = await Promise.all([completeState(client, info), askPersistence(client)]);
  const { usedMemory = null, maxMemory = null, evictedKeys, history } = state;
  const facts: RedisFacts = {
    version: server.version ?? null,
    runId: (info && fieldOf(info, "run_id")) ?? null,
    role: history === undefined ? null : history.isReplica ? "replica" : "master",
    persistence: persistence ?? null,
    memoryBefore: usedMemory,
    memoryAfter: null,
    memoryLimit: maxMemory,
    evicted: null,
  };
  return { server, facts, evictedBefore: evictedKeys };
}

async function measureClockLead(client: Redis): Promise<number> {
  const before = Date.now();
  const [seconds, microseconds] = await client.time();
  const middle = (before + Date.now()) / 2;
  const lead = Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - middle);
  return Math.abs(lead) < 1000 ? 0 : lead;
}

/**
 * Adds what a server says at the end of a run. If it was restarted, its counter began anew, and how
 * many keys were evicted is not known.
 */
export function withLastFacts(
  { facts, evictedBefore }: Pick<FirstFacts, "facts" | "evictedBefore">,
  state: ServerState,
): RedisFacts {
  const { usedMemory, maxMemory, evictedKeys, history } = state;
  const [runId = null] = history?.id.split(" ") ?? [];
  const isSame = runId !== null && runId === facts.runId;
  const isCounted = isSame && evictedKeys !== undefined && evictedBefore !== undefined;
  return {
    ...facts,
    runId: runId ?? facts.runId,
    memoryAfter: usedMemory ?? null,
    memoryLimit: maxMemory ?? facts.memoryLimit,
    evicted: isCounted && evictedKeys >= evictedBefore ? evictedKeys - evictedBefore : null,
  };
}
