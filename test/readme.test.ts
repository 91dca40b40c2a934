import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parseCommandLine } from "../src/cli/program.js";
import { failureReasons, outcomeKinds } from "../src/model/outcome.js";
import { projectRoot } from "./support/project.js";

const readme = readFileSync(join(projectRoot, "README.md"), "utf8");
const manifest: { readonly version: string; readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync(join(projectRoot, "package.json"), "utf8"),
);
const blocks = [...readme.matchAll(/^```(?:sh|console)\n(.*?)^```$/gms)].map(([, text = ""]) => text);
const lines = blocks
  .flatMap((text) => text.replaceAll("\\\n", " ").split("\n"))
  .map((line) => line.replace(/^\$ /, "").replace(/#.*/, ""));

describe("README.md", () => {
  const commands = lines.flatMap((line) => /(?<=tele-sessions ).*?(?=\||>|$)/.exec(line)?.[0].trim() ?? []);
  it("shows some commands", () => assert(commands.length >= 5));
  for (const command of commands) {
    it(`tele-sessions ${command}`, () => {
      const words = command.split(/\s+/).map((word) => word.replace(/^'(.*)'$/, "$1"));
      assert.match(
        parseCommandLine(words, { version: "", columns: 80 }).kind,
        /^(copy|purge|verify|stop-after-init)$/,
      );
    });
  }

  it("names only npm scripts that there are, and the package as it is called", () => {
    const scripts = [...readme.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
    assert.deepEqual(
      scripts.filter((name) => !(name in manifest.scripts)),
      [],
    );
    for (const [, version] of readme.matchAll(/tele-sessions[-:](\d+\.\d+\.\d+)/g)) {
      assert.equal(version, manifest.version);
    }
  });

  it("explains every reason of failure", () => {
    const section = readme.slice(
      readme.indexOf("| reason |"),
      readme.indexOf("Where the reader is stricter"),
    );
    const rows = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, reason]) => reason);
    assert.deepEqual(rows, [...failureReasons]);
  });

  it("says what becomes of a session in words that the program uses", () => {
    const shown = [...readme.matchAll(/^ +[\d,]+ {2}([a-z]+)/gm)].map(([, kind = ""]) => kind);
    assert(shown.length > 0);
    for (const kind of shown) assert((outcomeKinds as readonly string[]).includes(kind), kind);
  });
});
