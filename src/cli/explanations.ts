import { availableParallelism } from "node:os";
import { countOf, countText } from "../model/number-text.js";
import type { RunOptions, ShownSetting } from "../model/run-options.js";
import { showablePath } from "../model/showable.js";
import { wrapText } from "../report/wrap-text.js";
import type { Listing } from "../source/list-sessions.js";

/** The settings of a run: first those that somebody gave, with what gave them, then the defaults. */
export function settingsText(shown: readonly ShownSetting[], columns: number): string {
  const given = shown.filter(({ origin }) => origin !== "default");
  const width = Math.max(0, ...given.map(({ name }) => name.length));
  const lines = given.map(({ name, value, origin }) => {
    const source = origin === name ? "flag" : origin;
    return wrapText(`  ${name.padEnd(width)}  `, `${value}  (${source})`, columns);
  });
  const defaults = shown.flatMap(({ name, value, origin }) =>
    origin === "default" ? [`${name} ${value}`] : [],
  );
  return ["settings", ...lines, wrapText("  by default: ", defaults.join(", "), columns, 4)].join("\n");
}

/** `2,010 session files in /srv/s`, for each directory. */
export function listingText({ directories, isComplete }: Listing): string {
  const found = directories.map(({ directory, count, ofAllShards }) => {
    const all = count === ofAllShards ? "" : `, of ${countText(ofAllShards)} in all shards,`;
    return `${countOf(count, "session file")}${all} in ${showablePath(directory)}`;
  });
  return `listed ${found.join(", ") || "nothing"}${isComplete ? "" : " before the run was stopped"}`;
}

/** How many threads read, and why. */
export function threadsText({ run: { lanes, maxRate } }: RunOptions, count: number): string {
  const processors = countOf(availableParallelism(), "processor");
  const reason =
    lanes !== null
      ? "--lanes asks for it"
      : count > 1
        ? `there are ${processors} and many files`
        : maxRate !== null
          ? "--max-rate is set"
          : `with ${processors} and this many files, more would be no faster`;
  return `${countOf(count, "thread")}: ${reason}`;
}
