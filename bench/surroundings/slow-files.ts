import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";
import { openLocalSurroundings } from "./local-surroundings.js";
import type { Surroundings } from "./surroundings.js";

/** Every opening of a session file takes 2 ms longer. */
export async function openSlowFiles(redis: RedisServer, programs: RivalPrograms): Promise<Surroundings> {
  return {
    ...(await openLocalSurroundings(redis, programs)),
    how: "a preloaded library waits 2 ms in every open of a session file",
    environment: { LD_PRELOAD: programs.slowOpen },
  };
}
