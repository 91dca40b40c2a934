import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeRawUnicodeEscape, unquoteBytes } from "../../src/format/pickle/text-escapes.js";
import type { PythonSplitText } from "../../src/format/python-value.js";
import { askPython } from "../support/python/ask-python.js";
import { expectedOf, kept } from "./support/kept.js";

/** No line ends: a literal and an escaped text each take a line of their own. */
const pieces = [
  ...[
    "a",
    "'",
    '"',
    "\\",
    "\\\\",
    "\\n",
    "\\x41",
    "\\x4",
    "\\xg1",
    "\\101",
    "\\8",
    "\\777",
    "\\0",
    "\\N",
    "\xe9",
    "\r",
  ],
  ...[
    "\\u0041",
    "\\u00e",
    "\\u",
    "\\U0001f600",
    "\\U00110000",
    "\\U0000d83d",
    "\\U",
    "\\ud83d",
    "\\ude00",
    "u",
    "0041",
    "\0",
  ],
];
const texts = [
  ...pieces,
  ...pieces.flatMap((one) => pieces.map((other) => one + other)),
  ...pieces.flatMap((one) => pieces.flatMap((other) => pieces.map((third) => one + other + third))),
];

const splitText = (text: string): PythonSplitText => ({ kind: "split-text", text });

const unquote = (literal: string): string | undefined => unquoteBytes(literal)?.toString("latin1");

describe("text-escapes: a Python 2 string literal's bytes", () => {
  it(`agrees with codecs.escape_decode about ${texts.length} texts`, async () => {
    const expected = await askPython<string>(
      "codecs.escape_decode(item.encode('latin1'))[0].decode('latin1')",
      texts,
      "import codecs",
    );
    const wrong = texts.flatMap((text, index) =>
      (unquote(`'${text}'`) ?? null) === expected[index]
        ? []
        : [`${JSON.stringify(text)}: ${expected[index]}, not ${unquote(`'${text}'`)}`],
    );
    assert.deepEqual(wrong, []);
  });

  for (const literal of ["", "'", '"', "a", "aa", "'a\"", "\"a'", "'a", "a'", "(a)"])
    it(`no literal: ${literal}`, () => assert.equal(unquote(literal), undefined));
  it("both quotes work, and each may stand inside the other", () => {
    assert.equal(unquote(`"it's"`), "it's");
    assert.equal(unquote(`'say "x"'`), 'say "x"');
  });
});

describe("text-escapes: raw-unicode-escape of protocol 0", () => {
  it(`agrees with Python about ${texts.length} texts`, async () => {
    const expected = await askPython<number[]>(
      "[ord(c) for c in item.encode('latin1').decode('raw-unicode-escape')]",
      texts,
    );
    const wrong = texts.flatMap((text, index) => {
      const ours = kept(decodeRawUnicodeEscape(text, splitText));
      return ours === expectedOf(expected[index]) ? [] : [`${JSON.stringify(text)}: ${expected[index]}, not ${ours}`];
    });
    assert.deepEqual(wrong, []);
  });

  it("two surrogates that were escaped separately are no pair", () => {
    assert.deepEqual(decodeRawUnicodeEscape("\\ud83d\\ude00", splitText), splitText("\ud83d\ude00"));
    assert.equal(decodeRawUnicodeEscape("\\ud83d \\ude00", splitText), "\ud83d \ude00");
    assert.equal(decodeRawUnicodeEscape("\\U0001f600", splitText), "😀");
  });
});
