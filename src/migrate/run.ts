import { copy } from "./copy.js";
import { chooseFileTarget, type FileTarget } from "./exporting/choose-file-target.js";
import { exportSessions } from "./exporting/export.js";
import { countKeys } from "./key-pages.js";
import { type OpenRun, openRun } from "./open-run.js";
import { checkSpace, checkWritableFolders } from "./preflight/export-checks.js";
import { checkConnected } from "./preflight/preflight.js";
import { askWhetherSaved } from "./preflight/purge-checks.js";
import { refuseFailed } from "./preflight/refuse-failed.js";
import { purge, purgeUnverified } from "./purge.js";
import type { ReaderThread } from "./readers/reader-thread.js";
import type { UnconnectedRun } from "./run-context.js";
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

const [copying, removing] = [
  { phase: "copying", hasCanary: true },
  { phase: "removing", hasCanary: true },
] as const;
/** A verification is not seen. An export is, so that nobody purges what it writes. */
const presences = {
  copy: copying,
  purge: removing,
  "purge-unconditionally": removing,
  verify: undefined,
  "verify-reverse": undefined,
  export: { ...copying, hasCanary: false },
};

/** Does a task, from connecting to Redis to disconnecting. Throws what ends the run. */
export async function runTask(
  task: Task,
  unconnected: UnconnectedRun,
  threads: readonly ReaderThread[],
): Promise<void> {
  if (task === "purge-unverified") return purgeUnverified(unconnected);
  const { options, out, listing } = unconnected;
  const exports = task === "export" || task === "verify-reverse";
  const target = exports ? chooseFileTarget(options, listing) : undefined;
  if (target !== undefined && task === "export") refuseFailed([checkWritableFolders(target, listing)], out.warn);
  const opened = await openRun(unconnected, options.run.dryRun ? undefined : presences[task], threads);
  const { run, close } = opened;
  try {
    if (target !== undefined) return await exportFrom(opened, target, task === "export");
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

/** Exports what is in Redis, or compares it with the files. */
async function exportFrom(opened: OpenRun, target: FileTarget, writes: boolean): Promise<void> {
  const { run } = opened;
  const judged = {
    command: writes ? "export" : "verify",
    purges: false,
    isCheck: false,
    hasDirectories: true,
  } as const;
  refuseFailed(await checkConnected(opened, judged), run.out.warn);
  const keys = await countKeys(run);
  if (writes) refuseFailed([await checkSpace(run, target, keys)], run.out.warn);
  await exportSessions(run, target, keys.count);
}
