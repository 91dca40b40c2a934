import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { html } from "../../../src/report/page/markup.js";

describe("markup: escapes every value", () => {
  const rows: readonly (readonly [name: string, value: string, expected: string])[] = [
    ["a script", "<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"],
    ["the end of an attribute", `" onload="x`, "&quot; onload=&quot;x"],
    ["a single quote", "it's", "it&#39;s"],
    ["an entity", "&lt;", "&amp;lt;"],
    ["plain text", "/srv/a b", "/srv/a b"],
  ];
  for (const [name, value, expected] of rows) {
    it(name, () => {
      assert.equal(html`<p title="${value}">${value}</p>`.text, `<p title="${expected}">${expected}</p>`);
    });
  }

  it("HTML, lists of it, numbers and nothing", () => {
    const items = ["<", ">"].map((text) => html`<li>${text}</li>`);
    assert.equal(html`<ul>${items}</ul>${undefined}${3}${[]}`.text, "<ul><li>&lt;</li><li>&gt;</li></ul>3");
  });
});
