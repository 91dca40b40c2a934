import { maxLineLength, showable } from "../model/showable.js";
import { exitCodeOfError, explainError, explainExitCode } from "../report/exit-code.js";
import { connectedCommands } from "../settings/setting-definition.js";
import { asksForJsonLines, jsonLines } from "./progress/log-line.js";

/** Says why the run did not begin, with `--json` on stdout too. Returns the exit code. */
export async function refuse(
  error: unknown,
  commandLine: readonly string[],
  version: string,
): Promise<number> {
  const exitCode = exitCodeOfError(error);
  const message = explainError(error);
  if (asksForJsonLines(commandLine)) {
    const { outcome } = explainExitCode(exitCode);
    process.stderr.write(
      jsonLines("error", message, { exitCode }) + jsonLines("end", "", { exitCode, outcome }),
    );
  } else process.stderr.write(`tele-sessions: ${message}\n`);
  if (commandLine.includes("--json")) {
    const { buildReport } = await import("../report/build-report.js");
    const named = connectedCommands.find((name) => commandLine.includes(name)) ?? "copy";
    const command = commandLine.includes("--stop-after-init") ? "stop-after-init" : named;
    const warnings = [showable(message, maxLineLength)];
    process.stdout.write(`${JSON.stringify(buildReport({ command, version, exitCode, warnings }))}\n`);
  }
  return exitCode;
}
