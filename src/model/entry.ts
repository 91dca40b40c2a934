import type { SessionFile } from "./session-file.js";

/** What Redis will hold for one session. */
export interface Entry {
  readonly key: string;
  /** JSON as Python writes it: printable ASCII only, so its length is its size in bytes. */
  readonly value: string;
  /**
   * When the key expires, milliseconds since the epoch. Fixed when the file is read: sending the
   * entry again never moves it.
   */
  readonly expiresAtMs: number;
}

/** What to do if the key is missing; `unknown` until the whole directory has been scanned. */
export type IfMissing = "write" | "ended" | "unknown";

/** An entry, and what decides whether it may replace what Redis holds. Times are on our clock. */
export interface Candidate {
  readonly entry: Entry;
  /** The file's last modification, milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** How long the session lives after a save. */
  readonly fullLifetimeMs: number;
  /** Absent: write. */
  readonly ifMissing?: Exclude<IfMissing, "write">;
  /** Present if the directory's mark applies to the file. */
  readonly covered?: true;
  /** Present if the last complete run without `--on-conflict keep` read this state of the file. */
  readonly unmodifiedSinceMark?: true;
}

/** What this run wrote for a session file: enough to recognise it in Redis later. */
export interface Written {
  readonly file: SessionFile;
  /** The pass that wrote it: 0 for the main pass. */
  readonly pass: number;
  /** How often the connection had been lost before: this tells which connection wrote it. */
  readonly reconnects: number;
  /** Milliseconds since the epoch, on our clock. */
  readonly expiresAtMs: number;
  /** SHA-1 of the value. */
  readonly digest: Uint8Array;
  /** Bytes of the value. */
  readonly bytes: number;
  /** Whether only its lifetime was renewed: then it counts as identical, and no bytes were written. */
  readonly renewed: boolean;
}
