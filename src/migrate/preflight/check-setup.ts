import { type Check, type CheckName, passed } from "../../model/check.js";
import { countOf } from "../../model/number-text.js";
import { outcomesOf } from "../../model/outcome.js";
import { RunProgress } from "../../model/progress/run-progress.js";
import { describeTarget } from "../../model/redis-target.js";
import type { RunOptions } from "../../model/run-options.js";
import { newRunRecord } from "../../model/run-record.js";
import { probeWrite } from "../../redis/server/probe.js";
import { allowed } from "../../redis/server/server-info.js";
import { askServerState } from "../../redis/server/server-state.js";
import { surveyServers } from "../../redis/survey-keys.js";
import { onEach } from "../../redis/topology/redis-servers.js";
import type { Listing } from "../../source/list-sessions.js";
import { explainOtherKeys } from "../earlier-runs/other-keys.js";
import { surveyRun } from "../earlier-runs/survey.js";
import { type OpenRun, openRun } from "../open-run.js";
import type { Run, RunOutput, UnconnectedRun } from "../run-context.js";
import { explainLongSids } from "../tell.js";
import { checkDirectories, checkReadable, checkRemovable, checkServer } from "./directories.js";
import { asFarAsItMatters, checkConnected, checkFailedBy, checkSettings } from "./preflight.js";
import { leastOf } from "./purge-checks.js";

/** What `check` found, in the order in which it is shown. */
export interface CheckedSetup {
  /** Resolved; as they were named if they cannot be used. */
  readonly directories: readonly string[];
  /** `host:port/db`. */
  readonly redis: string;
  readonly ofDirectories: readonly Check[];
  readonly ofRedis: readonly Check[];
  readonly ofServer: readonly Check[];
}

/** A person waits for the answer. */
const retryForMs = 10_000;
/** As they are shown. */
const redisNames: readonly CheckName[] = [
  "reachable",
  "login",
  "permissions",
  "memory",
  "eviction",
  "persistence",
  "replicas",
  "clock",
  "writable",
];

/**
 * Makes every check of a copy, with `--purge` of its purge too. Goes on after a failure as far as
 * that makes sense. Writes nothing to Redis without `--probe`.
 */
export async function checkSetup(asked: RunOptions, stop: AbortSignal): Promise<CheckedSetup> {
  const options = { ...asked, run: { ...asked.run, dryRun: true, retryForMs } };
  const { source, target, removal } = options;
  const { directories, listing, checks } = await checkDirectories(options, stop);
  const isUsable = checks.every(({ verdict }) => verdict !== "fail");
  const record = newRunRecord(outcomesOf.copy);
  record.directories = directories;
  const out = { ...silent, progress: new RunProgress(record, true) };
  const unconnected: UnconnectedRun = { options, record, listing, out, stop };
  const connected = await checkRedis(unconnected, isUsable);
  const { works, all } = connected;
  const ofDirectories = isUsable
    ? [
        checkReadable(listing),
        ...checks,
        asFarAsItMatters(checkRemovable(listing), removal.purge),
        ...serverOf(listing, works, options),
      ]
    : checks;
  return {
    directories: isUsable ? directories : source.names,
    redis: describeTarget(target.redis),
    ofDirectories,
    ofRedis: redisNames.flatMap((wanted) => all.filter(({ name }) => name === wanted)),
    ofServer: [
      ...all.filter(({ name }) => name === "keys"),
      ...checkLongSids(listing),
      ...checkSettings(options),
      ...all.filter(({ name }) => name === "other runs"),
    ],
  };
}

/** Warnings come as checks. */
const silent: Omit<RunOutput, "progress"> = {
  warn: () => undefined,
  explain: () => undefined,
  onOutcome: () => undefined,
  onFailure: () => undefined,
  onDifference: () => undefined,
  onRestart: () => undefined,
  confirmPurge: async () => undefined,
};

interface CheckedRedis {
  readonly works: "files" | "redis" | "unknown";
  readonly all: readonly Check[];
}

