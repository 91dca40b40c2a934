import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findRoot(from: string): string {
  if (existsSync(join(from, "package.json"))) return from;
  return findRoot(dirname(from));
}

/** The checkout's top folder, wherever the compiled tests stand. */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

/** The Python that judges bytes. `PYTHON` names another one. */
export const python = process.env["PYTHON"] ?? "python3";
