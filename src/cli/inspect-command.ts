import type { RunOptions } from "../model/run-options.js";

/** Runs `inspect`. Returns the exit code. */
export async function inspectCommand(_options: RunOptions, _version: string): Promise<number> {
  throw new Error("inspect comes with the next commit");
}
