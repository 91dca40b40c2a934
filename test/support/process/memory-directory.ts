import { readFileSync, statfsSync } from "node:fs";

const path = "/dev/shm";
const leastBytes = 4 * 2 ** 30;

/**
 * A file system in memory with room for what all test files make, and from which programs may be
 * started. Removing that much from a disk takes longer than a minute. Undefined if there is none.
 */
export function findMemoryDirectory(): string | undefined {
  let mounts: string;
  try {
    mounts = readFileSync("/proc/mounts", "utf8");
  } catch {
    // No Linux.
    return undefined;
  }
  const options = new RegExp(`^\\S+ ${path} tmpfs (\\S+)`, "m").exec(mounts)?.[1]?.split(",");
  if (options === undefined || !options.includes("rw") || options.includes("noexec")) return undefined;
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize >= leastBytes ? path : undefined;
}
