import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { DecodeError } from "../../../src/format/decode-error.js";
import { type PlainSession, PlainSessions, pages } from "../../../src/format/fast/plain-sessions.js";
import { decodeJson } from "../../../src/format/json.js";
import { unpickle } from "../../../src/format/pickle/unpickle.js";
import { writePythonJson } from "../../../src/format/python-json.js";
import { isKind, isTruthy } from "../../../src/format/python-value.js";

export const maxLength = 64 * 1024;
export const sessionKeys = ["db", "uid", "login", "session_token", "context", "debug"] as const;

const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
export const plainSessions = new PlainSessions(memory);
/** All but the first page, which holds the module's constants. */
const working = new Uint8Array(memory.buffer, 64 * 1024);
const noise = randomBytes(2 * working.length);

/** A format of session files, as the fast path and as the machine read it. */
interface Ways {
  readonly convert: (bytes: Buffer, most: number) => PlainSession | undefined;
  readonly decode: typeof unpickle;
}

export const pickles: Ways = {
  convert: (bytes, most) => plainSessions.convertPickle(bytes, most, true),
  decode: unpickle,
};
export const jsonFiles: Ways = {
  convert: (bytes, most) => plainSessions.convertJson(bytes, most, true),
  decode: decodeJson,
};

/** Converts a session in a memory that is full of random bytes: none of them may matter. */
export function convertInNoise({ convert }: Ways, bytes: Buffer, most = maxLength): PlainSession | undefined {
  const from = bytes.length % working.length;
  working.set(noise.subarray(from, from + working.length));
  const session = convert(bytes, most);
  assert.deepEqual(convert(bytes, most), session, "a second time, over what it left");
  return session;
}

/** The session as the machine has it, or why it does not. */
function decodeBy({ decode }: Ways, bytes: Buffer): PlainSession | string {
  try {
    const session = decode(bytes, 1_000_000);
    if (!isKind(session, "dict")) return "no dict";
    const { values } = session;
    if (values.has("expiration") || values.has("deletion_time")) return "a lifetime of its own";
    const database = values.get("db");
    return {
      ...writePythonJson(session, maxLength),
      authenticated: isTruthy(values.get("uid") ?? null),
      keys: Math.min(2, sessionKeys.filter((key) => values.has(key)).length),
      database: typeof database === "string" ? database : undefined,
    };
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

/** Checks a plain reading against the machine's; returns whether the session is plain. */
export function agrees(ways: Ways, bytes: Buffer): boolean {
  const plain = convertInNoise(ways, bytes);
  if (plain !== undefined) assert.deepEqual(plain, decodeBy(ways, bytes), bytes.toString("base64"));
  return plain !== undefined;
}

/** Checks every beginning of a session. */
export function agreesOnBeginnings(ways: Ways, bytes: Buffer): void {
  for (let length = 0; length < bytes.length; length++) {
    const beginning = bytes.subarray(0, length);
    // The rest stays in memory, where a reader that goes too far would find it.
    ways.convert(bytes, maxLength);
    const session = ways.convert(beginning, maxLength);
    if (session !== undefined) assert.deepEqual(session, decodeBy(ways, beginning));
  }
}
