import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { settingEntries } from "../../src/cli/setting-definitions.js";
import { settingsTable } from "../../src/cli/settings-table.js";
import { projectRoot } from "../support/project.js";
import { readmeWithSettings } from "../support/readme-settings.js";

describe("the README's table of settings", () => {
  it("is what the schema says (else: node build/test/update-readme.js)", () => {
    const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
    assert.equal(readme, readmeWithSettings(readme));
  });

  it("names every flag and variable, built or refused", () => {
    const table = settingsTable();
    const missing = settingEntries.filter(
      ([, { flag, variable }]) => !table.includes(flag ?? variable ?? ""),
    );
    assert.deepEqual(
      missing
        .map(([name]) => name)
        .filter((name) => !["sentinelPort", "sentinelPassword", "jobCompletionIndex"].includes(name)),
      [],
    );
  });

  it("has five cells in every row", () => {
    const rows = settingsTable()
      .split("\n")
      .filter((line) => line.startsWith("|"));
    for (const row of rows) assert.equal(row.split(/(?<!\\)\|/).length, 7, row);
  });
});
