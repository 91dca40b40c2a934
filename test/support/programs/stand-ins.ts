import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import type { Machine } from "./provide-program.js";

/**
 * A machine whose PATH holds nothing but stand-ins: shell scripts that note how they were called.
 */
export interface StandInMachine extends Machine {
  readonly directory: string;
  /**
   * Puts a script on the PATH. It finds `$here`, the PATH's only directory, and the system's own
   * commands.
   */
  add(name: string, script: string): void;
  /** How the stand-ins were called, in order: `apt-get update`. */
  calls(): readonly string[];
  /** What was said to the person who started the tests. */
  readonly said: readonly string[];
}

export function makeStandInMachine(
  facts: { isRoot?: boolean; hasSystemd?: boolean; environment?: Readonly<Record<string, string>> } = {},
): StandInMachine {
  const { isRoot = false, hasSystemd = false, environment = {} } = facts;
  const directory = makeTemporaryDirectory();
  const log = join(directory, "calls.log");
  const said: string[] = [];
  return {
    directory,
    environment: { PATH: directory, ...environment },
    isRoot,
    hasSystemd,
    said,
    say: (line) => said.push(line),
    add: (name, script) => {
      const head = `#!/bin/sh\nhere='${directory}'\nPATH=/usr/bin:/bin\necho "${name} $*" >> '${log}'\n`;
      writeFileSync(join(directory, name), head + script, { mode: 0o755 });
    },
    calls: () => (existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : []),
  };
}
