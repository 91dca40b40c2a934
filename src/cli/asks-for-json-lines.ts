/** Whether a command line asks for JSON lines. For refusals, which know of no settings yet. */
export function asksForJsonLines(commandLine: readonly string[]): boolean {
  return commandLine.some(
    (word, index) => word === "--log-format=json" || (word === "json" && commandLine[index - 1] === "--log-format"),
  );
}
