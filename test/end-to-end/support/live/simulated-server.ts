import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { caretaker } from "../../../support/process/caretaker.js";
import type { ShiftedClock } from "../../../support/process/shifted-clock.js";
import { provideTool } from "../../../support/programs/provide-tools.js";
import { projectRoot } from "../../../support/project.js";

/** How the server stores sessions, on files and then in Redis. */
export interface Applet {
  readonly files: "flat" | "scattered";
  readonly lifetime: "sliding" | "three hours" | "non-renewing";
  /** Whether sids change every three hours, as in Odoo 19. */
  readonly rotates?: boolean;
}

export interface SimulatedAnswer {
  /** What the server saw since its last answer that must not be. */
  readonly problems: readonly string[];
  /** People who are logged in now. */
  readonly loggedIn: number;
  /** Sessions that were judged so far. */
  readonly judged: number;
}

/** A server of simulated people in a process of its own (`test/python/simulated_server.py`). */
export interface SimulatedServer {
  /** `day <seconds>`, `redis`, `files` or `judge`. */
  ask(order: string): Promise<SimulatedAnswer>;
}

/** Starts it on a shifted clock, which it moves. It goes with the test. */
export async function startSimulatedServer(
  t: TestContext,
  clock: ShiftedClock,
  {
    directory,
    redisPort,
    seed,
    applet,
  }: {
    readonly directory: string;
    readonly redisPort: number;
    readonly seed: number;
    readonly applet: Applet;
  },
): Promise<SimulatedServer> {
  const script = join(projectRoot, "test", "python", "simulated_server.py");
  const options = ["--redis-port", String(redisPort), "--seed", String(seed)];
  const kind = ["--files", applet.files, "--lifetime", applet.lifetime, ...(applet.rotates ? ["--rotates"] : [])];
  const child = spawn(await provideTool("python"), ["-B", script, directory, ...options, ...kind], {
    env: { ...process.env, ...clock.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  await once(child, "spawn");
  const spare = child.pid === undefined ? () => undefined : caretaker.killAtEnd(child.pid);
  child.once("close", spare);
  t.after(() => child.kill("SIGKILL"));

  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaint += text;
  });
  // What it says of an end of its own stands in `complaint`.
  child.stdin.on("error", () => undefined);
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    ask: async (order) => {
      child.stdin.write(`${order}\n`);
      const { done, value } = await answers.next();
      if (done) throw new Error(`The simulated server ended at "${order}": ${complaint}`);
      return JSON.parse(value);
    },
  };
}
