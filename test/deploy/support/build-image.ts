import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, delimiter, dirname, join, relative, resolve } from "node:path";
import { Copy, DockerfileParser, Entrypoint, type Instruction } from "dockerfile-ast";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";

/** What a Dockerfile builds: its last stage, in a temporary directory instead of an image. */
export interface BuiltImage {
  /** The directory that is `/` inside. It holds what the Dockerfile adds to its base image. */
  readonly root: string;
  /** The names of the base images, one for each stage. */
  readonly bases: readonly string[];
  /** The directories of a PATH for what runs inside, ours first. */
  readonly path: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
}

/** Does in a folder what a RUN does in an image. */
export type Replacement = (folder: string) => void;

interface Stage {
  readonly name: string;
  readonly root: string;
  /** Where the next instruction works, as a path inside. */
  folder: string;
  user: string;
  entrypoint: readonly string[];
}

/**
 * Carries out a Dockerfile, without Docker. The programs of this machine, and the Node that runs
 * this, stand for every base image. `instead` replaces a RUN by its text.
 * @throws Error for an instruction or a pattern to ignore that is not known here.
 */
export function buildImage(
  dockerfile: string,
  context: string,
  instead: ReadonlyMap<string, Replacement> = new Map(),
): BuiltImage {
  const stages: Stage[] = [];
  const bases: string[] = [];
  const isIgnored = readIgnored(`${dockerfile}.dockerignore`);
  for (const instruction of DockerfileParser.parse(readFileSync(dockerfile, "utf8")).getInstructions()) {
    const keyword = instruction.getKeyword();
    const words = instruction.getExpandedArguments().map((argument) => argument.getValue());
    const [first = "", , name = String(stages.length)] = words;
    const stage = stages.at(-1);
    if (keyword === "FROM") {
      const root = makeTemporaryDirectory();
      mkdirSync(join(root, "usr/local/bin"), { recursive: true });
      stages.push({ name, root, folder: "/", user: "root", entrypoint: [] });
      bases.push(first);
    } else if (stage === undefined) {
      if (keyword !== "ARG") throw new Error(`${keyword} stands before the first FROM`);
    } else if (keyword === "WORKDIR") {
      stage.folder = resolve(stage.folder, first);
      mkdirSync(join(stage.root, stage.folder), { recursive: true });
    } else if (instruction instanceof Copy) {
      const from = instruction.getFromFlag()?.getValue();
      const source = stages.find((one) => one.name === from)?.root;
      if (from == null) copy(context, words, stage, isIgnored);
      else if (source === undefined) throw new Error(`there is no stage ${from}`);
      else copy(source, words, stage, () => false);
    } else if (keyword === "RUN") {
      run(instruction, stage, instead);
    } else if (keyword === "USER") {
      stage.user = first;
    } else if (instruction instanceof Entrypoint) {
      stage.entrypoint = instruction.getJSONStrings().map((word) => word.getJSONValue());
    } else throw new Error(`${keyword} is not known here`);
  }
  const last = stages.at(-1);
  if (last === undefined) throw new Error("there is no stage");
  return { ...last, bases, path: pathInside(last) };
}

/** Tells whether a build must not see a name at the top of its context. */
function readIgnored(file: string): (path: string) => boolean {
  const patterns = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      if (!/^\*?[\w.-]+\*?$/.test(line)) throw new Error(`${line} is not known here`);
      return new RegExp(`^${line.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
    });
  return (path) => patterns.some((pattern) => pattern.test(path));
}

/** COPY: a directory's content, or files, into a directory. */
function copy(
  from: string,
  words: readonly string[],
  { root, folder }: Stage,
  isIgnored: (path: string) => boolean,
): void {
  const to = words.at(-1) ?? "";
  const target = join(root, resolve(folder, to));
  for (const word of words.slice(0, -1)) {
    const source = join(from, word);
    const isFolder = statSync(source).isDirectory();
    if (!isFolder && to !== "./") throw new Error("a file is copied into ./ here, and nowhere else");
    const names = isFolder ? readdirSync(source) : [basename(source)];
    for (const name of names) {
      const path = isFolder ? join(source, name) : source;
      if (!isIgnored(relative(from, path)))
        cpSync(path, join(target, name), {
          recursive: true,
          preserveTimestamps: true,
          verbatimSymlinks: true,
        });
    }
  }
}

/** RUN: a command of the shell in the stage's folder. A path of its own machine would be one of ours. */
function run(instruction: Instruction, stage: Stage, instead: ReadonlyMap<string, Replacement>): void {
  const command = instruction.getArgumentsContent() ?? "";
  if (/(?:^|\s)\//.test(command)) throw new Error(`RUN has an absolute path: ${command}`);
  const cwd = join(stage.root, stage.folder);
  const replacement = instead.get(command);
  if (replacement !== undefined) {
    replacement(cwd);
    return;
  }
  const environment = { PATH: pathInside(stage), HOME: makeTemporaryDirectory() };
  execFileSync("/bin/sh", ["-c", command], { cwd, env: environment, stdio: "pipe" });
}

function pathInside({ root }: Pick<Stage, "root">): string {
  const own = join(root, "usr/local/bin");
  return [own, dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
}
