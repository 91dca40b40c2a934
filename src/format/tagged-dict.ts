import { parseIsoText } from "./calendar.js";
import { isKind, type PythonDict, type PythonValue, textOf } from "./python-value.js";

/** The values of `_type` that the applet's decoder acts on [session_redis/json_encoding.py]. */
const tags = ["datetime_isoformat", "date_isoformat", "set"] as const;
type Tag = (typeof tags)[number];

/** The applet's tag that a session's own dict has, if any. Of a multi-dict, pass `firstValues`. */
export function tagOf(dict: PythonDict): Tag | undefined {
  const value = dict.values.get("_type");
  if (value === undefined) return undefined;
  const text = textOf(value);
  return tags.find((tag) => tag === text);
}

/** Whether the applet's decoder would accept a dict with that tag; it raises for any other. */
export function isReadable(dict: PythonDict, tag: Tag): boolean {
  const value = dict.values.get("value");
  if (value === undefined) return false;
  const text = textOf(value);
  if (tag !== "set") return text !== undefined && parseIsoText(text) !== undefined;
  if (text !== undefined) return true;
  const content = isKind(value, "instance") ? value.content : value;
  const items = isKind(content, "tuple") ? content.items : content;
  if (Array.isArray(items)) return items.every(isHashableWhenRead);
  const read = dictOf(value);
  return read === undefined ? isKind(value, "set") : !isDateTagged(read);
}

/** A multi-dict as `json.dumps` sees it: the first value of every list that has one. */
export function firstValues(lists: PythonDict): PythonDict {
  const values: PythonDict["values"] = new Map();
  for (const [identity, list] of lists.values) {
    const first = Array.isArray(list) ? list[0] : undefined;
    if (first !== undefined) values.set(identity, first);
  }
  return { kind: "dict", values, keys: lists.keys };
}

/** The dict that `json.dumps` writes for a value; `undefined` if it writes something else. */
function dictOf(value: PythonValue): PythonDict | undefined {
  if (isKind(value, "multi-dict")) return firstValues(value.lists);
  const content = isKind(value, "instance") ? value.content : value;
  return isKind(content, "dict") ? content : undefined;
}

/** Whether the applet reads an item as something hashable; of containers, only a tagged date is. */
function isHashableWhenRead(item: PythonValue): boolean {
  if (typeof item !== "object" || item === null) return true;
  if (Array.isArray(item)) return false;
  const dict = dictOf(item);
  if (dict !== undefined) return isDateTagged(dict);
  return !["tuple", "set", "instance"].includes(item.kind);
}

function isDateTagged(dict: PythonDict): boolean {
  const tag = tagOf(dict);
  return tag !== undefined && tag !== "set";
}
