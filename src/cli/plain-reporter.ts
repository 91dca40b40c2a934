import type { Reporter } from "../model/progress.js";
import { progressText } from "./progress-text.js";

const lineEveryMs = 10_000;

/** Writes a plain line every ten seconds: for files, pipes and job logs. */
export function plainReporter(write: (text: string) => void, showProgress: boolean): Reporter {
  let timer: NodeJS.Timeout | undefined;
  return {
    begin: (plan, progress) => {
      if (!showProgress) return;
      timer = setInterval(() => write(`${plan.doing}: ${progressText(plan, progress())}\n`), lineEveryMs);
      timer.unref();
    },
    end: () => clearInterval(timer),
    say: (text) => write(`${text}\n`),
  };
}
