import { closeSync, constants, existsSync, fstatSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode } from "../model/error-code.js";
import { SourceError } from "../model/errors.js";
import type { SessionFile } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { retryWhileShort } from "./retry-while-short.js";

const openFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** What a folder answers that is gone, or no directory any more. */
const goneCodes: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

interface OpenFolder {
  readonly name: string;
  readonly descriptor: number;
}

/**
 * A session directory, resolved and opened once and then worked through its descriptor: whatever is swapped in under its path, or for one
 * of its scatter folders, leads nowhere else. Where the platform has no paths through descriptors (`/proc/self/fd`) it is the path itself.
 */
export class OpenDirectory {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #throughDescriptors = existsSync("/proc/self/fd");
  /** The scatter folder that was used last: a scan goes from folder to folder. */
  #folder: OpenFolder | undefined;

  /** Throws `SourceError` where the directory cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#descriptor = retryWhileShort(() => openSync(path, openFlags));
    } catch (error) {
      throw new SourceError(`the directory ${showablePath(path)} cannot be opened (${errorCode(error)})`);
    }
  }

  /** What tells the directory from another at the same path. */
  get identity(): string {
    return directoryIdentity(fstatSync(this.#descriptor));
  }

  /**
   * The path of the folder that a session file lies in, good until the next call; `undefined` where it is gone or no directory any more.
   * Throws the system's error where it may not be opened.
   */
  folderOf(file: SessionFile): string | undefined {
    const name = dirname(file.name);
    if (name === ".") return this.#through(this.#path, this.#descriptor);
    if (this.#folder?.name !== name) {
      this.#closeFolder();
      try {
        const path = join(this.#through(this.#path, this.#descriptor), name);
        this.#folder = { name, descriptor: retryWhileShort(() => openSync(path, openFlags)) };
      } catch (error) {
        if (goneCodes.has(errorCode(error))) return undefined;
        throw error;
      }
    }
    return this.#through(join(this.#path, name), this.#folder.descriptor);
  }

  close(): void {
    this.#closeFolder();
    closeSync(this.#descriptor);
  }

  #through(path: string, descriptor: number): string {
    return this.#throughDescriptors ? `/proc/self/fd/${descriptor}` : path;
  }

  #closeFolder(): void {
    if (this.#folder !== undefined) closeSync(this.#folder.descriptor);
    this.#folder = undefined;
  }
}

/** What tells a directory from another that takes its place. */
export function directoryIdentity({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}
