import type { Reporter } from "../model/progress.js";
import { progressText } from "./progress-text.js";

const lineEveryMs = 10_000;

/** Writes a plain line every ten seconds: for files, pipes and job logs. */
export function plainReporter(showProgress: boolean): Reporter {
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  let timer: NodeJS.Timeout | undefined;
  return {
    begin: (plan, progress) => {
      if (!showProgress) return;
      timer = setInterval(() => say(`${plan.doing}: ${progressText(plan, progress())}`), lineEveryMs);
      timer.unref();
    },
    end: () => clearInterval(timer),
    say,
  };
}
