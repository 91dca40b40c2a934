/** What Redis will hold for one session. */
export interface Entry {
  readonly key: string;
  /** JSON as Python writes it: printable ASCII only, so its length is its size in bytes. */
  readonly value: string;
  /** The instant at which the key ends, milliseconds since the epoch. Fixed when the file is read; a resend never moves it. */
  readonly expiresAtMs: number;
}
