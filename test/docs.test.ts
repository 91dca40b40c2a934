import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { parseCommandLine } from "../src/cli/program.js";
import { failureReasons, outcomeKinds } from "../src/model/outcome.js";
import { exitCodes } from "../src/report/exit-code.js";
import { generatedFiles, generatedParts, replacePart } from "./support/generated-parts.js";
import { projectRoot } from "./support/project.js";

const read = (path: string): string => readFileSync(join(projectRoot, path), "utf8");
const paths = [
  "README.md",
  ...readdirSync(join(projectRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `docs/${path}`)
    .sort(),
];
const documents = new Map(paths.map((path) => [path, read(path)]));
const manifest: { readonly version: string; readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  read("package.json"),
);

/** The lines of the code blocks that a shell takes, without comments. */
function shellLines(text: string): string[] {
  return [...text.matchAll(/^```(?:sh|console)\n(.*?)^```$/gms)]
    .flatMap(([, block = ""]) => block.replaceAll("\\\n", " ").split("\n"))
    .map((line) => line.replace(/^\$ /, "").replace(/#.*/, ""));
}

/** What GitHub makes of a heading for links to it. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}

function anchorsIn(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));
}

describe("the documents", () => {
  it("README.md has at most 150 lines", () => {
    assert.ok(read("README.md").split("\n").length <= 151);
  });

  for (const [path, text] of documents) {
    const commands = shellLines(text).flatMap(
      (line) => /(?<=tele-sessions ).*?(?=\||>|$)/.exec(line)?.[0].trim() ?? [],
    );
    for (const command of commands) {
      it(`${path}: tele-sessions ${command}`, () => {
        const words = command.split(/\s+/).map((word) => word.replace(/^'(.*)'$/, "$1"));
        assert.match(
          parseCommandLine(words, "", 80).kind,
          /^(inspect|check|copy|purge|verify|report|stop-after-init)$/,
        );
      });
    }

    it(`${path}: every link leads somewhere`, () => {
      for (const [, target = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(target)) continue;
        const [file = "", anchor] = target.split("#");
        const linked = file === "" ? path : join(dirname(path), file);
        assert.ok(existsSync(join(projectRoot, linked)), target);
        if (anchor !== undefined) assert.ok(anchorsIn(read(linked)).includes(anchor), target);
      }
    });

    it(`${path}: npm scripts exist, and the package has its version`, () => {
      const scripts = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, name = ""]) => name);
      assert.deepEqual(
        scripts.filter((name) => !(name in manifest.scripts)),
        [],
      );
      for (const [, version] of text.matchAll(/tele-sessions[-:](\d+\.\d+\.\d+)/g)) {
        assert.equal(version, manifest.version);
      }
    });

    it(`${path}: no line of prose is longer than 100 columns`, () => {
      const prose = text.replace(/^```.*?^```$/gms, "").split("\n");
      const generated = generatedParts.filter(({ file }) => file === path).map(({ make }) => make());
      const long = prose.filter(
        (line) =>
          line.length > 100 && !/^\||^<!--/.test(line) && !generated.some((part) => part.includes(line)),
      );
      assert.deepEqual(long, []);
    });
  }

  for (const { file, name, make } of generatedParts) {
    it(`${file}: the ${name} are what the code says (else: npm run docs)`, () => {
      assert.equal(read(file), replacePart(read(file), name, make()));
    });
  }
});

for (const { file, make } of generatedFiles) {
  it(`${file} is what the code says (else: npm run docs)`, () => assert.equal(read(file), make()));
}

describe("docs/outcomes.md and docs/exit-codes.md leave nothing out", () => {
  const outcomes = read("docs/outcomes.md");

  it("every reason for failure has a row, in the order of the code", () => {
    const section = outcomes.slice(outcomes.indexOf("| reason |"));
    const rows = [...section.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, reason]) => reason);
    assert.deepEqual(rows, [...failureReasons]);
  });

  it("every outcome is explained, there and in README.md only by words that the program uses", () => {
    for (const kind of outcomeKinds) assert.ok(outcomes.includes(`\`${kind}\``), kind);
    const shown = [...read("README.md").matchAll(/^ +[\d,]+ {2}([a-z]+)/gm)].map(([, kind = ""]) => kind);
    assert.ok(shown.length > 0);
    for (const kind of shown) assert.ok((outcomeKinds as readonly string[]).includes(kind), kind);
  });

  it("every exit code says what to do, in docs/exit-codes.md and in README.md", () => {
    for (const path of ["docs/exit-codes.md", "README.md"]) {
      const text = read(path);
      const advised = [...text.slice(text.indexOf("| exit | what to do")).matchAll(/^\| ([\d, ]+) \|/gm)];
      const codes = advised.flatMap(([, cell = ""]) => cell.split(",").map(Number));
      assert.deepEqual(
        codes.toSorted((one, other) => one - other),
        exitCodes.map(({ code }) => code).toSorted((one, other) => one - other),
        path,
      );
    }
  });
});
