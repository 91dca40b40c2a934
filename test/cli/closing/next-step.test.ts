import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mendStep, nextStep } from "../../../src/cli/closing/next-step.js";
import { parseCommandLine } from "../../../src/cli/command-line/parse-command-line.js";
import type { RunContext } from "../../../src/library/run-context.js";
import type { ServerWorks } from "../../../src/model/server-evidence.js";
import type { Report } from "../../../src/report/schema/report-schema.js";
import { resolveRunOptions } from "../../../src/settings/resolve-options.js";
import { memoryFiles } from "../../support/memory-files.js";
import { sampleReport } from "../../support/reports/sample-report.js";

type Change = Parameters<typeof sampleReport>[0] & { readonly works?: ServerWorks };

/** A run that was typed like that and came to this report. */
function runOf(line: string, { works = "files", ...change }: Change = {}) {
  const words = line.split(" ");
  const invocation = parseCommandLine(words, "0", 80);
  assert(invocation.kind === "copy" || invocation.kind === "purge" || invocation.kind === "verify");
  const { kind, typed } = invocation;
  const options = resolveRunOptions(kind, typed, { ...memoryFiles({}), environment: { HOME: "/home/tele" } });
  const context: RunContext = { command: kind, task: kind, version: "1" };
  const sample = sampleReport({ sessions: { found: 2 }, ...change });
  const report: Report = { ...sample, target: { ...sample.target, serverWorks: works } };
  return { options, context, report };
}

describe("what follows a run that ended well", () => {
  const rows: readonly (readonly [name: string, line: string, change: Change, next: RegExp])[] = [
    ["a rehearsal: the copy", "copy -n --host r", {}, /^ \| tele-sessions copy --host r$/],
    ["a copy: the switch", "copy", {}, /^switch the server .* the same command again.* Then: \| tele-sessions verify$/],
    ["a copy after the switch: verify", "copy", { works: "redis" }, /^ \| tele-sessions verify$/],
    ["a copy during which sessions kept changing", "copy", { works: "redis", stillChanging: 1 }, /^switch the server/],
    ["copy --purge: nothing", "copy --purge", {}, /^nothing more to do \| $/],
    ["nothing found", "copy", { sessions: { found: 0 } }, /^nothing more to do\. If you expected sessions/],
    ["verify: the rehearsal of a purge", "verify", { works: "redis" }, /^ \| tele-sessions purge --dry-run$/],
    ["verify before the switch", "verify", { works: "files" }, /^switch the server .*: \| tele-sessions copy$/],
    ["verify of a sample: all of it", "verify --sample 5%", {}, /^ \| tele-sessions verify$/],
    ["purge -n: the purge", "purge -n --in-use", {}, /^ \| tele-sessions purge --in-use$/],
    ["purge: nothing", "purge", {}, /^nothing more to do \| $/],
    ["purge that kept what expired", "purge", { sessions: { found: 2, kept: 1 } }, /^in 7 days, run the same command/],
  ];
  for (const [name, line, change, next] of rows) {
    it(name, () => {
      const { say = "", command = "" } = nextStep(runOf(line, change));
      assert.match(`${say} | ${command}`, next);
    });
  }

  it("the pre-deploy step: start the server, or nothing", () => {
    const { options, report } = runOf("copy");
    const context: RunContext = { command: "stop-after-init", task: "copy", version: "1" };
    assert.match(nextStep({ options, report, context }).say ?? "", /^start the server with session_redis/);
    const purge: RunContext = { ...context, task: "purge-unconditionally" };
    assert.equal(nextStep({ options, report, context: purge }).say, "nothing more to do");
  });
});

describe("what mends what a run found", () => {
  const rows: readonly (readonly [name: string, line: string, change: Change, inDoubt: number, mend: RegExp])[] = [
    ["missing", "verify --host r", { sessions: { found: 2, missing: 1 } }, 0, /^ \| tele-sessions copy --host r$/],
    ["a wrong lifetime", "verify", { sessions: { found: 2, "wrong-lifetime": 1 } }, 0, /^ \| tele-sessions copy$/],
    ["different", "verify", { sessions: { found: 2, different: 1 } }, 0, /^ \| tele-sessions copy$/],
    ["in doubt", "verify", { sessions: { found: 2, different: 1 } }, 1, /^copy again with --on-conflict .* \| $/],
    ["failures only", "verify", { sessions: { found: 2, failed: 1 } }, 0, /^nothing$/],
    ["absent", "purge", { sessions: { found: 2, absent: 1 } }, 0, /^ \| tele-sessions copy$/],
    ["kept", "purge", { sessions: { found: 2, kept: 1 } }, 0, /^nothing$/],
  ];
  for (const [name, line, change, inDoubt, expected] of rows) {
    it(name, () => {
      const mend = mendStep(runOf(line, change), inDoubt);
      assert.match(mend === undefined ? "nothing" : `${mend.say ?? ""} | ${mend.command ?? ""}`, expected);
    });
  }
});
