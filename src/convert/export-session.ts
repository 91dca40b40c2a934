import { DecodeError } from "../format/decode-error.js";
import { writePickle } from "../format/pickle/write-pickle.js";
import type { FailureReason, SessionFacts } from "../model/outcome.js";
import type { FileFormat } from "../model/session-file.js";
import type { StoredText } from "../model/stored-value.js";
import { type ConversionOptions, convertSession, decodeDict } from "./convert-session.js";
import { lifetimeToleranceMs } from "./decide-conflict.js";

/** What a session in Redis becomes. */
export type ExportedSession =
  | {
      readonly kind: "file";
      /** The content of its session file. */
      readonly bytes: Buffer;
      /** When it was last saved, as far as Redis tells, milliseconds since the epoch. */
      readonly savedMs: number;
      /** Whether that is now, because the key tells of no earlier save. */
      readonly isNow: boolean;
      readonly facts: SessionFacts;
      readonly warning?: string;
    }
  /** It is over by its own `expiration` or `deletion_time`. */
  | { readonly kind: "expired" }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

const longerLife =
  "a key lives longer than --expiration or --expiration-anonymous gives it, so its file counts as saved now";

/**
 * Converts a value in Redis to a session file: the applet's tagged dates and sets become dates and
 * sets again, except in JSON, whose servers hold them tagged too. Accepts any bytes.
 */
export function exportSession(
  stored: StoredText,
  sid: string,
  format: FileFormat,
  conversion: ConversionOptions,
): ExportedSession {
  const { value, expiresAtMs } = stored;
  const nowMs = Date.now();
  // A key without a lifetime was saved just now: the applet sets it a moment later.
  const read = { bytes: value, mtimeMs: nowMs, openedAtMs: nowMs };
  const session = convertSession(read, sid, { ...conversion, ttl: "full" }, nowMs);
  if (session.kind === "failed") return session;
  if (session.kind === "expired") return { kind: "expired" };
  if (session.format !== "json") {
    return { kind: "failed", reason: "corrupt", detail: "the value is no JSON" };
  }
  const { entry, fullLifetimeMs, warning } = session;
  // What JSON cannot hold was lost before.
  const facts = { ...session.facts, lossy: false };
  const impliedMs = expiresAtMs === null ? Number.POSITIVE_INFINITY : expiresAtMs - fullLifetimeMs;
  const savedMs = Math.min(impliedMs, nowMs);
  const isLong = expiresAtMs !== null && impliedMs > nowMs + lifetimeToleranceMs;
  const text = isLong ? longerLife : warning;
  try {
    const bytes =
      format.name === "json"
        ? Buffer.from(entry.value, "latin1")
        : writePickle(decodeDict(value, "json", conversion.maxSessionSize), format.protocol);
    const file = { kind: "file", bytes, savedMs, isNow: savedMs === nowMs, facts } as const;
    return text === undefined ? file : { ...file, warning: text };
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return { kind: "failed", reason: error.reason, detail: error.message };
  }
}
