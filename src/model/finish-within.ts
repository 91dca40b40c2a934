/** What is in flight when a run is to stop has so many milliseconds to finish: spec.md allows 10 s until it is reported. */
export const finishWithinMs = 8000;
