import { copy } from "./copy.js";
import { openRun } from "./open-run.js";
import { checkConnected } from "./preflight/preflight.js";
import { askWhetherSaved } from "./preflight/purge-checks.js";
import { refuseFailed } from "./preflight/refuse-failed.js";
import { purge, purgeUnverified } from "./purge.js";
import type { ReaderThread } from "./readers/reader-thread.js";
import type { UnconnectedRun } from "./run-context.js";
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
  const opened = await openRun(unconnected, options.run.dryRun ? undefined : phases[task], threads);
  const { run, close } = opened;
  try {
    const command = task === "copy" || task === "verify" ? task : "purge";
    const purges = command === "purge" || (command === "copy" && options.removal.purge);
    const judged = { command, purges, isCheck: false, hasDirectories: true } as const;
    refuseFailed(await checkConnected(opened, judged), out.warn);
    await out.confirmPurge(run.listing, () => askWhetherSaved(run.redis));
    if (task === "copy") await copy(run);
    else if (task === "verify") await verify(run);
    else await purge(run, task === "purge" ? "proven" : "unconditional");
  } finally {
    await close();
  }
}
