import { DecodeError, ForeignNameError, type NamedThing } from "../format/decode-error.js";
import { type PlainSession, PlainSessions } from "../format/fast/plain-sessions.js";
import { isPlanted } from "../format/pickle/is-planted.js";
import { plantedNameIn } from "../format/pickle/planted-name.js";
import { writePythonJson } from "../format/python-json.js";
import { isKind, isTruthy, type PythonDict, type PythonValue } from "../format/python-value.js";
import { decoders, recogniseFormat } from "../format/session-format.js";
import type { Entry } from "../model/entry.js";
import type { FailureReason, SessionFacts, SessionFormat } from "../model/outcome.js";
import type { ReadSession } from "../model/session-file.js";
import { showable } from "../model/showable.js";
import {
  expiryInstant,
  type FullLifetime,
  fullLifetime,
  type LifetimeOptions,
  type LifetimeOrigin,
} from "./lifetime.js";
import { signedInstant } from "./sign.js";

export interface ConversionOptions extends LifetimeOptions {
  /** The part of a key before the sid. */
  readonly keyPrefix: string;
  /** How far Redis's clock is ahead of ours, milliseconds. */
  readonly clockLeadMs: number;
  /** The most bytes of JSON that a session may take. */
  readonly maxSessionSize: number;
  /** Whether to say which database a session belongs to; no by default. */
  readonly tellsDatabase?: boolean;
}

/** The result of converting a session file's content. */
export type Conversion =
  | {
      readonly kind: "entry";
      readonly format: SessionFormat;
      readonly entry: Entry;
      /** How long the session lives after a save, milliseconds. */
      readonly fullLifetimeMs: number;
      readonly lifetimeOrigin: LifetimeOrigin;
      readonly facts: SessionFacts;
      readonly warning?: string;
    }
  | {
      readonly kind: "expired";
      /** When `deletion_time` ended it, milliseconds since the epoch; absent if it expired. */
      readonly deletedAtMs?: number;
      readonly format: SessionFormat;
      readonly facts: SessionFacts;
      readonly warning?: string;
    }
  | {
      readonly kind: "failed";
      readonly format: SessionFormat;
      readonly reason: FailureReason;
      readonly detail: string;
      /** Present if the file names something that no server writes. */
      readonly suspicious?: true;
      /** The class or the function that the file names, if it fails for that. */
      readonly foreignName?: string;
    };

/** A session file is at most this many times as long as the JSON written for it. */
export const fileSizeFactor = 4;

/** How many values may add nothing to the JSON; every further value needs at least a byte of it. */
const maxSpareValues = 1_000_000;

/** Opened for the first session, reused for every other; `null` if it cannot be had. */
let plainSessions: PlainSessions | null | undefined;

/** Every server saves these in every session; a dict with none of them is something else. */
const sessionKeys = ["db", "uid", "login", "session_token", "context", "debug"] as const;
/** Counting stops here: two keys prove as much as six. */
const maxKeysCounted = 2;

const oddExpiration = "a session's own expiration is not a number of seconds, so the default applies";

/**
 * Converts a session file to an entry for Redis, as of `nowMs`. Accepts any bytes: it never throws
 * for them, hangs, or runs anything. The only place that turns a `DecodeError` into an outcome.
 */
export function convertSession(read: ReadSession, sid: string, settings: ConversionOptions, nowMs: number): Conversion {
  const format = recogniseFormat(read.bytes);
  let decoded: Decoded;
  try {
    decoded = decode(read.bytes, format, settings);
  } catch (error) {
    if (error instanceof DecodeError) return failedConversion(read.bytes, format, error);
    throw error;
  }
  const { text, lifetime, deletionTime } = decoded;
  const instant = expiryInstant(read, lifetime, settings.ttl, deletionTime);
  const expiresAtMs = instant > nowMs ? signedInstant(instant, text, settings.clockLeadMs) : instant;
  const facts = factsOf(decoded);
  const key = settings.keyPrefix + sid;
  const conversion: Conversion =
    expiresAtMs <= nowMs
      ? { kind: "expired", format, facts, ...deletedBy(deletionTime, nowMs) }
      : {
          kind: "entry",
          format,
          entry: { key, value: text, expiresAtMs },
          fullLifetimeMs: lifetime.seconds * 1000,
          lifetimeOrigin: lifetime.origin,
          facts,
        };
  return lifetime.odd ? { ...conversion, warning: oddExpiration } : conversion;
}

