import type { ProgressChange } from "../../model/progress/progress.js";
import type { ProgressState } from "../../model/progress/progress-state.js";
import type { RunProgress } from "../../model/progress/run-progress.js";
import type { FormatLine, LogFacts, Reporter, Say } from "./log-line.js";
import { progressFacts } from "./progress-facts.js";
import { backText, nothingIsLost, progressText, retryText, startText, titleParts, waitText } from "./progress-text.js";

/** Also keeps the rate of the last ten seconds known. */
const tickMs = 1000;
const lineEveryMs = 10_000;
/** A listing that takes longer is worth a line. */
const longListingMs = 1000;

/** What of a run is shown. */
export interface LogOptions {
  readonly format: FormatLine;
  /** Whether to show how far the run has come. */
  readonly showsProgress: boolean;
  /** Whether to show what the run waits for. */
  readonly showsWaits: boolean;
}

/**
 * Writes a line at the start of what counts, then one every ten seconds: for files, pipes and job
 * logs. The lines are for people or for programs.
 */
export function logReporter(progress: RunProgress, options: LogOptions): Reporter {
  const { format, showsProgress, showsWaits } = options;
  const say: Say = (...line) => void process.stderr.write(format(...line));
  const sayProgress: Say = (...line) => {
    if (showsProgress) say(...line);
  };
  const sayWait = ({ wait, ...rest }: ProgressState, isFirst: boolean) => {
    if (wait === null || !showsWaits) return;
    const text = `${waitText({ wait, ...rest }, wait)}; ${retryText(wait)}`;
    say("waiting", isFirst ? `${text}. ${nothingIsLost}` : text, waitFacts(wait));
  };
  let nextLineMs = 0;
  let isListed = false;
  let isStarted = false;
  const begin = (state: ProgressState) => {
    const { phase, done } = state;
    nextLineMs = Date.now() + (phase === "listing" ? longListingMs : lineEveryMs);
    sayProgress(phase === "connecting" ? phase : "phase", titleOf(state), progressFacts(state));
    if (done === null || phase === "listing" || isStarted) return;
    isStarted = true;
    sayProgress("start", startText(state), progressFacts(state));
  };
  const onChange = (change: ProgressChange) => {
    const { state } = progress;
    if (change.kind === "phase") return begin(state);
    if (change.kind === "waiting") {
      nextLineMs = Date.now() + lineEveryMs;
      return sayWait(state, true);
    }
    const { target, seconds } = change;
    nextLineMs = Date.now() + lineEveryMs;
    if (showsWaits) say("back", backText(target, seconds), { target, seconds: Math.round(seconds) });
  };
  const tick = () => {
    const { state } = progress;
    if (Date.now() < nextLineMs) return;
    nextLineMs = Date.now() + lineEveryMs;
    if (state.wait !== null) sayWait(state, false);
    else if (state.phase === "listing" && !isListed) {
      isListed = true;
      sayProgress("progress", titleOf(state), progressFacts(state));
    } else if (state.done !== null) sayProgress("progress", progressText(state), progressFacts(state));
  };
  progress.listen(onChange);
  const timer = setInterval(tick, tickMs).unref();
  return {
    say,
    end: () => {
      clearInterval(timer);
      progress.listen(() => undefined);
    },
  };
}

function titleOf(state: ProgressState): string {
  return titleParts(state).join(" ");
}

function waitFacts({ target, why, seconds, secondsLeft }: NonNullable<ProgressState["wait"]>): LogFacts {
  return { target, why, seconds: Math.round(seconds), secondsLeft: Math.round(secondsLeft) };
}
