import type { Candidate } from "../../model/entry.js";

/** More of them are too rare to matter. */
const maxRemembered = 100_000;

interface RecentWrite {
  readonly mtimeMs: number;
  readonly expiresAtMs: number;
}

/**
 * Entries written from files that were modified within the last two seconds. Their expiry implies a
 * save before the file's own modification, so an older copy of the same session would wrongly look
 * newer.
 */
export class RecentWrites {
  readonly #writes = new Map<string, RecentWrite>();

  /** Takes note of candidates before they are sent. */
  note(candidates: readonly Candidate[]): void {
    for (const { entry, mtimeMs, fullLifetimeMs } of candidates) {
      const { key, expiresAtMs } = entry;
      if (mtimeMs <= expiresAtMs - fullLifetimeMs || this.#writes.size >= maxRemembered) continue;
      const known = this.#writes.get(key);
      if (known === undefined || known.mtimeMs < mtimeMs) this.#writes.set(key, { mtimeMs, expiresAtMs });
    }
  }

  /**
   * Whether a key that ends at that instant holds what this run sent for a file at least as new as
   * the candidate's.
   */
  holdsNewer({ entry, mtimeMs }: Candidate, storedExpiresAtMs: number | null): boolean {
    const known = this.#writes.get(entry.key);
    return known !== undefined && known.expiresAtMs === storedExpiresAtMs && known.mtimeMs >= mtimeMs;
  }
}
