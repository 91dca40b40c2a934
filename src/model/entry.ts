/** What Redis will hold for one session. */
export interface Entry {
  readonly key: string;
  /** JSON as Python writes it: printable ASCII only, so its length is its size in bytes. */
  readonly value: string;
  /** The instant at which the key ends, milliseconds since the epoch. Fixed when the file is read; a resend never moves it. */
  readonly expiresAtMs: number;
}

/** What is done about a session whose key is missing; `unknown` until the whole directory was seen. */
export type IfMissing = "write" | "ended" | "unknown";

/** An entry, and what decides whether it may replace what Redis holds. Instants are on our clock. */
export interface Candidate {
  readonly entry: Entry;
  /** The file's last modification, milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** How long the session lives after a save. */
  readonly fullLifetimeMs: number;
  /** Absent: write. */
  readonly ifMissing?: Exclude<IfMissing, "write">;
  /** Whether the directory's mark counts for the file. */
  readonly covered?: true;
  /** Whether a complete run that did not keep what Redis held read the file as it is. */
  readonly unmodifiedSinceMark?: true;
}
