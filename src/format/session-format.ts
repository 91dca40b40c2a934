import type { SessionFormat } from "../model/outcome.js";
import { decodeJson } from "./json.js";
import { unpickle } from "./pickle/unpickle.js";
import type { PythonValue } from "./python-value.js";

interface FormatContract {
  /** The value that the bytes hold; far more than `mostValues` values are not read. Throws `DecodeError`. */
  readonly decode: (bytes: Buffer, mostValues: number) => PythonValue;
}

export const sessionFormats = {
  pickle: { decode: unpickle },
  json: { decode: decodeJson },
} satisfies Record<SessionFormat, FormatContract>;

/** Bytes that JSON may begin with and no pickle does: white space, a brace, a byte order mark. */
const jsonStarts: ReadonlySet<number | undefined> = new Set([0x20, 0x09, 0x0a, 0x0d, 0x7b, 0xef]);

/** The format of a session file, by its content. */
export function recogniseFormat(bytes: Buffer): SessionFormat {
  return jsonStarts.has(bytes[0]) ? "json" : "pickle";
}
