import { execFile } from "node:child_process";
import { cpus, release } from "node:os";
import { promisify } from "node:util";
import { redisCommand } from "../test/support/servers/redis-command.js";
import type { RedisServer } from "../test/support/servers/redis-server.js";
import type { RivalPrograms } from "./rivals/rival-programs.js";

/** What figures depend on. */
export interface Machine {
  readonly processors: number;
  readonly processor: string;
  readonly kernel: string;
  readonly node: string;
  readonly redis: string;
  readonly python: string;
  readonly redisPy: string;
}

export async function describeMachine(redis: RedisServer, { python }: RivalPrograms): Promise<Machine> {
  const script = "import platform, redis; print(platform.python_version(), redis.__version__)";
  const { stdout } = await promisify(execFile)(python, ["-c", script]);
  const [pythonVersion = "", redisPy = ""] = stdout.trim().split(" ");
  const info = String(await redisCommand(redis, "INFO", "server"));
  const processors = cpus();
  return {
    processors: processors.length,
    processor: processors[0]?.model ?? "",
    kernel: release(),
    node: process.versions.node,
    redis: /^redis_version:(\S+)/m.exec(info)?.[1] ?? "",
    python: pythonVersion,
    redisPy,
  };
}
