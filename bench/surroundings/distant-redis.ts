import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";
import { openDelayedNetwork } from "./delayed-network.js";
import { openDelayingProxy } from "./delaying-proxy.js";
import type { Surroundings } from "./surroundings.js";

/** A round trip is this long, give or take: half of it each way. */
const roundTripMs = 1;
const questions = 200;

/** Redis a millisecond away: by the kernel's own network where this machine lets us, else behind a proxy. */
export async function openDistantRedis(redis: RedisServer, programs: RivalPrograms): Promise<Surroundings> {
  for (const open of [openDelayedNetwork, openDelayingProxy]) {
    let surroundings: Surroundings;
    try {
      surroundings = await open(redis, programs, roundTripMs / 2);
    } catch {
      continue;
    }
    const measuredMs = await measureRoundTrip(surroundings, programs).catch(() => Number.NaN);
    // A network that delays nothing, for whatever reason, is not what is to be measured.
    if (measuredMs > roundTripMs / 2)
      return { ...surroundings, how: `${surroundings.how}; a PING takes ${measuredMs.toFixed(2)} ms` };
    await surroundings.close();
  }
  throw new Error("neither a delayed network nor a delaying proxy could be made");
}

/** How long a PING takes, ms: of many, one after the other, less the start of the program that asks. */
async function measureRoundTrip({ before, host, port }: Surroundings, programs: RivalPrograms) {
  const ask = async (times: number): Promise<number> => {
    const [program = "", ...args] = [
      ...[...before, programs.redisCli, "-h", host, "-p", String(port)],
      ...["-r", String(times), "PING"],
    ];
    const began = performance.now();
    const { stdout } = await promisify(execFile)(program, args);
    if (stdout !== "PONG\n".repeat(times)) throw new Error("Redis does not answer there");
    return performance.now() - began;
  };
  const starts = [await ask(1), await ask(1), await ask(1)];
  return ((await ask(1 + questions)) - Math.min(...starts)) / questions;
}
