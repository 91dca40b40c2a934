import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";
import { openLocalSurroundings } from "./local-surroundings.js";
import type { Surroundings } from "./surroundings.js";

/**
 * The system has forgotten the files before each run: all of them where it lets itself be told,
 * else the content of the session files.
 */
export async function openColdCache(redis: RedisServer, programs: RivalPrograms): Promise<Surroundings> {
  const local = await openLocalSurroundings(redis, programs);
  try {
    await dropCaches();
    return {
      ...local,
      how: "all caches of the system dropped before each run (drop_caches), the programs' too",
      prepare: dropCaches,
    };
  } catch {
    const forget = async (directory: string) => {
      await promisify(execFile)("sync");
      await promisify(execFile)(programs.python, [join(programs.rivals, "forget_files.py"), directory]);
    };
    return {
      ...local,
      how: "content of the session files dropped before each run (posix_fadvise); names and inodes stay cached",
      prepare: forget,
    };
  }
}

async function dropCaches(): Promise<void> {
  // Only what is on the disk can be dropped.
  await promisify(execFile)("sync");
  writeFileSync("/proc/sys/vm/drop_caches", "3");
}
