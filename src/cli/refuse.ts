import { maxLineLength, showable } from "../model/showable.js";
import { exitCodeOfError, explainError, explainExitCode } from "../report/exit-code.js";
import type { Report } from "../report/schema/report-schema.js";
import { textStyle } from "../report/text-style.js";
import { connectedCommands } from "../settings/setting-definition.js";
import { asksForJsonLines } from "./asks-for-json-lines.js";
import { asksForQuiet } from "./asks-for-quiet.js";
import { exitLine } from "./closing/last-line.js";
import { isCapable } from "./is-colored.js";
import { jsonLines, type Say, textLines } from "./progress/log-line.js";

/** Says why the run did not begin, with `--json` on stdout too. Returns the exit code. */
export async function refuse(
  error: unknown,
  commandLine: readonly string[],
  version: string,
): Promise<number> {
  const exitCode = sayRefusal(error, {
    isQuiet: asksForQuiet(commandLine),
    isJsonLines: asksForJsonLines(commandLine),
  });
  const { outcome } = explainExitCode(exitCode);
  if (commandLine.includes("--json")) {
    const warnings = [showable(explainError(error), maxLineLength)];
    const other = (["inspect", "check", "report"] as const).find((name) => commandLine.includes(name));
    const answer =
      other === undefined
        ? await reportOfRefusal(commandLine, { version, exitCode, warnings })
        : { tool: "tele-sessions", version, command: other, outcome, exitCode, warnings };
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
  return exitCode;
}

/** Says on stderr why a run did not begin; with `--quiet` in one line. Returns the exit code. */
export function sayRefusal(
  error: unknown,
  { isQuiet, isJsonLines }: { readonly isQuiet: boolean; readonly isJsonLines: boolean },
): number {
  const exitCode = exitCodeOfError(error);
  const message = explainError(error);
  // No options could be read, so this asks the environment itself.
  const style = textStyle(isCapable() && !process.env["NO_COLOR"]);
  const format = isJsonLines ? jsonLines : textLines(style);
  const say: Say = (...line) => void process.stderr.write(format(...line));
  if (!isQuiet) say("error", message, { exitCode });
  const { meaning, outcome } = explainExitCode(exitCode);
  const why = isQuiet ? message.replaceAll("\n", "; ") : exitCode === 2 ? "nothing was touched" : meaning;
  say("end", exitLine(exitCode, why, style), { exitCode, outcome });
  return exitCode;
}

async function reportOfRefusal(
  commandLine: readonly string[],
  facts: Pick<Report, "version" | "exitCode" | "warnings">,
): Promise<Report> {
  const { buildReport } = await import("../report/build-report.js");
  const named = connectedCommands.find((name) => commandLine.includes(name)) ?? "copy";
  return buildReport({
    ...facts,
    command: commandLine.includes("--stop-after-init") ? "stop-after-init" : named,
  });
}
