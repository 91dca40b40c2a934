import { RedisError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import { askPersistence, askServerState } from "../redis/server/server-state.js";
import { copy } from "./copy.js";
import { openRun } from "./open-run.js";
import { purge, purgeUnverified } from "./purge.js";
import type { ReaderThread } from "./readers/reader-thread.js";
import type { Run, UnconnectedRun } from "./run-context.js";
import { verify } from "./verify.js";

/** What a run is to do. */
export type Task = "copy" | "purge" | "purge-unconditionally" | "purge-unverified" | "verify";

/** How other runs see it; a verification is not seen. */
const phases = {
  copy: "copying",
  purge: "removing",
  "purge-unconditionally": "removing",
  verify: undefined,
} as const;

/** Does a task, from connecting to Redis to disconnecting. Throws what ends the run. */
export async function runTask(
  task: Task,
  unconnected: UnconnectedRun,
  threads: readonly ReaderThread[],
): Promise<void> {
  if (task === "purge-unverified") return purgeUnverified(unconnected);
  const { options, out } = unconnected;
  const { run, close } = await openRun(unconnected, options.run.dryRun ? undefined : phases[task], threads);
  unconnected.record.timeline.enter("preparing");
  try {
    await refuseTooFewReplicas(run);
    await out.confirmPurge(run.listing, () => run.redis.connection.run(askPersistence));
    if (task === "copy") await copy(run);
    else if (task === "verify") await verify(run);
    else await purge(run, task === "purge" ? "proven" : "unconditional");
  } finally {
    await close();
  }
}

/**
 * Throws `RedisError` if Redis has fewer replicas than `--wait-replicas` asks for: better now than
 * after the copy.
 */
async function refuseTooFewReplicas({ redis, options }: Run): Promise<void> {
  const { removal } = options;
  if (removal.waitReplicas === 0 || options.run.dryRun) return;
  const { replicas } = await redis.connection.run(askServerState);
  if (replicas === undefined) {
    throw new RedisError(
      "refused",
      "Redis does not allow this user the command INFO, by which --wait-replicas sees what the replicas have",
    );
  }
  if (replicas < removal.waitReplicas) {
    throw new RedisError(
      "unavailable",
      `Redis has ${countOf(replicas, "replica")} in step with it, and --wait-replicas asks for ${removal.waitReplicas}`,
    );
  }
}
