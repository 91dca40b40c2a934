import type { SessionFormat } from "../model/outcome.js";
import { decodeJson } from "./json.js";
import { unpickle } from "./pickle/unpickle.js";
import type { PythonValue } from "./python-value.js";

/** Each returns the value. It throws `DecodeError`, also for far more than `maxValues` values. */
export const decoders: Readonly<Record<SessionFormat, (bytes: Buffer, maxValues: number) => PythonValue>> = {
  pickle: unpickle,
  json: decodeJson,
};

/** Bytes that begin JSON but no pickle: white space, a brace, a byte order mark. */
const jsonStarts: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d, 0x7b, 0xef]);

/** Recognises the format of a session file by its first byte. */
export function recogniseFormat(bytes: Buffer): SessionFormat {
  return jsonStarts.has(bytes[0]) ? "json" : "pickle";
}
