import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { DecodeError } from "../../../src/format/decode-error.js";
import { PlainPickles, type PlainSession, pages } from "../../../src/format/pickle/fast/plain-pickles.js";
import { opcode } from "../../../src/format/pickle/opcodes.js";
import { unpickle } from "../../../src/format/pickle/unpickle.js";
import { writePythonJson } from "../../../src/format/python-json.js";
import { isKind, isTruthy } from "../../../src/format/python-value.js";

export const maxLength = 64 * 1024;
export const sessionKeys = ["db", "uid", "login", "session_token", "context", "debug"] as const;

const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
export const plainPickles = new PlainPickles(memory);
/** All but the first page, which holds the module's constants. */
const working = new Uint8Array(memory.buffer, 64 * 1024);
const noise = randomBytes(2 * working.length);

/** Converts a pickle in a memory that is full of random bytes: none of them may matter. */
export function convertInNoise(bytes: Buffer, most = maxLength): PlainSession | undefined {
  const from = bytes.length % working.length;
  working.set(noise.subarray(from, from + working.length));
  const session = plainPickles.convert(bytes, most, true);
  assert.deepEqual(plainPickles.convert(bytes, most, true), session, "a second time, over what it left");
  return session;
}

/** The session as the pickle machine has it, or why it does not. */
export function readByMachine(bytes: Buffer): PlainSession | string {
  try {
    const session = unpickle(bytes, 1_000_000);
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

/** Checks a plain reading against the pickle machine's; returns whether the pickle is plain. */
export function check(bytes: Buffer): boolean {
  const plain = convertInNoise(bytes);
  if (plain !== undefined) assert.deepEqual(plain, readByMachine(bytes), bytes.toString("base64"));
  return plain !== undefined;
}

export const latin1 = (text: string) => Buffer.from(text, "latin1");
/** A text of up to 255 bytes, as protocol 4 writes it. */
export const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([opcode.shortBinunicode, bytes.length]), bytes]).toString("latin1");
};
export const pickleOf = (body: string) => latin1(`\x80\x04${body}.`);
/** A session with one key, `db`. */
export const dictOf = (value: string) => pickleOf(`}${text("db")}${value}s`);
export const double = (value: number) => {
  const bytes = Buffer.alloc(9, opcode.binfloat);
  bytes.writeDoubleBE(value, 1);
  return bytes.toString("latin1");
};
