import { randomBytes } from "node:crypto";
import { fileSizeFactor } from "../convert/convert-session.js";
import { type KeyLayout, keyPrefix } from "../convert/session-key.js";
import { isSigned } from "../convert/sign.js";
import { type Check, passed } from "../model/check.js";
import { durationText } from "../model/number-text.js";
import { describeTarget, type RedisTarget } from "../model/redis-target.js";
import { showable } from "../model/showable.js";
import type { StoredText } from "../model/stored-value.js";
import { Canary } from "../redis/canary.js";
import { Continuity } from "../redis/continuity.js";
import { findKeyLayouts } from "../redis/key-layouts-seen.js";
import { DryRunStore, RedisSessionStore } from "../redis/redis-session-store.js";
import { shutdownGraceMs } from "../redis/resilient-connection.js";
import { MemoryGauge } from "../redis/server/memory-gauge.js";
import { MemoryGuard } from "../redis/server/memory-guard.js";
import { PeerRuns, type Phase } from "../redis/server/peers.js";
import { askFirstFacts, type FirstFacts, type ServerFacts, withLastFacts } from "../redis/server/redis-facts.js";
import { askServerState, type ServerState } from "../redis/server/server-state.js";
import { joinFacts, joinServerFacts } from "../redis/topology/join-facts.js";
import { openServers } from "../redis/topology/open-servers.js";
import { onEach, type RedisServer, type RedisServers, SingleServer } from "../redis/topology/redis-servers.js";
import { SplitSessionStore } from "../redis/topology/split-session-store.js";
import { directoryPlaces } from "../source/file-identity.js";
import { marksOf } from "./earlier-runs/marks.js";
import { findServerDatabase } from "./earlier-runs/other-keys.js";
import { entryMemory } from "./memory-need.js";
import { chooseKeyLayout } from "./preflight/choose-key-layout.js";
import type { ReaderThread } from "./readers/reader-thread.js";
import type { Run, RunFiles, RunRedis, UnconnectedRun } from "./run-context.js";
import { keysText, redisText } from "./tell.js";

/** A connected run, and how to disconnect it. */
export interface OpenRun {
  readonly run: Run;
  /** What connecting showed. The run must not begin if one failed. */
  readonly checks: readonly Check[];
  readonly close: () => Promise<void>;
}

/** What a run shows in Redis. */
export interface Presence {
  /** As other runs see it. */
  readonly phase: Phase;
  /** Whether it has a canary key: not if it only reads Redis. */
  readonly hasCanary: boolean;
}

/**
 * Connects to Redis, and chooses the key layout. `presence`: absent for a run that other runs need
 * not see. Throws `RedisError` if Redis cannot be used.
 */
