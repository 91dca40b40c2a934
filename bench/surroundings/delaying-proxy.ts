import { spawn } from "node:child_process";
import { once } from "node:events";
import { caretaker } from "../../test/support/process/caretaker.js";
import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";
import { openLocalSurroundings } from "./local-surroundings.js";
import type { Surroundings } from "./surroundings.js";

/**
 * A proxy, a process of its own, that delays what goes through it by so many milliseconds each way,
 * however much is under way.
 */
export async function openDelayingProxy(
  redis: RedisServer,
  programs: RivalPrograms,
  delayMs: number,
): Promise<Surroundings> {
  const child = spawn(programs.delayingProxy, [String(redis.port), String(delayMs * 1e6)], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("The delaying proxy cannot be started.");
  const spare = caretaker.killAtEnd(pid);
  const ended = once(child, "exit").then(() => spare());
  const said: unknown[] = await Promise.race([once(child.stdout, "data"), ended.then(() => [])]);
  const port = Number(String(said[0]));
  if (!(port > 0)) throw new Error("The delaying proxy ended as soon as it was started.");
  return {
    ...(await openLocalSurroundings(redis, programs)),
    how: `a proxy delays every chunk by ${delayMs} ms each way`,
    port,
    close: async () => {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
