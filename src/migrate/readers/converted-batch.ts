import type { DirectorySeen } from "../../model/mark.js";
import type { FileStamp, SessionFile } from "../../model/session-file.js";
import type { Finished, Prepared } from "../prepare-session.js";
import type { EncodedSessions, EncodedTable } from "./encoded-sessions.js";

/** How a session file stood when it was read. */
export interface RecentFile {
  /** Of its file in the batch. */
  readonly place: number;
  readonly stamp: FileStamp;
}

/** What a reader made of a batch of session files. It has not asked Redis anything. */
export interface ConvertedBatch {
  /** Files that were taken: the first of the batch. The others did not fit. */
  readonly taken: number;
  /** Sessions that can be sent as they are. */
  readonly sessions: EncodedSessions;
  /**
   * Sessions that need a closer look: just modified, about to expire, with a warning, or very
   * large.
   */
  readonly prepared: readonly Prepared[];
  readonly finished: readonly Finished[];
  /** Places of files that could not be read, for whatever reason. */
  readonly unread: readonly number[];
  /** Files that were modified so recently that a later pass could take them for changed. */
  readonly recent: readonly RecentFile[];
  /** When the files of each directory were last modified. */
  readonly seen: readonly DirectorySeen[];
  /** How far any file's time was ahead of our clock, milliseconds. */
  readonly leadMs: number;
  /** Whether a file was modified since the run began: a server still uses the directory. */
  readonly inUse: boolean;
}

/** A converted batch on its way between threads. */
export interface PackedConverted extends Omit<ConvertedBatch, "sessions"> {
  readonly table: EncodedTable;
}

/** The file at a place of a batch. Throws if a reader named one that it was not given. */
export function fileAt(files: readonly SessionFile[], place: number): SessionFile {
  const file = files[place];
  if (file === undefined) throw new Error("a reader named a file that it was not given");
  return file;
}
