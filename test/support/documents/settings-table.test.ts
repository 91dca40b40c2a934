import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settingEntries } from "../../../src/settings/definitions.js";
import { settingsTable } from "./settings-table.js";

describe("the table of settings", () => {
  it("names every flag and variable", () => {
    const table = settingsTable();
    const missing = settingEntries.filter(([, { flag, variable }]) => !table.includes(flag ?? variable ?? ""));
    assert.deepEqual(missing, []);
  });

  it("has five cells in every row", () => {
    const rows = settingsTable()
      .split("\n")
      .filter((line) => line.startsWith("|"));
    for (const row of rows) assert.equal(row.split(/(?<!\\)\|/).length, 7, row);
  });
});
