import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { provideRedis } from "../programs/provide-redis.js";
import { provideTool } from "../programs/provide-tools.js";
import { projectRoot } from "../project.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

/**
 * One wall clock for several processes, which any of them can move by writing `SHIFT_CLOCK_FILE`.
 * Linux only.
 */
export interface ShiftedClock {
  /** The variables that put a process on this clock. */
  readonly environment: Readonly<Record<"LD_PRELOAD" | "SHIFT_CLOCK_FILE", string>>;
  /** A redis-server on this clock. */
  readonly redis: { readonly kind: "program"; readonly path: string };
}

/**
 * Compiles the clock. Throws an Error of one sentence if there is no C compiler or only a container
 * of Redis.
 */
export async function makeShiftedClock(): Promise<ShiftedClock> {
  const compiler = await provideTool("compiler");
  const redis = await provideRedis();
  if (redis.kind !== "program") {
    throw new Error("A shifted clock needs redis-server as a program, not in a container.");
  }
  const directory = makeTemporaryDirectory();
  const library = join(directory, "shift-clock.so");
  const file = join(directory, "clock");
  const source = join(projectRoot, "test", "support", "process", "shift-clock.c");
  execFileSync(compiler, ["-O2", "-shared", "-fPIC", "-o", library, source, "-ldl"]);
  writeFileSync(file, "+0");

  const script = join(directory, "redis-server");
  const variables = `LD_PRELOAD='${library}' SHIFT_CLOCK_FILE='${file}'`;
  writeFileSync(script, `#!/bin/sh\n${variables} exec '${redis.path}' "$@"\n`);
  chmodSync(script, 0o700);
  return {
    environment: { LD_PRELOAD: library, SHIFT_CLOCK_FILE: file },
    redis: { kind: "program", path: script },
  };
}
