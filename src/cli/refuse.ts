import { maxLineLength, showable } from "../model/showable.js";
import { exitCodeOfError, explainError, explainExitCode } from "../report/exit-code.js";
import type { Report } from "../report/schema/report-schema.js";
import { textStyle } from "../report/text-style.js";
import { connectedCommands, directoryCommands } from "../settings/setting-definition.js";
import { EndFiles, finishEndFiles } from "./closing/end-files.js";
import { exitLine } from "./closing/last-line.js";
import { jsonLines, type Say, textLines } from "./progress/log-line.js";
import { isCapable } from "./screen.js";
import { asksForJsonLines, asksForQuiet, endFilesOf } from "./unparsed.js";

/** Says why the run did not begin, with `--json` on stdout too. Returns the exit code. */
export async function refuse(error: unknown, commandLine: readonly string[], version: string): Promise<number> {
  const exitCode = sayRefusal(error, {
    isQuiet: asksForQuiet(commandLine),
    isJsonLines: asksForJsonLines(commandLine),
  });
  writeEndFiles(error, commandLine, version);
  if (commandLine.includes("--json")) {
    const { outcome } = explainExitCode(exitCode);
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

/** Tells the programs that watch runs, as far as their files can be written. */
function writeEndFiles(error: unknown, commandLine: readonly string[], version: string): void {
  const files = new EndFiles();
  const exitCode = exitCodeOfError(error);
  const message = explainError(error);
  const problems: unknown[] = [];
  try {
    files.open(endFilesOf(commandLine));
  } catch (problem) {
    problems.push(problem);
  }
  const end = exitLine(exitCode, whyRefused(exitCode), textStyle(false));
  const { errors } = finishEndFiles(files, {
    ...{ version, exitCode, seconds: 0, shards: [], warnings: [] },
    command: commandIn(commandLine),
    dryRun: commandLine.some((word) => word === "--dry-run" || word === "-n"),
    words: { errors: [message], summary: "", end },
  });
  // The file itself may be what was refused.
  const others = [...problems, ...errors].map(explainError).filter((text) => text !== message);
  for (const text of others) process.stderr.write(`error: ${text}\n`);
}

function commandIn(commandLine: readonly string[]): string {
  if (commandLine.includes("--stop-after-init")) return "stop-after-init";
  return directoryCommands.find((name) => commandLine.includes(name)) ?? "none";
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
  const why = isQuiet ? message.replaceAll("\n", "; ") : whyRefused(exitCode);
  say("end", exitLine(exitCode, why, style), { exitCode, outcome: explainExitCode(exitCode).outcome });
  return exitCode;
}

function whyRefused(exitCode: number): string {
  return exitCode === 2 ? "nothing was touched" : explainExitCode(exitCode).meaning;
}

async function reportOfRefusal(
  commandLine: readonly string[],
  facts: Pick<Report, "version" | "exitCode" | "warnings">,
): Promise<Report> {
  const { buildReport } = await import("../report/build-report.js");
  const named = connectedCommands.find((name) => commandLine.includes(name)) ?? "copy";
  return buildReport({ ...facts, command: commandLine.includes("--stop-after-init") ? "stop-after-init" : named });
}
