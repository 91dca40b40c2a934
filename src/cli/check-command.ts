import { checkSetup } from "../migrate/preflight/check-setup.js";
import { type Check, messageOf } from "../model/check.js";
import type { RunOptions } from "../model/run-options.js";
import { shardText } from "../model/shard.js";
import { maxLineLength, showable, showablePath } from "../model/showable.js";
import { type CheckSection, checkScreen, checkVerdict } from "../report/check-screen.js";
import { explainError, explainExitCode, worstOf } from "../report/exit-code.js";
import { textStyle } from "../report/text-style.js";
import { wrapText } from "../report/wrap-text.js";
import { commandText } from "./closing/command-text.js";
import { EndFiles, finishEndFiles } from "./closing/end-files.js";
import { exitLine, stepLine } from "./closing/last-line.js";
import { isColored, screenColumns } from "./screen.js";

const helpPage = "docs/checks.md";

/** Each of them says where Redis is. */
const redisSettings = ["--sentinel", "TELE_SESSION_REDIS_SENTINEL_HOST", "--url", "--host", "--port", "--db"];

/** Runs `check`. Returns the exit code that the run would have. */
export async function checkCommand(options: RunOptions, version: string): Promise<number> {
  const { output, removal, source } = options;
  const endFiles = new EndFiles();
  endFiles.open(output);
  const startedMs = performance.now();
  const setup = await checkSetup(options, new AbortController().signal);
  const { directories, redis, ofDirectories, ofRedis, ofServer } = setup;
  const all = [...ofDirectories, ...ofRedis, ...ofServer];
  // A run whose directories cannot be used does not ask Redis.
  const codesOf = (checks: readonly Check[]) => worstOf(checks.flatMap(({ exitCode = [] }) => exitCode));
  const begins = !ofDirectories.some(({ verdict, stopsLate }) => verdict === "fail" && !stopsLate);
  const judged = codesOf(begins ? all : ofDirectories);
  const style = textStyle(isColored(output));
  const run = removal.purge ? "copy --purge" : "copy";
  const lines: string[] = [];
  if (output.quiet) {
    lines.push(
      ...all
        .filter(isShownQuiet)
        .map((check) => `${check.verdict === "fail" ? "error" : "warning"}: ${messageOf(check)}`),
    );
  } else {
    const sections: readonly CheckSection[] = [
      {
        heading: `Session directory  ${directories.map(showablePath).join(", ")}`,
        origin: originOf(options, ["--session-dir"]),
        checks: ofDirectories,
      },
      {
        heading: `Redis  ${redis}`,
        origin: originOf(options, redisSettings),
        checks: ofRedis.map((check) => withPasswordOrigin(check, options)),
      },
      { heading: "What the server will read", origin: null, checks: ofServer },
    ];
    const columns = screenColumns();
    lines.push(`${checkScreen(sections, columns, style)}\n`, wrapText("", checkVerdict(all, run), columns, 0));
  }
  const more = removal.purge ? ["--purge"] : [];
  const next = stepLine({ command: commandText("copy", options.shown, more) });
  const told = all.filter(({ verdict }) => verdict !== "ok");
  const { exitCode, errors } = finishEndFiles(endFiles, {
    ...{ command: "check", version, dryRun: false, exitCode: judged },
    shards: source.shard === null ? [] : [shardText(source.shard)],
    seconds: (performance.now() - startedMs) / 1000,
    words: {
      errors: told.filter(({ verdict }) => verdict === "fail").map(messageOf),
      summary: checkVerdict(all, run),
      end: judged === 0 ? next : `Exit ${judged}: not ready`,
    },
    warnings: told.filter(({ verdict }) => verdict === "warn").map(messageOf),
  });
  lines.push(...errors.map((error) => `error: ${explainError(error)}`));
  if (exitCode !== 0) {
    const why = judged === 0 ? explainExitCode(exitCode).meaning : "not ready";
    lines.push(exitLine(exitCode, output.quiet ? checkVerdict(all, run) : why, style));
  } else if (!output.quiet) lines.push(next);
  if (lines.length > 0) process.stderr.write(`${lines.join("\n")}\n`);
  if (output.json) {
    const { outcome } = explainExitCode(exitCode);
    const checks = all.map(jsonOf);
    const facts = { tool: "tele-sessions", version, command: "check", purge: removal.purge, outcome, exitCode };
    process.stdout.write(
      `${JSON.stringify({ ...facts, directories: directories.map(showablePath), redis, checks })}\n`,
    );
  }
  return exitCode;
}

/** The flag, variable or file that gave the first of these settings that somebody gave. */
function originOf({ shown }: RunOptions, names: readonly string[]): string {
  const given = shown.find(({ name, origin }) => names.includes(name) && origin !== "default");
  return given?.origin ?? "the default";
}

/** Says where the password came from. */
function withPasswordOrigin(check: Check, options: RunOptions): Check {
  if (check.name !== "login" || options.target.redis.password === undefined) return check;
  const names = ["--password-file", "TELE_SESSION_REDIS_PASSWORD", "--url"];
  return { ...check, found: `${check.found}  (${originOf(options, names)})` };
}

function isShownQuiet({ verdict, evenIfQuiet }: Check): boolean {
  return verdict === "fail" || (verdict === "warn" && evenIfQuiet === true);
}

function jsonOf({ name, title, verdict, found, remedy }: Check): object {
  const text = (sentence: string) => showable(sentence, maxLineLength);
  const help = verdict === "ok" ? null : `${helpPage}#${name.replace(" ", "-")}`;
  const setting = title === undefined ? {} : { setting: title };
  return {
    name,
    ...setting,
    verdict,
    found: text(found),
    remedy: remedy === null ? null : text(remedy),
    help,
  };
}
