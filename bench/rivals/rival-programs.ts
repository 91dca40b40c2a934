import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Program, provideProgram } from "../../test/support/programs/provide-program.js";
import { projectRoot, python } from "../../test/support/project.js";
import { compileNative } from "../native/compile-native.js";

/** The programs that a benchmark needs beside Redis and Node, as paths. */
export interface RivalPrograms {
  /** A Python that has redis-py. */
  readonly python: string;
  /** The folder of the rivals written in Python. */
  readonly rivals: string;
  readonly redisCli: string;
  /** Runs a program and tells what the kernel counted for it. */
  readonly measurer: string;
  /** Reads every file of a session directory. */
  readonly reader: string;
  readonly delayingProxy: string;
  /** A library that makes the opening of session files 2 ms slower where it is preloaded. */
  readonly slowOpen: string;
}

/** Debian's redis-py is for Debian's Python, which need not be the first on the PATH. */
const redisPython = {
  title: "A Python with redis-py",
  names: [python, "/usr/bin/python3"],
  check: ["-c", "import redis"],
  package: "python3-redis",
};
const redisCli = { title: "redis-cli", names: ["redis-cli", "valkey-cli"], package: "redis-tools" };
const compiler = { title: "A C compiler", names: ["cc", "gcc", "clang"], package: "build-essential" };

/** Finds or installs a C compiler and gives its path. Throws an Error of one sentence that says what to install. */
export async function provideCompiler(): Promise<string> {
  return pathOf(compiler);
}

/** Finds or installs what the rivals are made with. Throws an Error of one sentence that says what to install. */
export async function provideRivalTools(): Promise<{ python: string; redisCli: string; compiler: string }> {
  const paths: string[] = [];
  for (const program of [redisPython, redisCli, compiler]) paths.push(await pathOf(program));
  const [pythonPath = "", redisCliPath = "", compilerPath = ""] = paths;
  return { python: await behindShim(pythonPath), redisCli: redisCliPath, compiler: compilerPath };
}

async function pathOf(program: Program): Promise<string> {
  const provided = await provideProgram(program);
  if (provided.kind !== "program") throw new Error(`${program.title} does not come in a container.`);
  return provided.path;
}

/** Provides the programs; what is compiled goes to `directory`. */
export async function provideRivals(directory: string): Promise<RivalPrograms> {
  const { compiler, ...found } = await provideRivalTools();
  const compile = (name: string, flags: readonly string[] = []) => compileNative(compiler, name, directory, flags);
  const [measurer, reader, delayingProxy, slowOpen] = await Promise.all([
    compile("measure_run"),
    compile("read_files"),
    compile("delaying_proxy"),
    compile("slow_open", ["-shared", "-fPIC", "-DDELAY_NS=2000000", "-ldl"]),
  ]);
  return {
    ...{ ...found, rivals: join(projectRoot, "bench", "rivals") },
    ...{ measurer, reader, delayingProxy, slowOpen },
  };
}

/** The interpreter itself: version managers put a script in front of it, whose start would be counted. */
async function behindShim(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ["-c", "import sys; print(sys.executable)"]);
  return stdout.trim();
}
