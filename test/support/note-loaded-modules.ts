import { appendFileSync } from "node:fs";
import { type LoadHook, register } from "node:module";
import { isMainThread } from "node:worker_threads";

/** The variable that names the file for what is loaded. */
export const loadedVariable = "LOADED_MODULES";

/**
 * Called in a thread of Node's own for every module of the run that this one is loaded into
 * (`--import`): a line for each URL.
 */
export const load: LoadHook = (url, context, nextLoad) => {
  const log = process.env[loadedVariable];
  if (log !== undefined) appendFileSync(log, `${url}\n`);
  return nextLoad(url, context);
};

if (isMainThread && process.env[loadedVariable] !== undefined) register(import.meta.url);
