import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectRoot } from "../project.js";

/** Has `bin/node`, and runs no script when it is installed, unlike the package `node`. */
const packageName = `node-linux-${process.arch}`;

/** Where the tests and the benchmark keep the versions of Node that they installed. */
export const nodeCache = join(projectRoot, "node_modules", ".cache", "nodes");

/** A Node that npm installed. */
export interface ProvidedNode {
  readonly version: string;
  /** The folder that holds `node`, for the front of a PATH. */
  readonly folder: string;
}

/** Every version of Node that the registry has for this machine. */
export async function listNodeVersions(): Promise<readonly string[]> {
  const versions: unknown = JSON.parse(await npm("view", packageName, "versions", "--json"));
  return [versions].flat().filter((version) => typeof version === "string");
}

/**
 * The newest release of a major version.
 * @throws Error if there is none.
 */
export function newestOf(major: number, versions: readonly string[]): string {
  const releases = versions.filter((version) => /^\d+\.\d+\.\d+$/.test(version));
  const [newest] = releases
    .map((version) => version.split(".").map(Number))
    .filter(([first]) => first === major)
    .sort(([, minor = 0, patch = 0], [, otherMinor = 0, otherPatch = 0]) =>
      minor === otherMinor ? otherPatch - patch : otherMinor - minor,
    );
  if (newest === undefined) throw new Error(`${packageName} has no release of Node ${major}`);
  return newest.join(".");
}

/** Installs a version of Node below `cache`, unless it is there. */
export async function provideNode(version: string, cache: string): Promise<ProvidedNode> {
  const place = join(cache, version);
  const folder = join(place, "node_modules", packageName, "bin");
  if (!existsSync(join(folder, "node"))) {
    const quiet = ["--no-save", "--no-audit", "--no-fund"];
    await npm("install", "--prefix", place, ...quiet, `${packageName}@${version}`);
  }
  return { version, folder };
}

async function npm(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("npm", [...args], { maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}
