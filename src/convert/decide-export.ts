import { recogniseFormat } from "../format/session-format.js";
import { type FileFormat, fileTimeSlackMs, type ReadSession } from "../model/session-file.js";
import type { StoredText } from "../model/stored-value.js";
import { type ConversionOptions, convertSession } from "./convert-session.js";
import { type ConflictRules, compareStored } from "./decide-conflict.js";
import type { ExportedSession } from "./export-session.js";

/** What to do about the session file that a session in Redis already has. */
export type ExportDecision =
  /** Redis's value was saved later, or the file holds no session. */
  | { readonly kind: "write" }
  /** The file holds an equal session, which the server can read. */
  | { readonly kind: "identical" }
  /** An equal session that was saved later than the file says: only its time is to change. */
  | { readonly kind: "touch" }
  /** An equal session in a format that the server cannot read. */
  | { readonly kind: "rewrite" }
  /** The file was saved later, or with `inDoubt` nobody knows. */
  | { readonly kind: "kept"; readonly inDoubt?: true };

/** A session file, and what is known of it. */
export interface StandingFile {
  readonly read: ReadSession;
  readonly sid: string;
  /** Whether the last complete copy without `--on-conflict keep` read the file as it is. */
  readonly unmodifiedSinceMark: boolean;
}

type Exported = Extract<ExportedSession, { readonly kind: "file" }>;

/**
 * Decides by the rules of a copy with the roles reversed: what a copy would keep in Redis goes to the
 * file, and what it would write to Redis, or leave in doubt, stays in the file.
 */
export function decideExport(
  { read, sid, unmodifiedSinceMark }: StandingFile,
  { stored, exported }: { readonly stored: StoredText; readonly exported: Exported },
  format: FileFormat,
  rules: ConflictRules & { readonly conversion: ConversionOptions },
): ExportDecision {
  const { policy, conversion } = rules;
  const isLater = exported.savedMs - read.mtimeMs >= (exported.isNow ? hourMs : fileTimeSlackMs);
  if (exported.bytes.equals(read.bytes)) return !isLater || policy === "keep" ? identical : { kind: "touch" };
  if (policy === "keep") return { kind: "kept" };
  const nowMs = Date.now();
  const session = convertSession(read, sid, { ...conversion, ttl: "full" }, nowMs);
  if (session.kind !== "entry") {
    // By a file that holds no living session nothing can be told but its time.
    const isOlder = read.mtimeMs <= exported.savedMs + fileTimeSlackMs;
    return policy === "overwrite" || isOlder ? { kind: "write" } : { kind: "kept", inDoubt: true };
  }
  const { entry, fullLifetimeMs } = session;
  // Setting a file's time goes through a float, which may add a part of a millisecond.
  const known = { entry, mtimeMs: Math.floor(read.mtimeMs), fullLifetimeMs };
  const candidate = unmodifiedSinceMark ? { ...known, unmodifiedSinceMark: true as const } : known;
  const comparison = compareStored(candidate, stored, { ...rules, policy: "newest" }, nowMs);
  switch (comparison.kind) {
    case "equal":
      if (!isReadable(read.bytes, format)) return { kind: "rewrite" };
      return isLater ? { kind: "touch" } : identical;
    case "newer":
      return { kind: "write" };
    case "different":
      if (policy === "overwrite") return { kind: "write" };
      return { kind: "kept", ...(comparison.inDoubt === true && { inDoubt: true }) };
  }
}

/** A save of now is no reason to write a file again that is younger than this. */
const hourMs = 3_600_000;
const identical: ExportDecision = { kind: "identical" };
const protocolOpcode = 0x80;

/** How a session file was written: Python 2 reads and writes protocols up to 2. */
export function writtenFormatOf(bytes: Buffer): FileFormat {
  const name = recogniseFormat(bytes);
  if (name === "json") return { name };
  return { name, protocol: bytes[0] === protocolOpcode && (bytes[1] ?? 0) > 2 ? 4 : 2 };
}

/** Whether the server that reads a format reads these bytes too. */
function isReadable(bytes: Buffer, format: FileFormat): boolean {
  const written = writtenFormatOf(bytes);
  if (written.name === "json" || format.name === "json") return written.name === format.name;
  return written.protocol <= format.protocol;
}
