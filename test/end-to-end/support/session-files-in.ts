import { readdirSync } from "node:fs";

/** The session files in a directory, with their folders. */
export function sessionFilesIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}
