import { randomBytes } from "node:crypto";
import { fileSizeFactor } from "../convert/convert-session.js";
import { type KeyLayout, keyPrefix } from "../convert/session-key.js";
import { isSigned } from "../convert/sign.js";
import { RedisError } from "../model/errors.js";
import { describeTarget } from "../model/redis-target.js";
import type { StoredText } from "../model/stored-value.js";
import { Canary } from "../redis/canary.js";
import { Continuity } from "../redis/continuity.js";
import { findKeyLayouts } from "../redis/key-layouts-seen.js";
import { DryRunStore, RedisSessionStore } from "../redis/redis-session-store.js";
import { ResilientConnection, shutdownGraceMs } from "../redis/resilient-connection.js";
import { MemoryGuard } from "../redis/server/memory-guard.js";
import { PeerRuns, type Phase } from "../redis/server/peers.js";
import { askServerFacts, refuseUnfitServer } from "../redis/server/server-facts.js";
import { directoryPlaces } from "../source/file-identity.js";
import { chooseKeyLayout } from "./choose-key-layout.js";
import { marksOf } from "./earlier-runs/marks.js";
import { findServerDatabase } from "./earlier-runs/other-keys.js";
import { entryMemory } from "./memory-need.js";
import type { ReaderThread } from "./readers/reader-thread.js";
import type { Run, RunFiles, RunRedis, UnconnectedRun } from "./run-context.js";
import { keysText, redisText } from "./tell.js";

/** A connected run, and how to disconnect it. */
export interface OpenRun {
  readonly run: Run;
  readonly close: () => Promise<void>;
}

/**
 * Connects to Redis, checks that it is fit, and chooses the key layout. `phase`: what other runs
 * see; a run that only reads has none. Throws `RedisError` if the run cannot go on.
 */
export async function openRun(
  unconnected: UnconnectedRun,
  phase: Phase | undefined,
  threads: readonly ReaderThread[],
): Promise<OpenRun> {
  const { options, record, out, stop } = unconnected;
  const { prefix, redis: target } = options.target;
  record.redis = describeTarget(target);
  const { directories } = record;
  const token = randomBytes(8).toString("hex");
  const peers = new PeerRuns({ places: directoryPlaces(directories), token });
  const connection = await ResilientConnection.open({
    target,
    retryForMs: options.run.retryForMs,
    onWarning: out.warn,
    ...(phase === undefined ? {} : { name: peers.ownName(phase) }),
    stop,
  });
  const canary = phase === undefined ? undefined : new Canary(connection, peers, out.warn);
  const closeLate = () => setTimeout(() => void connection.close(), shutdownGraceMs).unref();
  stop.addEventListener("abort", closeLate, { once: true });
  const close = async () => {
    stop.removeEventListener("abort", closeLate);
    try {
      await canary?.end();
    } finally {
      await connection.close();
    }
  };
  try {
    const facts = await connection.run(askServerFacts);
    refuseUnfitServer(facts);
    if (facts.warning !== undefined) out.warn(facts.warning);
    const { clockLeadMs } = facts;
    const layout = await layoutOf(unconnected, connection, clockLeadMs);
    out.explain(redisText(facts, record.redisFacts));
    const naming = { keyPrefix: keyPrefix(layout, prefix), clockLeadMs };
    out.explain(keysText(naming.keyPrefix, record.keyLayoutEvidence ?? "none"));
    const conversion = { ...options.conversion, ...naming };
    const guard = new MemoryGuard();
    const Store = options.run.dryRun ? DryRunStore : RedisSessionStore;
    const redis: RunRedis = {
      connection,
      store: new Store(connection, { ...naming, guard, entryMemory }),
      guard,
      peers,
      isNamed: phase !== undefined,
      canary,
      serverDatabase: await findServerDatabase(target, facts.databases, clockLeadMs),
      continuity: new Continuity(connection, canary, out.warn),
      marks: marksOf({ connection, directories, keyPrefix: naming.keyPrefix }, canary, out.warn),
    };
    const files: RunFiles = {
      directories,
      maxFileSize: fileSizeFactor * conversion.maxSessionSize,
      conversion,
      threads,
    };
    return { run: { ...unconnected, redis, files }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Throws `RedisError` if nothing tells which layout the server reads. */
async function layoutOf(
  { options, record, out }: UnconnectedRun,
  connection: ResilientConnection,
  clockLeadMs: number,
): Promise<KeyLayout> {
  const isServerSaved = (stored: StoredText) => !isSigned(stored, clockLeadMs);
  const choice = await chooseKeyLayout(options.target, (prefixes) =>
    connection.run((client) => findKeyLayouts(client, prefixes, { isServerSaved, clockLeadMs })),
  );
  record.keyLayoutEvidence = choice.evidence;
  if ("refusal" in choice) throw new RedisError("refused", choice.refusal);
  record.keyLayout = choice.layout;
  if (choice.warning !== undefined) out.warn(choice.warning, { evenIfQuiet: true });
  return choice.layout;
}
