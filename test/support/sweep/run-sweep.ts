import type { SweptCommand } from "./swept-commands.js";
import { makeSweptRun, type PlannedRun, type SweptRun } from "./swept-run.js";
import type { SweptSessions } from "./swept-sessions.js";

/** Runs that work, and runs in all, at a time. */
export interface SweepWidth {
  readonly working: number;
  readonly all: number;
}

/** Makes all runs, many at a time where they only wait. `onRun` is told of each. */
export async function runSweep(
  planned: readonly PlannedRun[],
  sessionsOf: (command: SweptCommand) => SweptSessions,
  { working, all }: SweepWidth,
  onRun: (run: SweptRun) => void,
): Promise<void> {
  const queue = [...planned];
  const workplaces = makePlaces(working);
  const takeRuns = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const leave = await workplaces.enter();
      onRun(await makeSweptRun(next, sessionsOf(next.command), leave));
      leave();
    }
  };
  await Promise.all(Array.from({ length: all }, takeRuns));
}

/** So many may be in at a time; who has entered leaves once, however often it says so. */
function makePlaces(count: number): { enter(): Promise<() => void> } {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async enter() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isIn = true;
      return () => {
        if (!isIn) return;
        isIn = false;
        const next = waiting.shift();
        if (next === undefined) free += 1;
        else next();
      };
    },
  };
}
