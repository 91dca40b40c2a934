import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsync,
  fsyncSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { promisify } from "node:util";
import { errorCode, orElse, SourceError, systemReason } from "../../model/errors.js";
import type { ExactStamp, SessionFile } from "../../model/session-file.js";
import { showablePath } from "../../model/showable.js";
import { isUnchanged } from "../file-identity.js";
import { OpenDirectory } from "../open-directory.js";
import { noLinkCodes } from "../removal/put-back.js";
import { temporaryName } from "./temporary-files.js";

/** A session file to be written. */
export interface NewFile {
  readonly file: SessionFile;
  readonly bytes: Buffer;
  /** Its last modification, milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** The file whose place it takes; null if there is none, `empty` if it has no bytes. */
  readonly replaces: ExactStamp | "empty" | null;
}

/** Whose the files are to be, and with which permissions. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** `changed`: somebody else wrote, moved or removed something at its place meanwhile. */
export type FileWritten = { readonly kind: "written" | "changed" } | { readonly kind: "failed"; readonly code: string };

const createFlags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
/** As servers make their scatter folders [odoo/http.py 16.0]. */
const folderMode = 0o755;
/** With these the next file would fail too. */
const lastingCodes: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"]);
const fsyncAsync = promisify(fsync);

/** A file under its temporary name. */
interface Temporary {
  readonly path: string;
  readonly descriptor: number;
}

/**
 * Writes session files so that nobody ever sees a part of one: each is written under a temporary
 * name that servers ignore, synced to the disk, and then takes its place if that is still as it was
 * seen. A new file takes it by a link, which replaces nothing; for one that stands there is no
 * system call that compares and replaces, so a save between the last look and the rename, some
 * microseconds, would be lost.
 */
export class SessionFileWriter {
  readonly #path: string;
  readonly #directory: OpenDirectory;
  readonly #owner: FileOwner;
  /** No other export's temporary files have these. */
  readonly #digits = randomBytes(8).toString("hex");
  #count = 0;
  /** The folders with files that were written: their names are synced at the end. */
  readonly #folders = new Set<string>();

  /** @throws SourceError if the session directory cannot be opened. */
  constructor(path: string, owner: FileOwner) {
    this.#path = path;
    this.#owner = owner;
    this.#directory = new OpenDirectory(path);
  }

  /** Writes all these files. Throws `SourceError` if no more can be written. */
  async write(files: readonly NewFile[]): Promise<FileWritten[]> {
    const temporary: Temporary[] = [];
    try {
      for (const file of files) temporary.push(this.#writeTemporary(file));
      await Promise.all(temporary.map(({ descriptor }) => fsyncAsync(descriptor)));
      return files.map((file, index) => this.#place(file, temporary[index]?.path ?? ""));
    } catch (error) {
      throw new SourceError(`${showablePath(this.#path)} cannot be written: ${systemReason(error)}`);
    } finally {
      for (const { path, descriptor } of temporary) {
        closeSync(descriptor);
        orElse(undefined, () => unlinkSync(path));
      }
    }
  }

  /** Syncs the names of all files that were written, and closes the directory. */
  close(): void {
    for (const folder of this.#folders) orElse(undefined, () => syncFolder(folder));
    this.#directory.close();
  }

  #writeTemporary({ bytes, mtimeMs }: NewFile): Temporary {
    const path = `${this.#directory.root}/${temporaryName(`${this.#digits}-${this.#count++}`)}`;
    const descriptor = openSync(path, createFlags, 0o600);
    try {
      writeFileSync(descriptor, bytes);
      const { uid, gid, mode } = this.#owner;
      if (this.#isForeign) fchownSync(descriptor, uid, gid);
      fchmodSync(descriptor, mode);
      futimesSync(descriptor, Date.now() / 1000, mtimeMs / 1000);
      return { path, descriptor };
    } catch (error) {
      closeSync(descriptor);
      unlinkSync(path);
      throw error;
    }
  }

  #place({ file, replaces }: NewFile, temporary: string): FileWritten {
    try {
      const folder = this.#directory.folderOf(file) ?? this.#makeFolder(file);
      if (folder === undefined) return { kind: "failed", code: "ENOTDIR" };
      const path = `${folder}/${basename(file.name)}`;
      const takes = replaces === null ? takesFreeName(temporary, path) : takesPlace(temporary, path, replaces);
      if (!takes) return { kind: "changed" };
      this.#folders.add(dirname(`${this.#path}/${file.name}`));
      return { kind: "written" };
    } catch (error) {
      const code = errorCode(error);
      if (lastingCodes.has(code)) throw error;
      // Somebody removed the temporary file or the folder: a server's clean-up by age may.
      return code === "ENOENT" ? { kind: "changed" } : { kind: "failed", code };
    }
  }

  /** `undefined` if something else has the folder's name. */
  #makeFolder(file: SessionFile): string | undefined {
    const path = `${this.#directory.root}/${dirname(file.name)}`;
    try {
      mkdirSync(path);
    } catch (error) {
      if (errorCode(error) === "EEXIST") return this.#directory.folderOf(file);
      throw error;
    }
    const folder = this.#directory.folderOf(file);
    if (folder === undefined) return undefined;
    chmodSync(`${folder}/.`, folderMode);
    if (this.#isForeign) chownSync(`${folder}/.`, this.#owner.uid, this.#owner.gid);
    return folder;
  }

  /** Whether what this process makes has to be given away. */
  get #isForeign(): boolean {
    return this.#owner.uid !== process.geteuid?.() || this.#owner.gid !== process.getegid?.();
  }
}

/** Whether a file got a name that was free. */
function takesFreeName(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return false;
    if (!noLinkCodes.has(code)) throw error;
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(temporary, path);
    return true;
  }
}

/** Whether a file took the place of the one that was seen there. */
function takesPlace(temporary: string, path: string, seen: ExactStamp | "empty"): boolean {
  const there = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (there?.isFile() !== true || !(seen === "empty" ? there.size === 0n : isUnchanged(there, seen))) return false;
  renameSync(temporary, path);
  return true;
}

function syncFolder(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
