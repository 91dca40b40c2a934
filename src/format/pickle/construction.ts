import { isKind, type PythonDict, type PythonValue, type SplitText } from "../python-value.js";

/** What making a value needs of the machine that reads the pickle. */
export interface Construction {
  /** The same object for the same text. */
  readonly intern: (text: string) => object;
  readonly splitText: SplitText;
  /** Accounts for items that are copied; throws `DecodeError` where a small file copies without end. */
  readonly spend: (items: number) => void;
}

export function copyOf(dict: PythonDict, construction: Construction): PythonDict {
  construction.spend(dict.values.size);
  return { kind: "dict", values: new Map(dict.values), keys: dict.keys && new Map(dict.keys) };
}

/** A list of pairs, each a tuple or a list of two; `undefined` for anything else. */
export function pairsOf(
  value: PythonValue | undefined,
  construction: Construction,
): readonly (readonly [PythonValue, PythonValue])[] | undefined {
  if (!Array.isArray(value)) return undefined;
  construction.spend(value.length);
  const pairs: [PythonValue, PythonValue][] = [];
  for (const item of value) {
    const [key, second, ...more] = isKind(item, "tuple") ? item.items : Array.isArray(item) ? item : [];
    if (key === undefined || second === undefined || more.length > 0) return undefined;
    pairs.push([key, second]);
  }
  return pairs;
}
