import type { Candidate } from "../../model/entry.js";

/** Entries that are remembered; young files beyond them are rare enough. */
const mostRemembered = 100_000;

interface YoungWrite {
  readonly mtimeMs: number;
  readonly expiresAtMs: number;
}

/**
 * What this run sends for files that were younger, when they were read, than file times are exact. The instant of such an entry implies a
 * save before the file's own modification, so that an older file of the same session, read just before, would seem to be newer.
 */
export class YoungWrites {
  readonly #writes = new Map<string, YoungWrite>();

  /** Takes note of candidates before they are sent. */
  note(candidates: readonly Candidate[]): void {
    for (const { entry, mtimeMs, fullLifetimeMs } of candidates) {
      const { key, expiresAtMs } = entry;
      if (mtimeMs <= expiresAtMs - fullLifetimeMs || this.#writes.size >= mostRemembered) continue;
      const known = this.#writes.get(key);
      if (known === undefined || known.mtimeMs < mtimeMs) this.#writes.set(key, { mtimeMs, expiresAtMs });
    }
  }

  /** Whether a key that ends at that instant holds what this run sent for a file at least as new as the candidate's. */
  holdsNewer({ entry, mtimeMs }: Candidate, heldExpiresAtMs: number | null): boolean {
    const known = this.#writes.get(entry.key);
    return known !== undefined && known.expiresAtMs === heldExpiresAtMs && known.mtimeMs >= mtimeMs;
  }
}
