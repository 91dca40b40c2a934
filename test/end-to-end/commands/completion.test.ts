import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { settingEntries } from "../../../src/settings/definitions.js";
import { directoryCommands } from "../../../src/settings/setting-definition.js";
import { completers } from "../../support/documents/shell-completions.js";
import { runCommand } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";

const top = makeTemporaryDirectory();
mkdirSync(join(top, "sessions"));
writeFileSync(join(top, "copy.json"), "");
const commands = [...directoryCommands, "report", "help", "completion"];

/** What is offered at the end of a line: all of these, and none of those. */
interface Row {
  readonly line: string;
  readonly exactly?: readonly string[];
  readonly offers?: readonly string[];
}

const rows: readonly Row[] = [
  { line: "tele-sessions ", exactly: commands },
  { line: "tele-sessions cop", exactly: ["copy"] },
  { line: "tele-sessions --host copy ver", exactly: ["verify"] },
  { line: "tele-sessions --stop", exactly: ["--stop-after-init"] },
  { line: "tele-sessions copy --shard", exactly: ["--shard", "--shard-count"] },
  { line: "tele-sessions copy --ttl ", exactly: ["full", "remaining"] },
  { line: "tele-sessions copy --on-conflict n", exactly: ["newest"] },
  { line: "tele-sessions copy --host ", exactly: [] },
  { line: "tele-sessions purge --un", exactly: ["--unverified"] },
  { line: "tele-sessions purge --port 1 --wait", exactly: ["--wait-replicas"] },
  { line: "tele-sessions copy --unv", exactly: [] },
  { line: "tele-sessions inspect --url", exactly: [] },
  {
    line: "tele-sessions copy --sentinel",
    offers: ["--sentinel", "--sentinel-master", "--sentinel-password-file"],
  },
  { line: "tele-sessions help ex", exactly: ["exit-codes", "export"] },
  { line: "tele-sessions completion ", exactly: ["bash", "zsh", "fish"] },
  { line: `tele-sessions report ${top}/co`, offers: [`${top}/copy.json`] },
  { line: `tele-sessions copy --report ${top}/co`, offers: [`${top}/copy.json`] },
  { line: `tele-sessions copy --session-dir ${top}/se`, offers: [`${top}/sessions`] },
];

for (const shell of ["bash", "zsh", "fish"] as const) {
  describe(`completion ${shell}`, { concurrency: 2 }, async () => {
    const { stdout, stderr, exitCode } = await runCommand(["completion", shell]);
    assert.deepEqual([exitCode, stderr], [0, ""]);
    const complete = await completers[shell](stdout);

    for (const { line, exactly, offers = [] } of rows) {
      it(line.replace(top, ""), async () => {
        // A directory may come with its slash.
        const offered = (await complete(line)).map((one) => one.replace(/\/$/, ""));
        if (exactly !== undefined) assert.deepEqual([...offered].sort(), [...exactly].sort());
        for (const one of offers) assert.ok(offered.includes(one), offered.join(" "));
      });
    }

    it("--flag=value", async () => {
      const prefix = shell === "bash" ? "" : "--ttl=";
      assert.deepEqual(await complete("tele-sessions copy --ttl=r"), [`${prefix}remaining`]);
    });

    it("every flag of every command, and no other", async () => {
      for (const command of ["copy", "inspect"] as const) {
        const offered = (await complete(`tele-sessions ${command} --`)).filter((one) => one.startsWith("--"));
        const flags = settingEntries.flatMap(([, { flag, commands: takers }]) =>
          flag !== undefined && takers.includes(command) ? [flag] : [],
        );
        assert.deepEqual([...new Set(offered)].sort(), [...flags, "--help"].sort());
      }
    });
  });
}

describe("completion: what it refuses", () => {
  for (const [args, says] of [
    [[], /^error: name the shell: tele-sessions completion bash, zsh or fish$/m],
    [["tcsh"], /^error: completion takes bash, zsh, fish$/m],
    [["bash", "zsh"], /^error: too many arguments/m],
  ] as const) {
    it(["completion", ...args].join(" "), async () => {
      const { exitCode, stdout, stderr } = await runCommand(["completion", ...args]);
      assert.deepEqual([exitCode, stdout], [2, ""]);
      assert.match(stderr, says);
    });
  }
});
