import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseKeyLayout } from "../../../src/migrate/preflight/choose-key-layout.js";
import type { KeyLayoutsSeen, KeyPrefixes } from "../../../src/redis/key-layouts-seen.js";

const unasked = () => {
  throw new Error("Redis was asked");
};
const seen =
  (documented: boolean, applet: boolean, cutShort = false) =>
  async (): Promise<KeyLayoutsSeen> => ({
    documented,
    applet,
    cutShort,
  });

describe("choose-key-layout (spec.md section 4, Keys)", () => {
  for (const keyLayout of ["documented", "applet"] as const) {
    for (const prefix of [null, "p"]) {
      it(`${keyLayout} named, ${prefix ?? "no"} prefix: taken, unasked`, async () =>
        assert.deepEqual(await chooseKeyLayout({ prefix, keyLayout }, unasked), {
          layout: keyLayout,
          evidence: "named",
        }));
    }
  }

  it("no prefix: both are one, unasked and without a warning", async () =>
    assert.deepEqual(await chooseKeyLayout({ prefix: null, keyLayout: "auto" }, unasked), {
      layout: "documented",
      evidence: "none",
    }));

  for (const layout of ["documented", "applet"] as const) {
    for (const cutShort of [false, true]) {
      it(`keys under ${layout} only${cutShort ? ", the look cut short" : ""}: that one`, async () => {
        const look = seen(layout === "documented", layout === "applet", cutShort);
        assert.deepEqual(await chooseKeyLayout({ prefix: "p", keyLayout: "auto" }, look), {
          layout,
          evidence: "found",
        });
      });
    }
  }

  it("Redis is asked about both", async () => {
    const asked: KeyPrefixes[] = [];
    await chooseKeyLayout({ prefix: "p:q", keyLayout: "auto" }, async (prefixes) => {
      asked.push(prefixes);
      return { documented: true, applet: false, cutShort: false };
    });
    assert.deepEqual(asked, [{ documented: "session:p:q:", applet: "session::p:q:" }]);
  });

  it("SCAN is denied: refused, naming it and --key-layout", async () => {
    const choice = await chooseKeyLayout({ prefix: "p", keyLayout: "auto" }, async () => undefined);
    assert("refusal" in choice);
    assert.match(choice.refusal.found, /SCAN/);
    assert.match(choice.refusal.remedy, /--key-layout documented or --key-layout applet/);
  });

  it("keys under both: refused, naming the flag and both", async () => {
    const choice = await chooseKeyLayout({ prefix: "p", keyLayout: "auto" }, seen(true, true));
    assert(choice.evidence === "both");
    for (const part of ["session:p:", "session::p:", "--key-layout documented", "--key-layout applet"])
      assert(`${choice.refusal.found}. ${choice.refusal.remedy}`.includes(part), part);
  });

  for (const cutShort of [false, true]) {
    it(`no keys${cutShort ? " in ten seconds" : ""}: documented, with a warning that names the other`, async () => {
      const choice = await chooseKeyLayout({ prefix: "p", keyLayout: "auto" }, seen(false, false, cutShort));
      assert("layout" in choice && choice.evidence === "none");
      const { layout } = choice;
      const warning = `${choice.warning?.found}. ${choice.warning?.remedy}`;
      assert.equal(layout, "documented");
      for (const part of ["session:p:<sid>", "session::p:<sid>", "--key-layout documented", "--key-layout applet"])
        assert(warning.includes(part), part);
      assert.equal(/ten seconds/.test(warning), cutShort);
    });
  }
});
