import { countText, durationText } from "../model/number-text.js";
import type { Plan, Progress } from "../model/progress.js";

/** `12,034 of 100,000 sessions, 41,200/s, 2.1 s left`. */
export function progressText({ total }: Plan, { done, failed, seconds }: Progress): string {
  const rate = seconds > 0 ? done / seconds : 0;
  const parts = [`${countText(done)} of ${countText(total)} sessions`, `${countText(rate)}/s`];
  if (rate > 0 && done < total) parts.push(`${durationText((total - done) / rate)} left`);
  if (failed > 0) parts.push(`${countText(failed)} failed`);
  return parts.join(", ");
}
