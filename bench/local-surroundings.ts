import type { RedisServer } from "../test/support/redis-server.js";
import type { Surroundings } from "./surroundings.js";

/** Redis on loopback, files in the system's caches: the base of all others. */
export async function openLocalSurroundings({ host, port }: RedisServer): Promise<Surroundings> {
  return {
    how: "Redis on loopback, files in the caches",
    host,
    port,
    before: [],
    environment: {},
    prepare: async () => undefined,
    close: async () => undefined,
  };
}
