import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../../test/support/project.js";

/**
 * Compiles `bench/native/<name>.c` into `directory` and gives the path of what came of it. Throws
 * with the compiler's words.
 */
export async function compileNative(
  compiler: string,
  name: string,
  directory: string,
  flags: readonly string[],
): Promise<string> {
  const path = join(directory, name);
  const source = join(projectRoot, "bench", "native", `${name}.c`);
  await promisify(execFile)(compiler, ["-O2", "-o", path, source, ...flags]);
  return path;
}
