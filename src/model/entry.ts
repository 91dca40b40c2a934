/** What Redis will hold for one session. */
export interface Entry {
  readonly key: string;
  /** JSON as Python writes it: printable ASCII only, so its length is its size in bytes. */
  readonly value: string;
  /** The instant at which the key ends, milliseconds since the epoch. Fixed when the file is read; a resend never moves it. */
  readonly expiresAtMs: number;
}

/** An entry, and what decides whether it may replace what Redis holds. Instants are on our clock. */
export interface Candidate {
  readonly entry: Entry;
  /** The file's last modification, milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** How long the session lives after a save. */
  readonly fullLifetimeMs: number;
  /** Whether a key that is missing ended in Redis: it is not written again. */
  readonly endedIfMissing?: true;
}
