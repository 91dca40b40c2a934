import { DecodeError, maxContainers, maxDepth } from "./decode-error.js";
import { maxDigits, tooManyDigits } from "./python-int.js";
import { newDict, type PythonDict, type PythonValue, pythonInt } from "./python-value.js";
import { TextUnits } from "./text-units.js";
import { decodeStrictUtf8 } from "./utf8.js";

const numberPattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const plainText = /[^"\\\u0000-\u001f]*/y;
const quote = 0x22;
const backslash = 0x5c;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const words: readonly (readonly [string, PythonValue])[] = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", { kind: "float", value: Number.NaN }],
  ["Infinity", { kind: "float", value: Number.POSITIVE_INFINITY }],
  ["-Infinity", { kind: "float", value: Number.NEGATIVE_INFINITY }],
];

/**
 * Reads a JSON session file as Python's `json.loads` does: strict UTF-8, ints of any size, and of
 * equal keys the first one's place with the last one's value.
 *
 * @throws DecodeError for anything else, and for more than `maxValues` values.
 */
export function decodeJson(bytes: Buffer, maxValues: number): PythonValue {
  const text = decodeStrictUtf8(bytes);
  if (text === undefined) throw new DecodeError("corrupt", "not UTF-8");
  return new JsonReader(text, maxValues).document();
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #valuesLeft: number;
  #containersLeft = maxContainers;

  constructor(text: string, maxValues: number) {
    this.#text = text;
    this.#valuesLeft = maxValues;
  }

  document(): PythonValue {
    this.#skipSpace();
    const value = this.#value(1);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#corrupt("text after the end");
    return value;
  }

  #value(depth: number): PythonValue {
    const character = this.#text[this.#at];
    if (this.#valuesLeft-- === 0) throw new DecodeError("too-large", "too many values");
    if (character === '"') {
      this.#at++;
      return this.#string();
    }
    if (character === "{" || character === "[") {
      if (depth > maxDepth) throw new DecodeError("too-deep", `more than ${maxDepth} levels`);
      if (this.#containersLeft-- === 0) throw new DecodeError("too-large", `more than ${maxContainers} containers`);
      this.#at++;
      return character === "{" ? this.#object(depth) : this.#array(depth);
    }
    const word = this.#word();
    return word === undefined ? this.#number() : word;
  }

  #object(depth: number): PythonDict {
    const dict = newDict();
    this.#skipSpace();
    if (this.#takes("}")) return dict;
    for (;;) {
      if (!this.#takes('"')) throw this.#corrupt("no key");
      const key = this.#string();
      this.#skipSpace();
      if (!this.#takes(":")) throw this.#corrupt("no colon");
      this.#skipSpace();
      dict.values.set(key, this.#value(depth + 1));
      this.#skipSpace();
      if (this.#takes("}")) return dict;
      if (!this.#takes(",")) throw this.#corrupt("no comma");
      this.#skipSpace();
    }
  }

  #array(depth: number): PythonValue[] {
    const list: PythonValue[] = [];
    this.#skipSpace();
    if (this.#takes("]")) return list;
    for (;;) {
      list.push(this.#value(depth + 1));
      this.#skipSpace();
      if (this.#takes("]")) return list;
      if (!this.#takes(",")) throw this.#corrupt("no comma");
      this.#skipSpace();
    }
  }

  #string(): string {
    const plain = this.#match(plainText)?.[0] ?? "";
    if (this.#takes('"')) return plain;
    const units = new TextUnits(this.#endOfString() - this.#at);
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at++);
      if (unit === quote) return plain + units.text();
      if (unit < 0x20) throw this.#corrupt("a control character");
      units.addUnit(unit === backslash ? this.#escape() : unit);
    }
  }

  /** The offset of the closing quote of a text with escapes. */
  #endOfString(): number {
    for (let at = this.#at; at < this.#text.length; at++) {
      const unit = this.#text.charCodeAt(at);
      if (unit === quote) return at;
      if (unit === backslash) at++;
    }
    throw this.#corrupt("no end of a text");
  }

  #escape(): number {
    const letter = this.#text[this.#at++] ?? "";
    const short = escapes[letter];
    if (short !== undefined) return short.charCodeAt(0);
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (letter !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#corrupt("an unknown escape");
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #word(): PythonValue | undefined {
    for (const [word, value] of words) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return undefined;
  }

  #number(): PythonValue {
    const match = this.#match(numberPattern);
    if (match === null) throw this.#corrupt(this.#at < this.#text.length ? "no value" : "truncated");
    const [text, fraction, exponent] = match;
    if (fraction !== undefined || exponent !== undefined) return { kind: "float", value: Number(text) };
    if (text.length < 16) return Number(text) || 0;
    if (text.length - (text.startsWith("-") ? 1 : 0) > maxDigits) throw tooManyDigits();
    return pythonInt(BigInt(text));
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const unit = this.#text.charCodeAt(this.#at);
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.#at++;
    }
  }

  #corrupt(what: string): DecodeError {
    return new DecodeError("corrupt", `${what} at character ${Math.min(this.#at, this.#text.length)}`);
  }
}
