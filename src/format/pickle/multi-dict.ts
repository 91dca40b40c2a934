import { getItem, newDict, type PythonMultiDict, type PythonValue, setItem } from "../python-value.js";
import { type Construction, copyOf, pairsOf } from "./construction.js";

/** `MultiDict.__new__`: what `setMultiDictItem` and `setMultiDictState` then fill. */
export function emptyMultiDict(): PythonMultiDict {
  return { kind: "multi-dict", lists: newDict(), fillable: true };
}

/** `ImmutableMultiDict([(key, value), ...])` and its like: the values of a key in their order. `undefined` for other arguments. */
export function multiDictOf(
  args: readonly PythonValue[],
  fillable: boolean,
  construction: Construction,
): PythonMultiDict | undefined {
  const lists = newDict();
  const pairs = args.length === 0 ? [] : args.length === 1 ? pairsOf(args[0], construction) : undefined;
  if (pairs === undefined) return undefined;
  for (const [key, value] of pairs) {
    const list = getItem(lists, key);
    if (Array.isArray(list)) list.push(value);
    else setItem(lists, key, [value]);
  }
  return { kind: "multi-dict", lists, fillable };
}

/** `multi_dict[key] = value`: the only value of its key. */
export function setMultiDictItem(target: PythonMultiDict, key: PythonValue, value: PythonValue): void {
  setItem(target.lists, key, [value]);
}

/** `MultiDict.__setstate__` with `{key: [value, ...]}` [werkzeug/datastructures.py]. */
export function setMultiDictState(
  target: PythonMultiDict,
  state: Parameters<typeof copyOf>[0],
  construction: Construction,
): void {
  target.lists = copyOf(state, construction);
}
