import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";
import type { Surroundings } from "./surroundings.js";

/** Redis on loopback, files in the system's caches: the base of all others. */
export async function openLocalSurroundings(
  { host, port }: RedisServer,
  { reader }: Pick<RivalPrograms, "reader">,
): Promise<Surroundings> {
  return {
    how: "Redis on loopback, files in the caches",
    host,
    port,
    before: [],
    environment: {},
    // A virtual machine may give idle caches back between two runs.
    prepare: async (directory) => void (await promisify(execFile)(reader, [directory])),
    close: async () => undefined,
  };
}
