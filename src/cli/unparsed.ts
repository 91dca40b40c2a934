import type { EndFilePaths } from "./closing/end-files.js";

// What a command line asks for before it is parsed, or if it cannot be.

/** Whether a command line has `--quiet` or `-q`. */
export function asksForQuiet(commandLine: readonly string[]): boolean {
  return commandLine.some((word) => word === "--quiet" || /^-[nqv]*q[nqv]*$/.test(word));
}

/** Whether a command line asks for JSON lines. */
export function asksForJsonLines(commandLine: readonly string[]): boolean {
  return commandLine.some(
    (word, index) => word === "--log-format=json" || (word === "json" && commandLine[index - 1] === "--log-format"),
  );
}

/** The files for programs that watch runs, as a command line names them; null if it does not. */
export function endFilesOf(commandLine: readonly string[]): EndFilePaths {
  const pathOf = (flag: string) => {
    const at = commandLine.findLastIndex((word) => word === flag || word.startsWith(`${flag}=`));
    const word = commandLine[at];
    const value = word === flag ? commandLine[at + 1] : word?.slice(flag.length + 1);
    return value === undefined || value === "" || value === "-" ? null : value;
  };
  return { metricsFile: pathOf("--metrics-file"), terminationLog: pathOf("--termination-log") };
}
