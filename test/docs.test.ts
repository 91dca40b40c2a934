import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { failureReasons, outcomeKinds } from "../src/model/outcome.js";
import { exitCodes } from "../src/report/exit-code.js";
import type { Report } from "../src/report/schema/report-schema.js";
import { summaryText } from "../src/report/summary/summary.js";
import { textStyle } from "../src/report/text-style.js";
import { settingEntries } from "../src/settings/definitions.js";
import { checkCommandLine, commandsIn } from "./support/documents/command-lines.js";
import { generatedFiles, generatedParts, replacePart } from "./support/documents/generated-parts.js";
import { provideTool } from "./support/programs/provide-tools.js";
import { projectRoot } from "./support/project.js";
import { sampleReport } from "./support/reports/sample-report.js";

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

/** The code blocks that a shell takes, without comments. */
function shellScripts(text: string): string[] {
  return [...text.matchAll(/^```(?:sh|console)\n(.*?)^```$/gms)].map(([, block = ""]) =>
    block.replaceAll(/^\$ /gm, "").replaceAll(/#.*/g, ""),
  );
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
    for (const words of shellScripts(text).flatMap(commandsIn))
      it(`${path}: tele-sessions ${words.join(" ")}`, () => checkCommandLine(words));

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
        (line) => line.length > 100 && !/^\||^<!--/.test(line) && !generated.some((part) => part.includes(line)),
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

describe("docs/tele-sessions.1", () => {
  it("groff has nothing to say against it, and it shows every flag", async () => {
    const groff = await provideTool("groff");
    const page = join(projectRoot, "docs", "tele-sessions.1");
    const { stdout, stderr, status } = spawnSync(groff, ["-man", "-Tutf8", "-P-c", "-ww", page], {
      encoding: "utf8",
    });
    assert.deepEqual([status, stderr], [0, ""]);
    const shown = stdout.replaceAll(/.[\b]/g, "");
    for (const [, { flag }] of settingEntries) {
      if (flag !== undefined) assert.match(shown, new RegExp(`^ {7}(-\\w, )?${flag}\\b`, "m"));
    }
  });

  it("is what man finds after an installation", () => {
    const { man, files }: { man: string; files: readonly string[] } = JSON.parse(read("package.json"));
    assert.deepEqual([man, files.includes("docs")], ["docs/tele-sessions.1", true]);
  });
});

describe("docs/outcomes.md and docs/exit-codes.md leave nothing out", () => {
  it("every outcome, difference and reason for failure has a heading, in the order of the code", () => {
    const headings = [...read("docs/outcomes.md").matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    assert.deepEqual(headings, [...outcomeKinds, ...failureReasons]);
  });

  it("every exit code has a heading", () => {
    const headings = [...read("docs/exit-codes.md").matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
    const codes = exitCodes.map(({ code }) => code).toSorted((one, other) => one - other);
    assert.deepEqual(
      headings,
      codes.map((code) => `Exit ${code}`),
    );
  });

  it("README.md shows a summary as the program writes it", () => {
    const sessions = { found: 10_000, copied: 9990, expired: 10 };
    const sample = sampleReport({ listed: 10_000, sessions, seconds: 1.6, sessionsPerSecond: 6281 });
    const report: Report = {
      ...sample,
      source: { ...sample.source, directories: ["/var/lib/tele/sessions"] },
      target: { ...sample.target, redis: "redis.example:6379/0" },
    };
    const silent = { reportPath: null, purges: false, memoryNeeded: null, notes: [] };
    const text = summaryText({ command: "copy", report, ...silent }, 80, textStyle(false));
    const readme = read("README.md").split("\n");
    for (const line of text.split("\n").slice(0, 4)) assert.ok(readme.includes(line), line);
  });

  it("every exit code says what to do in README.md", () => {
    const text = read("README.md");
    const advised = [...text.slice(text.indexOf("| exit | what to do")).matchAll(/^\| ([\d, ]+) \|/gm)];
    const codes = advised.flatMap(([, cell = ""]) => cell.split(",").map(Number));
    assert.deepEqual(
      codes.toSorted((one, other) => one - other),
      exitCodes.map(({ code }) => code).toSorted((one, other) => one - other),
    );
  });
});
