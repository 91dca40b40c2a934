import type { Machine } from "../../src/settings/machine.js";

/** A machine without an environment. */
export type MachineFiles = Omit<Machine, "environment">;

/** A machine that has just these files, `/home/tele` and an account that lives there. */
export function memoryFiles(
  files: Readonly<Record<string, string | Buffer>>,
  {
    homeExists = true,
    accountHome = "/home/tele" as string | null,
    directories = [] as readonly string[],
    hasWorkingDirectory = true,
  } = {},
): MachineFiles {
  return {
    readFile: (path) => {
      const content = files[path];
      if (content === undefined)
        throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), {
          code: "ENOENT",
        });
      return Buffer.from(content);
    },
    isDirectory: (path) => (homeExists && path === "/home/tele") || directories.includes(path),
    accountHome: () => accountHome,
    hasWorkingDirectory: () => hasWorkingDirectory,
  };
}