function failedConversion(bytes: Buffer, format: SessionFormat, error: DecodeError): Conversion {
  const { reason, message } = error;
  const planted = format === "pickle" ? plantedName(bytes, error) : undefined;
  if (planted === undefined) {
    const named = error instanceof ForeignNameError && { foreignName: message };
    return { kind: "failed", format, reason, detail: message, ...named };
  }
  const foreignName = showable(`${planted.module}.${planted.name}`);
  const warning =
    `names ${foreignName}: no server writes that; somebody may have planted it. ` +
    "It did not run here, but it would in the server";
  const detail = reason === "unsupported-type" ? warning : `${message}; ${warning}`;
  return { kind: "failed", format, reason, detail, suspicious: true, foreignName };
}

/** A name in a pickle that no server writes: the one that failed it, or the first of its opcodes. */
function plantedName(bytes: Buffer, error: DecodeError): NamedThing | undefined {
  const isForeign = error instanceof ForeignNameError && isPlanted(error.foreign);
  return isForeign ? error.foreign : plantedNameIn(bytes);
}

/** Throws `DecodeError`. */
function decode(bytes: Buffer, format: SessionFormat, settings: ConversionOptions): Decoded {
  if (bytes.length > fileSizeFactor * settings.maxSessionSize) {
    throw new DecodeError("too-large", `a file of ${bytes.length} bytes`);
  }
  return decodePlain(bytes, format, settings) ?? decodeAny(bytes, format, settings);
}

/** Without a spread for ordinary sessions: it would take as long as reading one. */
function factsOf({ authenticated, lossy, keys, database }: Decoded): SessionFacts {
  if (keys > 1 && database === undefined) return { authenticated, lossy };
  const oneKey = keys === 1 && { hasOneKey: true as const };
  return { authenticated, lossy, ...oneKey, ...(database !== undefined && { database }) };
}

function deletedBy(deletionTime: number | undefined, nowMs: number): { readonly deletedAtMs?: number } {
  const isDeleted = deletionTime !== undefined && deletionTime * 1000 <= nowMs;
  return isDeleted ? { deletedAtMs: deletionTime * 1000 } : {};
}

/** What a session's key depends on. */
interface Decoded extends PlainSession {
  readonly lifetime: FullLifetime;
  /** When a rotated session of Odoo 19 ends, seconds since the epoch; `undefined` for others. */
  readonly deletionTime: number | undefined;
}

function decodeAny(bytes: Buffer, format: SessionFormat, settings: ConversionOptions): Decoded {
  const session = decodeDict(bytes, format, settings.maxSessionSize);
  const keys = Math.min(maxKeysCounted, sessionKeys.filter((key) => session.values.has(key)).length);
  if (keys === 0) throw new DecodeError("not-a-session", `a dict with none of ${sessionKeys.join(", ")}`);
  const { text, lossy } = writePythonJson(session, settings.maxSessionSize);
  const authenticated = isTruthy(session.values.get("uid") ?? null);
  const lifetime = fullLifetime(session.values.get("expiration"), authenticated, settings);
  const deletionTime = finiteNumber(session.values.get("deletion_time"));
  const name = settings.tellsDatabase === true ? session.values.get("db") : undefined;
  const database = typeof name === "string" ? name : undefined;
  return { text, lossy, authenticated, lifetime, deletionTime, keys, database };
}

/** Decodes a session. Throws `DecodeError`, also for anything but a dict. */
export function decodeDict(bytes: Buffer, format: SessionFormat, maxSessionSize: number): PythonDict {
  const session = decoders[format](bytes, maxSpareValues + maxSessionSize);
  if (!isKind(session, "dict")) throw new DecodeError("corrupt", "the session is not a dict");
  return session;
}

/** The value of a finite int or float; `undefined` for anything else, a bool included. */
function finiteNumber(value: PythonValue | undefined): number | undefined {
  const number = isKind(value, "float") ? value.value : typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Decodes a plain session by the fast path; returns `undefined` to leave it to `decodeAny`. */
function decodePlain(bytes: Buffer, format: SessionFormat, settings: ConversionOptions): Decoded | undefined {
  if (plainSessions === undefined) plainSessions = PlainSessions.open() ?? null;
  const { maxSessionSize, tellsDatabase } = settings;
  const session =
    format === "pickle"
      ? plainSessions?.convertPickle(bytes, maxSessionSize, tellsDatabase)
      : plainSessions?.convertJson(bytes, maxSessionSize, tellsDatabase);
  if (session === undefined) return undefined;
  const lifetime = fullLifetime(undefined, session.authenticated, settings);
  const { text, lossy, authenticated, keys, database } = session;
  return { text, lossy, authenticated, lifetime, deletionTime: undefined, keys, database };
}
