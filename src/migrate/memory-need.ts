import type { Conversion } from "../convert/convert-session.js";
import type { ReadSession, SessionFile } from "../model/session-file.js";
import type { Reading } from "../source/read-session-file.js";

/** What an estimate works with. */
export interface EstimateParts {
  readonly batches: Iterable<readonly SessionFile[]>;
  readonly read: (file: SessionFile) => Reading;
  readonly convert: (read: ReadSession, sid: string) => Conversion;
  /** Which of the keys exist already: they take no further memory. */
  readonly exist: (keys: readonly string[]) => Promise<readonly boolean[]>;
  /** Gives the event loop its turn; tells whether to go on. */
  readonly turn: () => Promise<boolean>;
}

/**
 * Bytes that Redis takes for an entry besides key and value: the table slots of key and lifetime, two string headers, an object header
 * and what the allocator rounds up [measured on Redis 7.0, values of 110 to 984 bytes: 130 to 249].
 */
const bytesBesides = 170;
const mostSampled = 1000;

/** Bytes of Redis memory that an entry takes, about. */
export function entryMemory(key: string, value: string): number {
  return key.length + value.length + bytesBesides;
}

/** Bytes of Redis memory that the session files would take, about: counted by name, sized by the first thousand of them. */
export async function estimateMemoryNeed(parts: EstimateParts): Promise<number> {
  const sizes: { readonly key: string; readonly bytes: number }[] = [];
  let sampled = 0;
  let found = 0;
  for (const batch of parts.batches) {
    found += batch.length;
    for (const file of batch) {
      if (sampled >= mostSampled) break;
      sampled++;
      const reading = parts.read(file);
      const conversion = reading.kind === "read" ? parts.convert(reading.read, file.sid) : undefined;
      if (conversion?.kind !== "entry") continue;
      const { key, value } = conversion.entry;
      sizes.push({ key, bytes: entryMemory(key, value) });
    }
    if (!(await parts.turn())) break;
  }
  if (sampled === 0) return 0;
  const exists = await parts.exist(sizes.map(({ key }) => key));
  const bytes = sizes.reduce((sum, size, index) => (exists[index] === true ? sum : sum + size.bytes), 0);
  return Math.ceil((bytes / sampled) * found);
}
