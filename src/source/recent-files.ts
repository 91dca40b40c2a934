import { type FileStamp, fileTimeSlackMs, type SessionFile } from "../model/session-file.js";
import { isSameFile } from "./file-identity.js";

/** Files remembered. If there are more, some are read again without need, which does no harm. */
const maxRemembered = 100_000;

/** Finds the files that changed since a pass began. */
export interface ChangeTest {
  /** Only files with a later time can have changed; milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly isChanged: (file: SessionFile, stamp: FileStamp | undefined) => boolean;
}

/**
 * Finds files that changed since they were read. Remembers only those that changed around the start
 * of the pass or later, because no others can be mistaken for changed ones.
 */
export class RecentFiles {
  readonly #stamps = new Map<string, FileStamp>();
  /** Paths of files that could be neither read nor statted. */
  readonly #unseen = new Set<string>();
  #passStartMs: number;
  /** The most that a file's time was ahead of our clock when it was read, milliseconds. */
  #maxLeadMs = 0;

  constructor(passStartMs: number) {
    this.#passStartMs = passStartMs;
  }

  /** Starts a pass: changes from now on are for the next one. */
  beginPass(startMs: number): void {
    this.#passStartMs = startMs;
  }

  /** Notes a file as it was when it was read. */
  note(file: SessionFile, stamp: FileStamp): void {
    const timeMs = latest(stamp);
    const path = pathOf(file);
    this.noteLead(timeMs - Date.now());
    if (this.#unseen.size > 0) this.#unseen.delete(path);
    if (timeMs <= this.#sinceMs) return;
    if (this.#stamps.size < maxRemembered || this.#stamps.has(path)) this.#stamps.set(path, stamp);
  }

  /** Notes how far a file's time was ahead of our clock, milliseconds. */
  noteLead(leadMs: number): void {
    if (leadMs > this.#maxLeadMs) this.#maxLeadMs = leadMs;
  }

  /** Notes a file that could not be read. `stamp`: its state before; `undefined` if it had none. */
  noteUnread(file: SessionFile, stamp: FileStamp | undefined): void {
    if (stamp !== undefined) this.note(file, stamp);
    else if (this.#unseen.size < maxRemembered) this.#unseen.add(pathOf(file));
  }

  /**
   * A test for files that changed since the last pass began and were not read as they are now. A
   * file that is gone or cannot be statted (`undefined`) counts as changed, unless it was so
   * before.
   */
  changedSincePass(): ChangeTest {
    const sinceMs = this.#sinceMs;
    const isChanged = (file: SessionFile, stamp: FileStamp | undefined) => {
      if (stamp === undefined) return !this.#unseen.has(pathOf(file));
      if (latest(stamp) <= sinceMs) return false;
      const noted = this.#stamps.get(pathOf(file));
      return noted === undefined || !isSame(noted, stamp);
    };
    return { sinceMs, isChanged };
  }

  get #sinceMs(): number {
    return this.#passStartMs - fileTimeSlackMs - this.#maxLeadMs;
  }
}

/**
 * Whether a file was modified after an instant, by both its times. The modification time alone may
 * be set by hand or lie in the future; the change time alone also shows renames and permission
 * changes.
 */
export function isModifiedSince({ mtimeMs, ctimeMs }: FileStamp, sinceMs: number): boolean {
  return mtimeMs > sinceMs && ctimeMs > sinceMs;
}

export function pathOf({ directory, name }: SessionFile): string {
  return `${directory}/${name}`;
}

function latest({ mtimeMs, ctimeMs }: FileStamp): number {
  return Math.max(mtimeMs, ctimeMs);
}

/** The server renames a new file over the old one, so each save has a new inode. */
function isSame(one: FileStamp, other: FileStamp): boolean {
  return (
    isSameFile(one, other) && one.size === other.size && one.mtimeMs === other.mtimeMs && one.ctimeMs === other.ctimeMs
  );
}
