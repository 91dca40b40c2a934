import { readdirSync, readFileSync } from "node:fs";

export interface TreeMemory {
  /** Ends watching and gives the bytes. */
  stop(): number;
}

const intervalMs = 20;

/**
 * Watches the memory of the processes below one: the sum of each process's own high-water mark
 * (VmHWM), which the kernel keeps, so that no peak between two looks is missed. Threads share their
 * process's memory and count once. Of several processes it is an upper bound: pages that they share
 * count for each, and their peaks may fall at different times. 0 where nothing was seen.
 */
export function watchTreeMemory(root: number): TreeMemory {
  const marks = new Map<number, number>();
  const look = () => {
    for (const pid of processesBelow(root)) {
      const mark = highWaterMark(pid);
      if (mark !== undefined) marks.set(pid, mark);
    }
  };
  const timer = setInterval(look, intervalMs);
  return {
    stop: () => {
      clearInterval(timer);
      return [...marks.values()].reduce((sum, mark) => sum + mark, 0);
    },
  };
}

function processesBelow(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...processesBelow(child)]);
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number),
    );
  } catch {
    // It has ended, or a thread of it has.
    return [];
  }
}

function highWaterMark(pid: number): number | undefined {
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kib === undefined ? undefined : Number(kib) * 1024;
  } catch {
    return undefined;
  }
}
