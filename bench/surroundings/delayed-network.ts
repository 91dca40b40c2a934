import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { caretaker } from "../../test/support/process/caretaker.js";
import { redisCommand } from "../../test/support/servers/redis-command.js";
import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";
import { openLocalSurroundings } from "./local-surroundings.js";
import type { Surroundings } from "./surroundings.js";

/** Of the range that is set aside for measuring (RFC 2544). */
const redisAddress = "198.18.77.1";
const ourAddress = "198.18.77.2";
/** More packets than are ever under way: by default a full queue drops some. */
const queueLimit = 200_000;

/**
 * A network of its own for the contestants (namespace), tied to this one by a wire that delays by
 * so many milliseconds each way (tc netem). It goes when the process that holds it goes. Throws
 * where we may not make one, or the kernel has no netem.
 */
export async function openDelayedNetwork(
  redis: RedisServer,
  programs: RivalPrograms,
  delayMs: number,
): Promise<Surroundings> {
  const holder = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore", detached: true });
  const ended = once(holder, "exit").catch(() => undefined);
  const { pid } = holder;
  if (pid === undefined) throw new Error("There is no unshare.");
  const spare = caretaker.killAtEnd(pid);
  const close = async () => {
    holder.kill("SIGKILL");
    await ended;
    spare();
  };
  try {
    await untilApart(pid);
    const inside = ["nsenter", `--net=/proc/${pid}/ns/net`];
    const ours = `tsb${pid}a`;
    const theirs = `tsb${pid}b`;
    await run(["ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", String(pid)]);
    for (const [before, link, address] of [
      [[], ours, redisAddress],
      [inside, theirs, ourAddress],
    ] as const) {
      await run([...before, "ip", "addr", "add", `${address}/30`, "dev", link]);
      await run([...before, "ip", "link", "set", link, "up"]);
      await run([
        ...[...before, "tc", "qdisc", "add", "dev", link, "root", "netem"],
        ...["delay", `${delayMs}ms`, "limit", String(queueLimit)],
      ]);
    }
    await redisCommand(redis, "CONFIG", "SET", "protected-mode", "no");
    await redisCommand(redis, "CONFIG", "SET", "bind", `127.0.0.1 ${redisAddress}`);
    return {
      ...(await openLocalSurroundings(redis, programs)),
      how: `a network namespace, tc netem delays every packet by ${delayMs} ms each way`,
      host: redisAddress,
      before: inside,
      close: async () => {
        await redisCommand(redis, "CONFIG", "SET", "bind", "127.0.0.1");
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until a process has a network of its own. */
async function untilApart(pid: number): Promise<void> {
  const networkOf = async (of: string) => (await promisify(execFile)("readlink", [`/proc/${of}/ns/net`])).stdout;
  const here = await networkOf(String(process.pid));
  for (let attempt = 0; attempt < 100; attempt++) {
    if ((await networkOf(String(pid))) !== here) return;
    await sleep(10);
  }
  throw new Error("The process has no network of its own.");
}

async function run([program = "", ...args]: readonly string[]): Promise<void> {
  await promisify(execFile)(program, args);
}
