import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { CommandResult } from "../../../support/process/command.js";
import type { SetUp } from "./set-up.js";
import { SetUpGround } from "./set-up-ground.js";

/** A check in the JSON of `check`. */
interface ShownCheck {
  readonly name: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly found: string;
  readonly remedy: string | null;
  readonly help: string | null;
}

/**
 * Makes a broken set-up and has `check` find it. `full`: compares the exit code with those of dry
 * runs and runs, mends it as the remedy says, and has `check` find nothing more to fix.
 */
export async function playSetUp(t: TestContext, setUp: SetUp, full: boolean): Promise<void> {
  const ground = new SetUpGround(t);
  await setUp.make(ground);
  const check = ["check", ...(setUp.purges ? ["--purge"] : []), "--json"];
  const seen = await ground.run(check);
  const line = judgeCheck(seen, setUp);
  if (!full) return;

  const runs = setUp.purges
    ? [["copy", "--purge", "--dry-run"], ["copy", "--purge"], ["purge", "--dry-run"], ["purge"]]
    : [["copy", "--dry-run"], ["copy"]];
  for (const command of runs) {
    const { exitCode, stderr } = await ground.run([...command, ...(setUp.purges ? ["--retry-for", "1s"] : [])]);
    assert.equal(exitCode, setUp.exit, `${command.join(" ")}: ${stderr}`);
    if (setUp.purges && setUp.exit === 0) ground.fill();
  }

  await setUp.mend(ground, line.remedy ?? "");
  const mended = await ground.run(check);
  assert.equal(mended.exitCode, 0, mended.stderr);
  const lines = checksOf(mended).filter(({ name }) => name === setUp.check);
  assert.deepEqual(
    lines.map(({ verdict }) => verdict),
    ["ok"],
    mended.stderr,
  );
  assert.match(mended.stderr, /\nNext {2}tele-sessions copy /);
}

/** Holds the screen and the JSON of `check` to the row. */
function judgeCheck(result: CommandResult, { check, found, remedy, exit }: SetUp): ShownCheck {
  const { exitCode, stderr } = result;
  const words = stderr.replace(/\s+/g, " ");
  assert.equal(exitCode, exit, stderr);
  const lines = checksOf(result).filter((one) => one.name === check && one.verdict !== "ok");
  const [line] = lines;
  assert.ok(line !== undefined && lines.length === 1, stderr);
  assert.equal(line.verdict, exit === 0 ? "warn" : "fail", stderr);
  assert.match(line.found, found);
  assert.match(line.remedy ?? "", remedy);
  assert.equal(line.help, `docs/checks.md#${check.replace(" ", "-")}`);
  const verdict = exit === 0 ? "warn" : "FAIL";
  assert.ok(words.includes(`${verdict} ${check} ${line.found}`), stderr);
  assert.ok(words.toLowerCase().includes((line.remedy ?? "").toLowerCase()), stderr);
  for (const one of stderr.split("\n")) assert.ok(one.length <= 80 || /\S{50,}/.test(one), one);
  assert.match(stderr, exit === 0 ? /\nNext {2}tele-sessions copy / : new RegExp(`\\nExit ${exit}: not ready\\n$`));
  return line;
}

function checksOf({ stdout, stderr }: CommandResult): readonly ShownCheck[] {
  assert.match(stdout, /^\{.*\}\n$/, stderr);
  const report: { tool: string; command: string; checks: readonly ShownCheck[] } = JSON.parse(stdout);
  assert.deepEqual([report.tool, report.command], ["tele-sessions", "check"]);
  return report.checks;
}
