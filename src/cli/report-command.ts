import { realpathSync } from "node:fs";
import { orElse, SettingsError } from "../model/errors.js";
import { showablePath } from "../model/showable.js";
import { commandOfReport } from "../report/command-of-report.js";
import { explainError } from "../report/exit-code.js";
import { boundedFindings } from "../report/listed-findings.js";
import { mergeReports } from "../report/merge-reports.js";
import { PageFile } from "../report/page-file.js";
import { readReport } from "../report/schema/read-report.js";
import type { Report } from "../report/schema/report-schema.js";
import { summaryText } from "../report/summary/summary.js";
import { textStyle } from "../report/text-style.js";
import type { TypedFlags } from "../settings/setting-sources.js";
import { type NextStep, stepLine } from "./closing/last-line.js";
import { shellWord } from "./closing/shell-word.js";
import { sayRefusal } from "./refuse.js";
import { screenColumns } from "./screen.js";

/** Failures, and differences, in the object of `--json`. */
const maxInJson = 100;

/**
 * Runs `report`: turns report files into a page, or prints their closing words. Returns the exit
 * code, which says whether that worked, not how the run went that they report on.
 * @throws SettingsError if a file is no report, or the page cannot be written.
 */
export async function reportCommand(
  files: readonly string[],
  { html, json, quiet }: TypedFlags,
  version: string,
): Promise<number> {
  const page = typeof html === "string" ? html : null;
  const print = (exitCode: number, result: { report: Report | null; error?: string }) => {
    const { report } = result;
    const bounded = report && boundedFindings(report, maxInJson);
    const answer = { tool: "tele-sessions", version, command: "report", exitCode, files, page };
    process.stdout.write(`${JSON.stringify({ ...answer, ...result, report: bounded })}\n`);
  };
  try {
    const report = await readAndWrite(files, page);
    if (json === true) print(0, { report });
    else if (page === null) process.stdout.write(`${closingWords(report, files)}\n\n`);
    if (quiet !== true) process.stderr.write(`${stepLine(nextStep(files, page))}\n`);
    return 0;
  } catch (error) {
    if (json !== true) throw error;
    const exitCode = sayRefusal(error, { isQuiet: quiet === true, isJsonLines: false });
    print(exitCode, { report: null, error: explainError(error) });
    return exitCode;
  }
}

/** Reads the reports as one, and writes the page. */
async function readAndWrite(files: readonly string[], page: string | null): Promise<Report> {
  const pageFile = page === null ? undefined : new PageFile(page);
  try {
    refuseSameFile(files);
    const report = mergeReports(files.map(readReport));
    if (pageFile !== undefined) {
      const { reportPage } = await import("../report/page/report-page.js");
      pageFile.finish(reportPage(report, whereAllAre(report, files)));
    }
    return report;
  } catch (error) {
    pageFile?.discard();
    throw error;
  }
}

/** A report that is given twice would count twice. */
function refuseSameFile(files: readonly string[]): void {
  const paths = files.map((file) => orElse(file, () => realpathSync(file)));
  const twice = files.find((_, index) => paths.indexOf(paths[index] ?? "") < index);
  if (twice !== undefined) throw new SettingsError(`report: ${showablePath(twice)} is given twice`);
}

/** The files that list every failure and difference; null if they do not. */
function whereAllAre(report: Report, files: readonly string[]): string | null {
  const areAll = report.failuresOmitted + report.differencesOmitted === 0;
  return areAll ? files.map(showablePath).join(", ") : null;
}

function closingWords(report: Report, files: readonly string[]): string {
  const command = commandOfReport(report);
  const purges = command === "copy" && report.sessions.purged > 0;
  const reportPath = whereAllAre(report, files);
  const summary = { command, report, reportPath, purges, memoryNeeded: null, notes: [] };
  return summaryText(summary, screenColumns(process.stdout), textStyle(false)).trimEnd();
}

/** What to do with the page, or how to get one. */
function nextStep(files: readonly string[], page: string | null): NextStep {
  if (page !== null) {
    return {
      say: `open ${showablePath(page)} in a browser, or print it: it is one file and needs nothing else`,
    };
  }
  return { command: ["tele-sessions report", ...files.map(shellWord), "--html report.html"].join(" ") };
}
