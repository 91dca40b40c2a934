import type { RunContext } from "../../library/run-context.js";
import { countText } from "../../model/number-text.js";
import type { RunOptions } from "../../model/run-options.js";
import type { Report } from "../../report/schema/report-schema.js";
import { commandText, sameCommandText } from "./command-text.js";
import type { NextStep } from "./last-line.js";

const done: NextStep = { say: "nothing more to do" };

/** A run with its report. */
export interface ReportedRun {
  readonly options: RunOptions;
  readonly context: RunContext;
  readonly report: Report;
}

/** What follows a run that ended well: copy, switch the server, copy again, verify, purge. */
export function nextStep({ options, context, report }: ReportedRun): NextStep {
  const { shown, source, run, removal } = options;
  const { command, task } = context;
  const { sessions, target } = report;
  if (command === "stop-after-init") {
    const isSwitched = task === "copy" && !run.dryRun && sessions.found > 0;
    return isSwitched ? { say: "start the server with session_redis: it finds its sessions in Redis" } : done;
  }
  if (sessions.found === 0) {
    if (source.shard !== null) return done;
    if (task === "export" || task === "verify-reverse") {
      return { say: "nothing more to do. If you expected sessions, look at --db, --prefix and --key-layout" };
    }
    return { say: "nothing more to do. If you expected sessions, name their directory with --session-dir" };
  }
  if (run.dryRun) return { command: sameCommandText(command, shown) };
  if (task === "export") return { command: commandText("verify", shown, ["--reverse"]) };
  if (task === "verify-reverse") {
    return { say: "stop the server, export once more, and start it without session_redis" };
  }
  switch (command) {
    case "export":
      return done;
    case "copy":
      return afterCopy(options, report);
    case "verify":
      if (source.sample !== null) return { command: commandText("verify", shown) };
      if (target.serverWorks === "files") {
        const say =
          `${afterShards(options)}switch the server to session_redis, then copy again: it picks up what was ` +
          "saved meanwhile:";
        return { say, command: commandText("copy", shown) };
      }
      return { command: commandText("purge", shown, ["--dry-run"]) };
    case "purge":
      // Only what expired less than 7 days ago may be kept by a run that ended well.
      return (sessions.kept ?? 0) > 0 && !removal.unverified
        ? {
            say: "in 7 days, run the same command again: it removes the files of expired sessions that are left",
          }
        : done;
  }
}

/** The server is switched once for all shards. */
function afterShards({ source: { shard } }: RunOptions): string {
  return shard === null ? "" : `once all ${countText(shard.count)} shards have ended well: `;
}

function afterCopy(options: RunOptions, { target, stillChanging }: Report): NextStep {
  const { shown, removal } = options;
  if (removal.purge) return done;
  const verify = commandText("verify", shown);
  if (target.serverWorks === "redis" && stillChanging === 0) return { command: verify };
  return {
    say:
      `${afterShards(options)}switch the server to session_redis, then run the same command again: ` +
      "it picks up what was saved meanwhile. Then:",
    command: verify,
  };
}

/** What mends the differences that a verification found, or what a purge left; undefined if nothing does. */
export function mendStep({ options, context, report }: ReportedRun, inDoubt: number): NextStep | undefined {
  const { sessions } = report;
  const { missing = 0, different = 0, absent = 0 } = sessions;
  const wrong = sessions["wrong-lifetime"] ?? 0;
  const copy = commandText("copy", options.shown);
  if (context.task === "verify-reverse" && missing + wrong + different > 0) {
    return { command: commandText("export", options.shown) };
  }
  if (context.task === "verify" && missing + wrong + different > 0) {
    return missing + wrong === 0 && different <= inDoubt
      ? { say: "copy again with --on-conflict overwrite or keep: the warning says which" }
      : { command: copy };
  }
  return absent > 0 ? { command: copy } : undefined;
}
