import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { projectRoot, python } from "../project.js";

const howToInstall = "install Python 3.9 or later (Debian: apt-get install python3), or name one in PYTHON";

/**
 * The standard output of a Python script of `test/python`, piece by piece. Throws where Python is
 * absent or the script fails.
 */
export async function* outputOfPython(script: string, scriptArguments: readonly string[]): AsyncGenerator<Buffer> {
  const path = join(projectRoot, "test", "python", script);
  const child = spawn(python, ["-B", path, ...scriptArguments], {
    // The order of a set's items is part of what a seed must bring back.
    env: { ...process.env, PYTHONHASHSEED: "0" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  await once(child, "spawn").catch((error: unknown) => {
    throw new Error(`${python} does not start (${String(error)}): ${howToInstall}`);
  });
  const closed = once(child, "close");
  const complaint = textOf(child.stderr);
  try {
    yield* child.stdout;
    const [code, signal] = await closed;
    if (code !== 0) throw new Error(`${script} ended with ${code ?? signal}: ${(await complaint).slice(-2000)}`);
  } finally {
    child.kill();
  }
}

async function textOf(stream: Readable): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString();
}
