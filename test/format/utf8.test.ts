import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import type { PythonSplitText } from "../../src/format/python-value.js";
import { decodeUtf8 } from "../../src/format/utf8.js";
import { askPython } from "../support/python/ask-python.js";
import { expectedOf, kept } from "./support/kept.js";

const splitText = (text: string): PythonSplitText => ({ kind: "split-text", text });

function decode(hex: string): string | PythonSplitText | undefined {
  const bytes = Buffer.from(`ff${hex.replaceAll(" ", "")}ff`, "hex");
  return decodeUtf8(bytes, 1, bytes.length - 1, splitText);
}

const rows: readonly (readonly [name: string, hex: string, expected: ReturnType<typeof decode>])[] = [
  ["nothing", "", ""],
  ["ASCII with NUL and DEL", "00 41 7f", "\0A\x7f"],
  ["two, three and four bytes", "c3bc e282ac f09f9880", "ü€😀"],
  ["the replacement character itself", "efbfbd", "\ufffd"],
  ["a byte order mark stays", "efbbbf 41", "\ufeffA"],
  ["the last character", "f48fbfbf", "\u{10ffff}"],
  ["a lone high surrogate", "eda080", "\ud800"],
  ["a lone low surrogate", "edb080", "\udc00"],
  ["a lone surrogate beside other text", "41 eda080 c3bc", "A\ud800ü"],
  ["low before high: two characters, no pair", "edb080 eda080", "\udc00\ud800"],
  ["high beside low: another text than the pair", "eda0bd edb880", splitText("\ud83d\ude00")],
  ["high, high, low", "eda080 eda0bd edb880", splitText("\ud800\ud83d\ude00")],
  ["the pair itself", "f09f9880 eda080", "😀\ud800"],
  ["overlong NUL", "c080", undefined],
  ["overlong three bytes", "e0809f", undefined],
  ["overlong four bytes", "f0808080", undefined],
  ["above the last character", "f4908080", undefined],
  ["a stray continuation", "80", undefined],
  ["truncated by the end given, not by the buffer's", "c3", undefined],
  ["truncated in three", "e282", undefined],
  ["an invalid lead byte", "f8808080", undefined],
  ["ff", "ff", undefined],
];

describe("utf8: a pickle's text, with surrogates (formats.md section 3)", () => {
  for (const [name, hex, expected] of rows) it(name, () => assert.deepEqual(decode(hex), expected));

  it("agrees with Python about 20,000 random and damaged texts", async () => {
    const texts = [...rows.map(([, hex]) => hex.replaceAll(" ", "")), ...Array.from({ length: 20_000 }, randomText)];
    const expected = await askPython<number[]>(
      "[ord(c) for c in bytes.fromhex(item).decode('utf-8', 'surrogatepass')]",
      texts,
    );
    const wrong = texts.filter((hex, index) => kept(decode(hex)) !== expectedOf(expected[index]));
    assert.deepEqual(wrong, []);
  });
});

/** A few characters of every length, surrogates among them; one in three has a byte changed. */
function randomText(): string {
  const random = randomBytes(24);
  const limits = [0x80, 0x800, 0x10000, 0x110000];
  const parts = Array.from({ length: (random[0] ?? 0) % 5 }, (_, index) => {
    const limit = limits[(random[index + 1] ?? 0) % 4] ?? 0x80;
    const point =
      (random[index + 1] ?? 0) > 0xd0
        ? 0xd800 + (random.readUInt32LE(8 + 2 * index) % 0x800)
        : random.readUInt32LE(8 + 2 * index) % limit;
    return encodePoint(point);
  });
  const bytes = Buffer.concat(parts);
  if (bytes.length > 0 && (random[6] ?? 0) % 3 === 0) bytes[(random[7] ?? 0) % bytes.length] = random[20] ?? 0;
  return bytes.toString("hex");
}

function encodePoint(point: number): Buffer {
  if (point < 0xd800 || point > 0xdfff) return Buffer.from(String.fromCodePoint(point));
  return Buffer.from([0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)]);
}
