/** How far a pass has come. */
export interface Progress {
  /** Sessions with an outcome. */
  readonly done: number;
  readonly failed: number;
  /** Since the pass began. */
  readonly seconds: number;
}

/** What a pass over the session directories is called and how many session files it will meet. */
export interface Plan {
  /** As in `copying`. */
  readonly doing: string;
  /** As they were counted beforehand. */
  readonly total: number;
}

/** Shows a run to people while it goes on. Everything goes to stderr. */
export interface Reporter {
  /** Shows the progress from time to time until `end`. */
  readonly begin: (plan: Plan, progress: () => Progress) => void;
  readonly end: () => void;
  /** A whole line, or several. */
  readonly say: (text: string) => void;
}
