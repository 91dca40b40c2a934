import { maxLineLength, showable } from "../model/showable.js";
import { exitCodeOfError, explainError, explainExitCode } from "../report/exit-code.js";
import { textStyle } from "../report/text-style.js";
import { directoryCommands } from "../settings/setting-definition.js";
import { exitLine } from "./closing/last-line.js";
import { isCapable } from "./run-context.js";
import { sayError } from "./say.js";

/** Says why the run did not begin, with `--json` on stdout too. Returns the exit code. */
export async function refuse(
  error: unknown,
  commandLine: readonly string[],
  version: string,
): Promise<number> {
  const exitCode = exitCodeOfError(error);
  const message = explainError(error);
  // No options could be read, so this asks the command line itself.
  const style = textStyle(isCapable() && !process.env["NO_COLOR"]);
  const isQuiet = commandLine.some((word) => word === "-q" || word === "--quiet");
  if (!isQuiet) sayError(message, style);
  const { meaning } = explainExitCode(exitCode);
  const why = isQuiet ? message.replaceAll("\n", "; ") : exitCode === 2 ? "nothing was touched" : meaning;
  process.stderr.write(`${exitLine(exitCode, why, style)}\n`);
  if (commandLine.includes("--json")) {
    const { buildReport } = await import("../report/build-report.js");
    const named = directoryCommands.find((name) => commandLine.includes(name)) ?? "copy";
    const command = commandLine.includes("--stop-after-init") ? "stop-after-init" : named;
    const warnings = [showable(message, maxLineLength)];
    process.stdout.write(`${JSON.stringify(buildReport({ command, version, exitCode, warnings }))}\n`);
  }
  return exitCode;
}
