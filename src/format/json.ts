import { DecodeError } from "./decode-error.js";
import { tooManyDigits } from "./python-int.js";
import { deepestLevel } from "./python-json.js";
import { newDict, type PythonDict, type PythonValue, pythonInt } from "./python-value.js";

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const numberPattern = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const plainText = /[^"\\\u0000-\u001f]*/y;
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
 * A JSON session file as Python's `json.loads` reads its strict UTF-8: ints stay ints of any size, floats floats, the last of equal
 * keys wins at the first one's place. Throws `DecodeError`.
 */
export function decodeJson(bytes: Buffer): PythonValue {
  return new JsonReader(decodeText(bytes)).document();
}

function decodeText(bytes: Buffer): string {
  try {
    return strictUtf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw new DecodeError("corrupt", "not UTF-8");
    throw error;
  }
}

/** Reads one document. */
class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
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
    if (character === '"') {
      this.#at++;
      return this.#string();
    }
    if (character === "{" || character === "[") {
      if (depth > deepestLevel) throw new DecodeError("too-deep", `more than ${deepestLevel} levels`);
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
    let text = "";
    for (;;) {
      text += this.#match(plainText)?.[0] ?? "";
      const character = this.#text[this.#at++];
      if (character === '"') return text;
      if (character !== "\\")
        throw this.#corrupt(character === undefined ? "no end of a text" : "a control character");
      text += this.#escape();
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at++] ?? "";
    const short = escapes[letter];
    if (short !== undefined) return short;
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (letter !== "u" || !/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#corrupt("an unknown escape");
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(digits, 16));
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
    if (tooManyDigits(text.length - (text.startsWith("-") ? 1 : 0))) {
      throw new DecodeError("unsupported-type", "an integer of more than 4300 digits");
    }
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
