/** Whether a command line has `--quiet` or `-q`, for words that come before it is parsed. */
export function asksForQuiet(commandLine: readonly string[]): boolean {
  return commandLine.some((word) => word === "--quiet" || /^-[nqv]*q[nqv]*$/.test(word));
}
