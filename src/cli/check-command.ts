import type { RunOptions } from "../model/run-options.js";

/** Runs `check`. Returns the exit code. */
export async function checkCommand(_options: RunOptions, _version: string): Promise<number> {
  throw new Error("check comes with the next commit");
}
