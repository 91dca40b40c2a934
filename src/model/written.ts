import type { SessionFile } from "./session-file.js";

/** What this run wrote for a session file, as far as it takes to know it again in Redis. */
export interface Written {
  readonly file: SessionFile;
  /** The pass that wrote it: 0 for the main pass. */
  readonly pass: number;
  /** How often the connection had been lost before: which connection wrote it. */
  readonly timesLost: number;
  /** Milliseconds since the epoch, on our clock. */
  readonly expiresAtMs: number;
  /** SHA-1 of the value. */
  readonly digest: Uint8Array;
  /** Bytes of the value. */
  readonly bytes: number;
}
