import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { projectRoot } from "../../support/project.js";

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

const read = (name: string): string => readFileSync(join(projectRoot, "deploy/ci", name), "utf8");

export const githubText = read("github-actions.yml");
const workflow: GithubWorkflow = parse(githubText);
const pipeline: GitlabPipeline = parse(read("gitlab-ci.yml"));

export const gitlabJob = pipeline["copy-sessions"];

/** What each job runs in a shell, step by step, and the variables that it sets. */
export const ciJobs: readonly {
  readonly name: string;
  readonly scripts: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}[] = [
  {
    name: "github-actions.yml",
    scripts: workflow.jobs.copy.steps.flatMap(({ run = [] }) => run),
    variables: workflow.jobs.copy.env,
  },
  { name: "gitlab-ci.yml", scripts: gitlabJob.script, variables: gitlabJob.variables },
];
