import { readFileSync, statSync } from "node:fs";
import { userInfo } from "node:os";

/** What settings read of the machine: a test hands in its own. */
export interface FileSystemReader {
  /** Throws Node's error where the file cannot be read. */
  readonly readFile: (path: string) => Buffer;
  readonly isDirectory: (path: string) => boolean;
  /** The home directory that the account database has for this user, null where it has none. */
  readonly accountHome: () => string | null;
  /** Whether the working directory still exists; without it no relative path means anything. */
  readonly hasWorkingDirectory: () => boolean;
}

/** The real machine. */
export const fileSystemReader: FileSystemReader = {
  readFile: (path) => readFileSync(path),
  isDirectory: (path) => orElse(false, () => statSync(path).isDirectory()),
  // Containers run under accounts without an entry.
  accountHome: () => orElse(null, () => userInfo().homedir || null),
  hasWorkingDirectory: () => orElse(false, () => process.cwd() !== ""),
};

/** What cannot be asked is answered as Python's `os.path` answers it: with what holds where nothing is there. */
function orElse<Answer>(absent: Answer, ask: () => Answer): Answer {
  try {
    return ask();
  } catch {
    return absent;
  }
}
