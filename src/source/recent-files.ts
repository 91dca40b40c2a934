import { type FileStamp, fileTimeSlackMs, type SessionFile } from "../model/session-file.js";
import { isSameFile } from "./file-identity.js";

/** Files that are remembered; what changed beside more of them is taken again without need, which does no harm. */
const maxRemembered = 100_000;

/** Tells which files changed since a pass began. */
export interface ChangeTest {
  /** Milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly isChanged: (file: SessionFile, stamp: FileStamp | undefined) => boolean;
}

/**
 * Finds what changed since it was read. Only files that changed at about the time of the pass, or later, are remembered: no others
 * can be mistaken for changed ones.
 */
export class RecentFiles {
  readonly #stamps = new Map<string, FileStamp>();
  /** Paths of files that could neither be read nor be looked at. */
  readonly #unseen = new Set<string>();
  #passStartMs: number;
  /** The most that any file's time was ahead of our clock when it was read. */
  #maxLeadMs = 0;

  constructor(passStartMs: number) {
    this.#passStartMs = passStartMs;
  }

  /** A pass begins: what changes from now on is for the next one. */
  beginPass(startMs: number): void {
    this.#passStartMs = startMs;
  }

  /** Takes note of a file as it was when it was read. */
  note(file: SessionFile, stamp: FileStamp): void {
    const timeMs = latest(stamp);
    const path = pathOf(file);
    this.noteLead(timeMs - Date.now());
    if (this.#unseen.size > 0) this.#unseen.delete(path);
    if (timeMs <= this.#sinceMs) return;
    if (this.#stamps.size < maxRemembered || this.#stamps.has(path)) this.#stamps.set(path, stamp);
  }

  /** The most that any file's time was ahead of our clock, milliseconds. */
  get maxLeadMs(): number {
    return this.#maxLeadMs;
  }

  /** Takes note of how far a file's time was ahead of our clock. */
  noteLead(leadMs: number): void {
    if (leadMs > this.#maxLeadMs) this.#maxLeadMs = leadMs;
  }

  /** Takes note of a file that could not be read, as it stood before; `undefined` where it was gone or could not be looked at. */
  noteUnread(file: SessionFile, stamp: FileStamp | undefined): void {
    if (stamp !== undefined) this.note(file, stamp);
    else if (this.#unseen.size < maxRemembered) this.#unseen.add(pathOf(file));
  }

  /**
   * How to tell what changed since the last pass began and was not read as it stands now: only
   * files with a time after `sinceMs`, and of these those for which `isChanged` holds. A file that
   * is gone or cannot be looked at (`undefined`) counts as changed, unless it was so before.
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
 * Whether a file was modified after an instant: both its times tell. A modification time alone may be set by hand, or lie in the future; a
 * change time alone tells of a rename or a change of rights.
 */
export function isModifiedSince({ mtimeMs, ctimeMs }: FileStamp, sinceMs: number): boolean {
  return mtimeMs > sinceMs && ctimeMs > sinceMs;
}

/** The path of a session file. */
export function pathOf({ directory, name }: SessionFile): string {
  return `${directory}/${name}`;
}

function latest({ mtimeMs, ctimeMs }: FileStamp): number {
  return Math.max(mtimeMs, ctimeMs);
}

/** The server writes a temporary file and renames it over the old one: a new inode each time. */
function isSame(one: FileStamp, other: FileStamp): boolean {
  return (
    isSameFile(one, other) &&
    one.size === other.size &&
    one.mtimeMs === other.mtimeMs &&
    one.ctimeMs === other.ctimeMs
  );
}
