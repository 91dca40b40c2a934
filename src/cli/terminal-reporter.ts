import ora from "ora";
import type { Plan, Progress, Reporter } from "../model/progress.js";
import { progressText } from "./progress-text.js";

const redrawMs = 100;
const maxBarWidth = 30;
/** Columns for the spinner and the words around the bar. */
const wordColumns = 70;

export interface TerminalOptions {
  readonly colored: boolean;
  /** Whether the terminal shows block characters. */
  readonly unicode: boolean;
}

/** A bar with count, rate and time left, redrawn in place on a terminal that has columns. */
export function terminalReporter({ colored, unicode }: TerminalOptions): Reporter {
  const stream = process.stderr;
  const spinner = ora({
    stream,
    isEnabled: true,
    discardStdin: false,
    color: colored ? "cyan" : false,
    ...(unicode ? {} : { spinner: "line" as const }),
  });
  let timer: NodeJS.Timeout | undefined;
  return {
    begin: (plan, progress) => {
      const redraw = () => {
        spinner.text = fitted(lineOf(plan, progress(), stream.columns, unicode), stream.columns);
      };
      redraw();
      spinner.start();
      timer = setInterval(redraw, redrawMs);
      timer.unref();
    },
    end: () => {
      clearInterval(timer);
      spinner.stop();
    },
    say: (text) => {
      const spinning = spinner.isSpinning;
      if (spinning) spinner.stop();
      stream.write(`${text}\n`);
      if (spinning) spinner.start();
    },
  };
}

function lineOf(plan: Plan, progress: Progress, columns: number, unicode: boolean): string {
  const share = plan.total === 0 ? undefined : Math.min(progress.done / plan.total, 1);
  const words = progressText(plan, progress);
  const width = Math.min(maxBarWidth, columns - wordColumns);
  if (share === undefined || width < 5) return `${plan.doing} ${words}`;
  const filled = Math.floor(share * width);
  const [full, open] = unicode ? ["█", "░"] : ["#", "-"];
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  return `${plan.doing} ${full.repeat(filled)}${open.repeat(width - filled)}${percent}  ${words}`;
}

/** Cuts a line so that it fits after the spinner and a space. */
function fitted(line: string, columns: number): string {
  return line.slice(0, Math.max(columns - 4, 1));
}