export async function openRun(
  unconnected: UnconnectedRun,
  presence: Presence | undefined,
  threads: readonly ReaderThread[],
): Promise<OpenRun> {
  const { options, record, out, stop } = unconnected;
  const { prefix, redis: target } = options.target;
  const { shard } = options.source;
  record.redis = describeTarget(target);
  const { directories } = record;
  const token = randomBytes(8).toString("hex");
  const peers = new PeerRuns({ places: directoryPlaces(directories), shard, token });
  const { progress } = out;
  const gauge = new MemoryGauge((memory) => progress.noteMemory(memory));
  progress.enter({ name: "connecting" });
  const loginWarnings: string[] = [];
  const servers = await openServers({
    target,
    retryForMs: options.run.retryForMs,
    onWarning: (message) => loginWarnings.push(message),
    onOpen: (_, server) => {
      record.redis = describeTarget(server);
    },
    listener: {
      onSilence: (silence) => progress.wait({ target: "redis", ...silence }),
      onAnswer: () => progress.goOn("redis"),
      onState: (state, server) => gauge.note(state, server),
    },
    ...(presence === undefined ? {} : { name: peers.ownName(presence.phase) }),
    stop,
  });
  progress.enter({ name: "preparing" });
  gauge.start(servers);
  let first: ReadonlyMap<RedisServer, FirstFacts> = new Map();
  const canary = presence?.hasCanary === true ? new Canary(servers, peers, out.warn) : undefined;
  const closeLate = () => setTimeout(() => void servers.close(), shutdownGraceMs).unref();
  stop.addEventListener("abort", closeLate, { once: true });
  const noteLastFacts = async () => {
    const last = await Promise.all(
      [...first].map(async ([{ connection }, before]) => {
        const state = await connection.attempt(askServerState);
        return state && withLastFacts(before, state);
      }),
    );
    const known = last.filter((facts) => facts !== undefined);
    if (known.length > 0 && known.length === last.length) record.redisFacts = joinFacts(known);
  };
  const close = async () => {
    stop.removeEventListener("abort", closeLate);
    gauge.end();
    try {
      // At the same time: Redis may not answer, and a run that was stopped has little time left.
      await Promise.all([noteLastFacts(), canary?.end()]);
    } finally {
      await servers.close();
    }
  };
  try {
    first = new Map(await onEach(servers, async (client, server) => [server, await askFirstFacts(client)] as const));
    record.redisFacts = joinFacts([...first.values()].map((one) => one.facts));
    const facts = joinServerFacts([...first.values()].map(({ server }) => server));
    const { clockLeadMs } = facts;
    const { layout, check: keys } = await layoutOf(unconnected, servers, clockLeadMs);
    out.explain(redisText(facts, record.redisFacts));
    const naming = { keyPrefix: keyPrefix(layout, prefix), clockLeadMs };
    out.explain(keysText(naming.keyPrefix, record.keyLayoutEvidence ?? "none"));
    const conversion = { ...options.conversion, ...naming };
    const guardOf = guardsOf((state, server) => gauge.note(state, server));
    const Store = options.run.dryRun ? DryRunStore : RedisSessionStore;
    const storeOn = (server: RedisServer) =>
      new Store(server.connection, { ...naming, guard: guardOf(server), entryMemory });
    const redis: RunRedis = {
      servers,
      store:
        servers instanceof SingleServer ? storeOn(servers) : new SplitSessionStore(servers, naming.keyPrefix, storeOn),
      guardOf,
      peers,
      isNamed: presence !== undefined,
      canary,
      serverDatabase: await findServerDatabase(target, facts.databases, clockLeadMs),
      continuity: new Continuity(servers, canary, out.warn),
      marks: marksOf({ servers, directories, keyPrefix: naming.keyPrefix, shard }, canary, out.warn),
    };
    const files: RunFiles = {
      directories,
      maxFileSize: fileSizeFactor * conversion.maxSessionSize,
      conversion,
      threads,
    };
    const checks = [checkLogin(target, loginWarnings), checkClock(facts), keys];
    return { run: { ...unconnected, redis, files }, checks, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Chooses the layout. If nothing tells which one the server reads, the check failed. */
async function layoutOf(
  { options, record }: UnconnectedRun,
  servers: RedisServers,
  clockLeadMs: number,
): Promise<{ readonly layout: KeyLayout; readonly check: Check }> {
  const isServerSaved = (stored: StoredText) => !isSigned(stored, clockLeadMs);
  const choice = await chooseKeyLayout(options.target, (prefixes) =>
    findKeyLayouts(servers, prefixes, { isServerSaved, clockLeadMs }),
  );
  record.keyLayoutEvidence = choice.evidence;
  if ("refusal" in choice) {
    const check: Check = { name: "keys", verdict: "fail", ...choice.refusal, exitCode: 5 };
    return { layout: "documented", check };
  }
  const { layout, warning } = choice;
  record.keyLayout = layout;
  if (warning !== undefined) {
    return { layout, check: { name: "keys", verdict: "warn", ...warning, evenIfQuiet: true } };
  }
  const why = choice.evidence === "found" ? ", as a server saves them" : "";
  return { layout, check: passed("keys", `${keyPrefix(layout, options.target.prefix)}<sid>${why}`) };
}

function checkLogin({ username = "default" }: RedisTarget, warnings: readonly string[]): Check {
  const [found] = warnings;
  if (found === undefined) return passed("login", `user ${showable(username)}`);
  return { name: "login", verdict: "warn", found, remedy: "Leave it out, or set one in Redis", message: found };
}

/** A guard for each server. */
function guardsOf(onState: (state: ServerState, server?: string) => void): RunRedis["guardOf"] {
  const guards = new WeakMap<RedisServer, MemoryGuard>();
  return (server) => {
    const guard = guards.get(server) ?? new MemoryGuard((state) => onState(state, server.name), server.name);
    guards.set(server, guard);
    return guard;
  };
}

function checkClock({ clockLeadMs, warning }: ServerFacts): Check {
  if (warning !== undefined) return { name: "clock", verdict: "warn", ...warning };
  if (clockLeadMs === 0) return passed("clock", "agrees with this machine to the second");
  const seconds = durationText(Math.abs(clockLeadMs) / 1000);
  const side = clockLeadMs > 0 ? "ahead of" : "behind";
  return passed("clock", `${seconds} ${side} this machine, which lifetimes allow for`);
}
