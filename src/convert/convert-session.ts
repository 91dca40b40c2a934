import { DecodeError } from "../format/decode-error.js";
import { writePlainJson } from "../format/pickle/plain-json.js";
import { PlainTape } from "../format/pickle/plain-tape.js";
import { readPlain } from "../format/pickle/read-plain.js";
import { type PythonJson, writePythonJson } from "../format/python-json.js";
import { isKind, isTruthy, type PythonValue } from "../format/python-value.js";
import { recogniseFormat, sessionFormats } from "../format/session-format.js";
import type { Entry } from "../model/entry.js";
import type { FailureReason, SessionFacts, SessionFormat } from "../model/outcome.js";
import type { ReadSession } from "../model/session-file.js";
import {
  expiryInstant,
  type FullLifetime,
  fullLifetime,
  type LifetimeOptions,
  type LifetimeOrigin,
} from "./lifetime.js";
import { signedInstant } from "./sign.js";

export interface ConversionOptions extends LifetimeOptions {
  /** What stands before the sid in a key. */
  readonly keyPrefix: string;
  /** By how much Redis's clock is ahead of ours, milliseconds. */
  readonly clockLeadMs: number;
  /** Bytes of JSON that a session may take. */
  readonly maxSessionSize: number;
}

/** What a session file's content comes to. */
export type Conversion =
  | {
      readonly kind: "entry";
      readonly format: SessionFormat;
      readonly entry: Entry;
      /** How long the session lives after a save. */
      readonly fullLifetimeMs: number;
      readonly lifetimeOrigin: LifetimeOrigin;
      readonly facts: SessionFacts;
      readonly warning?: string;
    }
  | {
      readonly kind: "expired";
      /** When the session's own `deletion_time` ended it, milliseconds since the epoch; absent if its lifetime did. */
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
    };

/** A pickle or JSON file takes less than this many times the bytes of the JSON that is written for it. */
export const fileSizeFactor = 4;

/** Values that cost little; beyond them each is to make a byte of JSON at least. */
const fewValues = 1_000_000;

/** From one session to the next. */
const tape = new PlainTape();

/** What every server saves in every session: a dict with none of these is something else. */
const sessionKeys = ["db", "uid", "login", "session_token", "context", "debug"] as const;
/** Two keys tell as much as six. */
const enoughKeys = 2;

const oddExpiration = "a session's own expiration is no number of seconds: the default was taken";

/**
 * One session from bytes to entry, at the time `nowMs`. For any bytes whatever it returns; it never throws, hangs or runs anything,
 * and is the only place that catches a decoding error.
 */
export function convertSession(
  read: ReadSession,
  sid: string,
  settings: ConversionOptions,
  nowMs: number,
): Conversion {
  const format = recogniseFormat(read.bytes);
  try {
    return convertDecoded(read, sid, format, settings, nowMs);
  } catch (error) {
    if (error instanceof DecodeError)
      return { kind: "failed", format, reason: error.reason, detail: error.message };
    throw error;
  }
}

function convertDecoded(
  read: ReadSession,
  sid: string,
  format: SessionFormat,
  settings: ConversionOptions,
  nowMs: number,
): Conversion {
  if (read.bytes.length > fileSizeFactor * settings.maxSessionSize) {
    throw new DecodeError("too-large", `a file of ${read.bytes.length} bytes`);
  }
  const plain = format === "pickle" ? decodePlain(read.bytes, settings) : undefined;
  const { text, lossy, authenticated, lifetime, deletionTime, keys } =
    plain ?? decodeAny(read.bytes, format, settings);
  const instant = expiryInstant(read, lifetime, settings.ttl, deletionTime);
  const expiresAtMs = instant > nowMs ? signedInstant(instant, text, settings.clockLeadMs) : instant;
  const facts: SessionFacts =
    keys === 1 ? { authenticated, lossy, hasOneKey: true } : { authenticated, lossy };
  const key = settings.keyPrefix + sid;
  // Nothing is spread here: for each session that takes as long as reading it.
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

function deletedBy(deletionTime: number | undefined, nowMs: number): { readonly deletedAtMs?: number } {
  const isDeleted = deletionTime !== undefined && deletionTime * 1000 <= nowMs;
  return isDeleted ? { deletedAtMs: deletionTime * 1000 } : {};
}

/** What a session holds that decides about its key. */
interface Decoded extends PythonJson {
  readonly authenticated: boolean;
  readonly lifetime: FullLifetime;
  /** When a rotated session of Odoo 19 is over, seconds since the epoch; `undefined` if it does not say. */
  readonly deletionTime: number | undefined;
  /** How many of the session keys it holds; more than two are not counted. */
  readonly keys: number;
}

function decodeAny(bytes: Buffer, format: SessionFormat, settings: ConversionOptions): Decoded {
  const session = sessionFormats[format].decode(bytes, fewValues + settings.maxSessionSize);
  if (!isKind(session, "dict")) throw new DecodeError("corrupt", "the session is no dict");
  const keys = countSessionKeys((key) => session.values.has(key));
  if (keys === 0) throw new DecodeError("not-a-session", `a dict with none of ${sessionKeys.join(", ")}`);
  const { text, lossy } = writePythonJson(session, settings.maxSessionSize);
  const authenticated = isTruthy(session.values.get("uid") ?? null);
  const lifetime = fullLifetime(session.values.get("expiration"), authenticated, settings);
  const deletionTime = finiteNumber(session.values.get("deletion_time"));
  return { text, lossy, authenticated, lifetime, deletionTime, keys };
}

function countSessionKeys(holds: (key: string) => boolean): number {
  let count = 0;
  for (const key of sessionKeys) {
    if (holds(key) && ++count === enoughKeys) break;
  }
  return count;
}

/** An int or a float, a bool apart, if it is finite. */
function finiteNumber(value: PythonValue | undefined): number | undefined {
  const number = isKind(value, "float") ? value.value : typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** The same for most pickles, in a third of the time; `undefined` for the others. */
function decodePlain(bytes: Buffer, settings: ConversionOptions): Decoded | undefined {
  const root = readPlain(tape, bytes);
  if (root === 0 || tape.valueOf(root, "expiration") !== 0 || tape.valueOf(root, "deletion_time") !== 0)
    return undefined;
  const keys = countSessionKeys((key) => tape.valueOf(root, key) !== 0);
  // What lacks them may be damaged as well: the pickle machine tells.
  if (keys === 0) return undefined;
  const json = writePlainJson(tape, root, settings.maxSessionSize);
  if (json === undefined) return undefined;
  const authenticated = tape.isTruthy(tape.valueOf(root, "uid"));
  const lifetime = fullLifetime(undefined, authenticated, settings);
  return { text: json.text, lossy: json.lossy, authenticated, lifetime, deletionTime: undefined, keys };
}
