import type { Reporter } from "../model/progress.js";
import type { RunOptions } from "../model/run-options.js";
import { plainReporter } from "./plain-reporter.js";
import { isCapable, isColored, showsBlocks } from "./run-context.js";

/** A progress bar if a person watches a terminal that has room for it, plain lines otherwise. */
export async function chooseReporter({ output }: Pick<RunOptions, "output">): Promise<Reporter> {
  const showProgress = output.progress && !output.quiet;
  const isWatched = isCapable() && process.stderr.columns > 0;
  if (showProgress && !output.continuousIntegration && isWatched) {
    const { terminalReporter } = await import("./terminal-reporter.js");
    return terminalReporter({ colored: isColored(output), unicode: showsBlocks() });
  }
  return plainReporter(showProgress);
}
