import { readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { orElse } from "../model/errors.js";
import type { Environment } from "./setting-sources.js";

/** What settings are read from, besides the command line. Tests have their own. */
export interface Machine {
  readonly environment: Environment;
  /** @throws Node's error if the file cannot be read. */
  readonly readFile: (path: string) => Buffer;
  readonly isDirectory: (path: string) => boolean;
  /** This user's home directory in the account database; null if there is none. */
  readonly accountHome: () => string | null;
  /** Whether the working directory still exists; relative paths need it. */
  readonly hasWorkingDirectory: () => boolean;
}

/** The one that this process runs on. Errors count as "not there", as in Python's `os.path`. */
export const thisMachine: Machine = {
  environment: process.env,
  readFile: (path) => readFileSync(path),
  isDirectory: (path) => orElse(false, () => statSync(path).isDirectory()),
  // In a container the account may have no entry.
  accountHome: () => orElse(null, () => userInfo().homedir || null),
  hasWorkingDirectory: () => orElse(false, () => process.cwd() !== ""),
};
