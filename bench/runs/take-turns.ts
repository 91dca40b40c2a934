import type { Arena, ContestantRun } from "./arena.js";
import { type Contestant, type ContestantName, contestants } from "./contestants.js";
import type { SessionDirectories, SessionDirectory } from "./session-directories.js";

export interface Turns {
  readonly arena: Arena;
  readonly directories: SessionDirectories;
  /** Groups that keep their order. */
  readonly order: readonly (readonly ContestantName[])[];
  /** What a contestant is to work on; undefined lets it sit out. */
  readonly giveFiles: (name: ContestantName) => SessionDirectory | undefined;
  readonly take: (name: ContestantName, run: ContestantRun) => void | Promise<void>;
}

/** Lets every contestant run once, one after the other. */
export async function takeTurns({ arena, directories, order, giveFiles, take }: Turns): Promise<void> {
  const plan = order.flat().flatMap((name) => {
    const files = giveFiles(name);
    return files === undefined ? [] : [{ name, files }];
  });
  // Before all others, so that the disk is at rest while they run.
  const fresh = new Map<ContestantName, SessionDirectory>();
  for (const { name, files } of plan) {
    const { removes }: Contestant = contestants[name];
    if (removes && files.sessions > 0) fresh.set(name, await directories.copyOf(files));
  }
  for (const { name, files } of plan) await take(name, await arena.run(name, files, fresh.get(name)));
}
