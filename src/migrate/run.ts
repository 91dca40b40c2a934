import { copy } from "./copy.js";
import { chooseFileTarget, type FileTarget } from "./exporting/choose-file-target.js";
import { exportSessions } from "./exporting/export.js";
import { countKeys } from "./key-pages.js";
import { openRun } from "./open-run.js";
import { checkSpace, checkWritableFolders } from "./preflight/export-checks.js";
import { checkConnected } from "./preflight/preflight.js";
import { askWhetherSaved } from "./preflight/purge-checks.js";
import { refuseFailed } from "./preflight/refuse-failed.js";
import { purge, purgeUnverified } from "./purge.js";
import type { ReaderThread } from "./readers/reader-thread.js";
import { restartIfForgot } from "./restart.js";
import type { Run, UnconnectedRun } from "./run-context.js";
import { verify } from "./verify.js";

/** What a run is to do. */
export type Task =
  | "copy"
  | "purge"
  | "purge-unconditionally"
  | "purge-unverified"
  | "verify"
  | "verify-reverse"
  | "export";

const copying = { phase: "copying", hasCanary: true } as const;
const removing = { phase: "removing", hasCanary: true } as const;
/** What a task does to Redis, and how others see it. A verification is not seen. */
const tasks = {
  copy: { command: "copy", presence: copying },
  purge: { command: "purge", presence: removing },
  "purge-unconditionally": { command: "purge", presence: removing },
  verify: { command: "verify", presence: undefined },
  "verify-reverse": { command: "verify", presence: undefined },
  // It is seen, so that nobody purges what it writes.
  export: { command: "export", presence: { ...copying, hasCanary: false } },
} as const;

/**
 * Does a task, from connecting to Redis to disconnecting. A copy or a purge connects again if Redis
 * loses data while its state is asked, before the task begins. A verification or an export ends:
 * what they read is no longer there. Throws what ends the run.
 */
export async function runTask(
  task: Task,
  unconnected: UnconnectedRun,
  threads: readonly ReaderThread[],
): Promise<void> {
  if (task === "purge-unverified") return purgeUnverified(unconnected);
  const connectAndRun = () => runConnected(task, unconnected, threads);
  const { command } = tasks[task];
  if (command === "verify" || command === "export") return connectAndRun();
  await restartIfForgot(unconnected, connectAndRun, () => undefined);
}

async function runConnected(
  task: Exclude<Task, "purge-unverified">,
  unconnected: UnconnectedRun,
  threads: readonly ReaderThread[],
): Promise<void> {
  const { options, out, listing } = unconnected;
  const { command, presence } = tasks[task];
  const exports = task === "export" || task === "verify-reverse";
  const target = exports ? chooseFileTarget(options, listing) : undefined;
  if (target !== undefined && task === "export") refuseFailed([checkWritableFolders(target, listing)], out.warn);
  const opened = await openRun(unconnected, options.run.dryRun ? undefined : presence, threads);
  const { run, close } = opened;
  try {
    const purges = command === "purge" || (command === "copy" && options.removal.purge);
    const judged = { command, purges, isCheck: false, hasDirectories: true };
    refuseFailed(await checkConnected(opened, judged), out.warn);
    if (target !== undefined) return await exportFrom(run, target, task === "export");
    await out.confirmPurge(run.listing, () => askWhetherSaved(run.redis));
    if (task === "copy") await copy(run);
    else if (task === "verify") await verify(run);
    else if (task === "purge") await purge(run, "proven");
    else if (task === "purge-unconditionally") await purge(run, "unconditional");
    else throw new Error(`nothing is known of the task ${task}`);
  } finally {
    await close();
  }
}

/** Exports what is in Redis, or compares it with the files. */
async function exportFrom(run: Run, target: FileTarget, writes: boolean): Promise<void> {
  const keys = await countKeys(run);
  if (writes) refuseFailed([await checkSpace(run, target, keys)], run.out.warn);
  await exportSessions(run, target, keys.count);
}
