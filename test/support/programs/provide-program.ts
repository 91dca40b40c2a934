import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";

/** A program that the tests need and how to come by it. */
export interface Program {
  /** What a person calls it, in the sentence that asks for it. */
  readonly title: string;
  /** The names it may have on the PATH, the best first; an absolute path is taken as it is. */
  readonly names: readonly string[];
  /** Arguments with which it must end well: for a program of which not every copy will do. */
  readonly check?: readonly string[];
  /** The Debian packages that have it, separated by spaces. */
  readonly package: string;
  /** The service that installing the package would start. */
  readonly service?: string;
  /** The Docker image that has it; absent where a container is of no use. */
  readonly image?: string;
}

/** A program on this machine, or the Docker image that stands in for it. */
export type ProvidedProgram =
  | { readonly kind: "program"; readonly path: string }
  | { readonly kind: "container"; readonly docker: string; readonly image: string };

/** What is known of the machine. Tests give one of their own. */
export interface Machine {
  readonly environment: NodeJS.ProcessEnv;
  readonly isRoot: boolean;
  readonly hasSystemd: boolean;
  /** Shows a line to whoever started the tests. */
  readonly say: (line: string) => void;
}

/** The machine we are on. */
export const thisMachine: Machine = {
  environment: process.env,
  isRoot: process.getuid?.() === 0,
  hasSystemd: existsSync("/run/systemd/system"),
  say: (line) => process.stderr.write(`${line}\n`),
};

/**
 * Finds a program on the PATH, else installs its package where that needs no asking (root, and
 * apt-get at hand; never with `TELE_SESSIONS_NO_INSTALL=1`), else takes a Docker container. Throws
 * an Error of one sentence where none of that can be.
 */
export async function provideProgram(program: Program, machine: Machine = thisMachine): Promise<ProvidedProgram> {
  const path =
    findChecked(program, machine) ?? ((await install(program, machine)) ? findChecked(program, machine) : undefined);
  if (path !== undefined) return { kind: "program", path };

  const docker = program.image === undefined ? undefined : findProgram(["docker"], machine);
  if (program.image !== undefined && docker !== undefined && (await hasImage(docker, program.image, machine))) {
    return { kind: "container", docker, image: program.image };
  }
  const orDocker = program.image === undefined ? "" : ", or start Docker";
  throw new Error(
    `${program.title} is missing: put ${program.names.join(" or ")} on the PATH ` +
      `(Debian, Ubuntu: apt-get install ${program.package}; other systems: the package of that name)${orDocker}.`,
  );
}

function findChecked({ names, check }: Program, machine: Machine): string | undefined {
  const { environment: env } = machine;
  return findPrograms(names, machine).find(
    (path) => check === undefined || spawnSync(path, check, { env, stdio: "ignore" }).status === 0,
  );
}

function findProgram(names: readonly string[], machine: Machine): string | undefined {
  return findPrograms(names, machine)[0];
}

function findPrograms(names: readonly string[], { environment }: Machine): readonly string[] {
  const directories = (environment["PATH"] ?? "").split(delimiter).filter((directory) => directory !== "");
  return names
    .flatMap((name) => (isAbsolute(name) ? [name] : directories.map((directory) => join(directory, name))))
    .filter(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

async function install(program: Program, machine: Machine): Promise<boolean> {
  const aptGet = findProgram(["apt-get"], machine);
  const forbidden = (machine.environment["TELE_SESSIONS_NO_INSTALL"] ?? "") !== "";
  if (aptGet === undefined || !machine.isRoot || forbidden) return false;

  // Two ways to keep a service from starting, for the two kinds of init: a runlevel, and a mask
  // that a reboot would end.
  const quiet = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const systemctl = machine.hasSystemd ? findProgram(["systemctl"], machine) : undefined;
  const masked = systemctl !== undefined && program.service !== undefined;
  const { service = "" } = program;
  if (masked) await run([systemctl, "mask", "--runtime", service], {}, machine);
  try {
    return (
      (await run([aptGet, "update"], quiet, machine)) &&
      (await run([aptGet, "install", "-y", "--no-install-recommends", ...program.package.split(" ")], quiet, machine))
    );
  } finally {
    if (masked) await run([systemctl, "unmask", "--runtime", service], {}, machine);
  }
}

async function hasImage(docker: string, image: string, machine: Machine): Promise<boolean> {
  return (
    (await run([docker, "image", "inspect", image], {}, { ...machine, say: () => undefined })) ||
    (await run([docker, "pull", image], {}, machine))
  );
}

/**
 * Says the command, runs it without input, and tells whether it succeeded; what it writes is shown
 * where it did not.
 */
function run(
  command: readonly string[],
  variables: Readonly<Record<string, string>>,
  { environment, say }: Machine,
): Promise<boolean> {
  const [program = "", ...args] = command;
  say([...Object.entries(variables).map(([name, value]) => `${name}=${value}`), ...command].join(" "));
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...environment, ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const written: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => written.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => written.push(chunk));
    child.once("error", () => resolve(false));
    child.once("close", (code) => {
      if (code !== 0) say(Buffer.concat(written).toString().trimEnd());
      resolve(code === 0);
    });
  });
}
