import { showable } from "../model/showable.js";
import { endedBy, exitCodeOf, explainError } from "../report/exit-code.js";
import { connectedCommands } from "../settings/setting-definition.js";

const longestWarning = 4096;

/** Says why nothing was begun, also to whoever reads JSON. Gives back the exit code. */
export async function refuse(
  error: unknown,
  commandLine: readonly string[],
  version: string,
): Promise<number> {
  const exitCode = exitCodeOf(endedBy(error));
  const message = explainError(error);
  process.stderr.write(`tele-sessions: ${message}\n`);
  if (commandLine.includes("--json")) {
    const { emptyReport } = await import("../report/empty-report.js");
    const named = connectedCommands.find((name) => commandLine.includes(name)) ?? "copy";
    const command = commandLine.includes("--stop-after-init") ? "stop-after-init" : named;
    const report = emptyReport(command, version, [showable(message, longestWarning)], exitCode);
    process.stdout.write(`${JSON.stringify(report)}\n`);
  }
  return exitCode;
}
