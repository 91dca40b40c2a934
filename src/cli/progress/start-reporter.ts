import type { RunProgress } from "../../model/progress/run-progress.js";
import type { RunOptions } from "../../model/run-options.js";
import { textStyle } from "../../report/text-style.js";
import { isCapable, isColored } from "../screen.js";
import { jsonLines, type Reporter, textLines } from "./log-line.js";
import { logReporter } from "./log-reporter.js";
import { progressFacts } from "./progress-facts.js";
import { stateText } from "./progress-text.js";
import { answerStateRequests } from "./state-signals.js";

/**
 * Shows a run from now on, and its state if a signal asks for it: in a view if a person watches a
 * terminal that has room for it, in lines otherwise.
 */
export async function startReporter(options: RunOptions, progress: RunProgress): Promise<Reporter> {
  const reporter = await chooseReporter(options, progress);
  answerStateRequests(() => {
    const { state } = progress;
    reporter.say("state", stateText(state), progressFacts(state));
  });
  return reporter;
}

async function chooseReporter({ output }: RunOptions, progress: RunProgress): Promise<Reporter> {
  const showsProgress = output.progress && !output.quiet;
  const colored = isColored(output);
  const format = output.logFormat === "json" ? jsonLines : textLines(textStyle(colored));
  const isWatched = isCapable() && process.stderr.columns > 0 && !output.continuousIntegration;
  if (showsProgress && isWatched && output.logFormat === "text") {
    const { terminalReporter } = await import("./terminal-reporter.js");
    return terminalReporter(progress, { colored, format });
  }
  return logReporter(progress, { format, showsProgress, showsWaits: !output.quiet });
}
