import { closeSync, constants, existsSync, fstatSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorCode, orElse, SourceError, systemReason } from "../model/errors.js";
import type { SessionFile } from "../model/session-file.js";
import { showablePath } from "../model/showable.js";
import { identityOf } from "./file-identity.js";
import { retryWhileShort } from "./retry-while-short.js";

const openFlags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
/** The codes for a folder that is gone or no longer a directory. */
const goneCodes: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

interface OpenFolder {
  readonly name: string;
  readonly descriptor: number;
}

/**
 * A session directory, opened once and then used through its descriptor, so that swapping in a
 * symlink for it or for a scatter folder leads nowhere. On platforms without `/proc/self/fd` it
 * uses the path.
 */
export class OpenDirectory {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #throughDescriptors = existsSync("/proc/self/fd");
  /** The scatter folder last used, kept open because a scan goes folder by folder. */
  #folder: OpenFolder | undefined;

  /** @throws SourceError if the directory cannot be opened. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#descriptor = retryWhileShort(() => openSync(path, openFlags));
    } catch (error) {
      throw new SourceError(`the directory ${showablePath(path)} cannot be opened: ${systemReason(error)}`);
    }
  }

  /** The `identityOf` the opened directory. */
  get identity(): string {
    return identityOf(fstatSync(this.#descriptor));
  }

  /** The path of the directory itself. */
  get root(): string {
    return this.#through(this.#path, this.#descriptor);
  }

  /**
   * The path of the folder that holds a session file, valid until the next call; `undefined` if the
   * folder is gone or no longer a directory. Throws the system's error if it cannot be opened.
   */
  folderOf(file: SessionFile): string | undefined {
    const name = dirname(file.name);
    if (name === ".") return this.root;
    if (this.#folder?.name !== name) {
      this.#closeFolder();
      try {
        const path = join(this.root, name);
        this.#folder = { name, descriptor: retryWhileShort(() => openSync(path, openFlags)) };
      } catch (error) {
        if (goneCodes.has(errorCode(error))) return undefined;
        throw error;
      }
    }
    return this.#through(join(this.#path, name), this.#folder.descriptor);
  }

  /**
   * Calls `use` with the path of the folder that holds a session file, valid until it is done. Does
   * not call it if the folder is gone or cannot be opened.
   */
  async whileOpen(file: SessionFile, use: (folder: string) => Promise<void>): Promise<void> {
    const name = dirname(file.name);
    if (name === ".") return use(this.root);
    const path = join(this.root, name);
    const descriptor = orElse(undefined, () => openSync(path, openFlags));
    if (descriptor === undefined) return;
    try {
      await use(this.#through(join(this.#path, name), descriptor));
    } finally {
      closeSync(descriptor);
    }
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
