import { exitCodes } from "../../src/report/exit-code.js";

/** What a Job does about a pod that ended with an exit code. */
export type JobAction = "FailJob" | "FailIndex" | "Count";

/** What our Jobs do about an exit code; undefined for 0. In an Indexed Job each pod has an index. */
export function jobActionOf(exitCode: number, isIndexed: boolean): JobAction | undefined {
  const job = exitCodes.find(({ code }) => code === exitCode)?.job;
  if (job === "done") return undefined;
  if (job === "retry") return "Count";
  // How many sessions fail is up to the part of them that a pod copies. All else would fail every pod.
  return exitCode === 1 && isIndexed ? "FailIndex" : "FailJob";
}

/** The table of exit codes and rules in the documents. */
export function jobRulesTable(): string {
  const rows = exitCodes
    .filter(({ job }) => job !== "done")
    .toSorted((one, other) => one.code - other.code)
    .map(({ code, meaning }) => [code, meaning, jobActionOf(code, false), jobActionOf(code, true)]);
  const others = [
    ["any other", "killed, for one: 137, by SIGKILL or for want of memory", "Count", "Count"],
    ["of a pod that is disrupted", "if `Count` is above: it was drained, evicted or preempted", "Ignore", "Ignore"],
  ];
  return [["exit code", "what it means", "Job", "Indexed Job"], ["---", "---", "---", "---"], ...rows, ...others]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n")
    .replaceAll(/--[a-z]+[a-z-]*/g, "`$&`");
}
