import { DecodeError } from "../format/decode-error.js";
import { decodeJson } from "../format/json.js";
import { writePythonJson } from "../format/python-json.js";
import { isKind, type PythonValue } from "../format/python-value.js";

const setMark = '{"_type": "set"';

/** Whether Redis holds the same session: equal bytes, or equal JSON with sets in another order. */
export function equalSessions(value: string, stored: Buffer): boolean {
  if (stored.length !== value.length) return false;
  const text = stored.toString("latin1");
  if (text === value) return true;
  // Python writes only ASCII, so a value with other bytes differs.
  if (!value.includes(setMark) || !text.includes(setMark) || /[^\x20-\x7e]/.test(text)) return false;
  return ordered(value) === ordered(text);
}

/** The JSON with every set sorted; the text itself if it is not JSON. */
function ordered(text: string): string {
  try {
    return canonical(decodeJson(Buffer.from(text, "latin1"), text.length), text.length);
  } catch (error) {
    if (error instanceof DecodeError) return text;
    throw error;
  }
}

function canonical(value: PythonValue, maxLength: number): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, maxLength)).join()}]`;
  if (!isKind(value, "dict")) return writePythonJson(value, maxLength).text;
  const items = value.values.get("value");
  if (value.values.get("_type") === "set" && value.values.size === 2 && Array.isArray(items)) {
    return `set(${items
      .map((item) => canonical(item, maxLength))
      .sort()
      .join()})`;
  }
  const members = [...value.values].map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, maxLength)}`);
  return `{${members.join()}}`;
}
