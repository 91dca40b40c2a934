import type { Say } from "./log-line.js";

/** Shows a run to people while it goes on. Everything goes to stderr. */
export interface Reporter {
  /** Says something at once, above what it shows of the progress. */
  readonly say: Say;
  /** Shows the progress no more. */
  readonly end: () => void;
}