/** If Redis cannot be reached, nothing else about it is known. */
async function checkRedis(unconnected: UnconnectedRun, hasDirectories: boolean): Promise<CheckedRedis> {
  let opened: OpenRun;
  try {
    opened = await openRun(unconnected, undefined, []);
  } catch (error) {
    return { works: "unknown", all: [checkFailedBy(error)] };
  }
  const { run, close } = opened;
  try {
    const reachable = await checkReachable(run);
    const { purge: purges } = run.options.removal;
    const judged = { command: "copy", purges, isCheck: true, hasDirectories } as const;
    const all = await checkConnected(opened, judged);
    const isPermitted = !all.some(({ name, verdict }) => name === "permissions" && verdict === "fail");
    const probed = run.options.run.probe ? [await checkWritable(run)] : [];
    if (!isPermitted) return { works: "unknown", all: [reachable, ...all, ...probed] };
    await run.redis.marks.read();
    const { serverWorks } = await surveyRun(run, "sample");
    const other = await checkOtherKeys(run);
    const keys = all.map((one) => (one.name === "keys" && one.verdict === "ok" ? (other ?? one) : one));
    return { works: serverWorks, all: [reachable, ...keys, ...probed] };
  } catch (error) {
    return { works: "unknown", all: [checkFailedBy(error)] };
  } finally {
    await close();
  }
}

async function checkReachable({ redis: { servers }, options, record }: Run): Promise<Check> {
  const version = record.redisFacts?.version ?? undefined;
  const states = await onEach(servers, askServerState);
  const replicas = leastOf(states.map((state) => state.replicas));
  const startedMs = performance.now();
  await onEach(servers, (client) => allowed(() => client.ping()));
  const away = `${(performance.now() - startedMs).toFixed(1)} ms away`;
  const inStep =
    replicas === undefined ? [] : [replicas === 0 ? "no replica" : `${countOf(replicas, "replica")} in step`];
  const { address, isCluster } = options.target.redis;
  const role = isCluster
    ? `Cluster of ${countOf(states.length, "master")}`
    : "sentinels" in address
      ? `master at ${record.redis}`
      : "master";
  const parts = version === undefined ? ["Redis, which does not tell its version"] : [`Redis ${version}, ${role}`];
  return passed("reachable", [...parts, ...inStep, away].join(", "));
}

async function checkWritable({ redis }: Run): Promise<Check> {
  try {
    const held = await onEach(redis.servers, probeWrite);
    if (!held.includes(false)) return passed("writable", "a key was written and deleted");
  } catch (error) {
    return { ...checkFailedBy(error), name: "writable" };
  }
  const found = "a key that was written could not be read back";
  const remedy = "See whether this address leads to one Redis, and to its master";
  return { name: "writable", verdict: "fail", found, remedy, exitCode: 5 };
}

/** Where a server saves its sessions if not under the keys of this run. */
async function checkOtherKeys(run: Run): Promise<Check | undefined> {
  const { keyPrefix, clockLeadMs } = run.files.conversion;
  const seen = await surveyServers(run.redis.servers, keyPrefix, clockLeadMs);
  const other = seen && explainOtherKeys(seen, run);
  return other && { name: "keys", verdict: "warn", ...other, evenIfQuiet: true };
}

/** Whether the server's applet reads every session id. */
function checkLongSids({ directories }: Listing): readonly Check[] {
  const count = directories.reduce((sum, { tally }) => sum + tally.longSids, 0);
  return count === 0 ? [] : [{ name: "long ids", verdict: "warn", ...explainLongSids(count) }];
}

function serverOf(listing: Listing, works: CheckedRedis["works"], options: RunOptions): readonly Check[] {
  if (listing.count === 0) return [];
  const check = checkServer(listing, works, options.removal.inUse);
  // For a copy, a server at work is as it should be.
  return [options.removal.purge || check.verdict === "ok" ? check : { ...check, verdict: "ok" }];
}
