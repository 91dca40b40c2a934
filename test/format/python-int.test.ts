import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DecodeError } from "../../src/format/decode-error.js";
import {
  parseFloatText,
  parseIntText,
  parseLittleEndianInt,
  parseLongText,
  parseMemoText,
} from "../../src/format/python-int.js";
import { askPython } from "../support/python/ask-python.js";

/** No line end: it ends an argument. */
const spaces = ["", " ", "\t", "\v", "\f", "\r", "\0", "\0x", "L", "\x1c", "\x85", "\xa0"];
const signs = ["", "+", "-", "--", "+-", "- "];
const bodies = [
  ...[
    "",
    "0",
    "00",
    "0_0",
    "01",
    "1",
    "12",
    "1_2",
    "1__2",
    "_1",
    "1_",
    "1 2",
    "9007199254740991",
    "9007199254740992",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854775809",
    "5",
    "0_5",
    "010",
    "08",
    "0777777777777777777777",
    "01777777777777777777777",
    "0x7fffffffffffffff",
    "0x8000000000000001",
    `0${"0".repeat(30)}7`,
  ],
  ...[
    "0x1f",
    "0X_1F",
    "0x",
    "0x_",
    "0x1_",
    "0xg",
    "0o17",
    "0O_7",
    "0o8",
    "0b101",
    "0B_1",
    "0b2",
    "0_x1",
    "1f",
    "½",
    "²",
  ],
  ...[
    "1.0",
    "1.",
    ".5",
    ".",
    "1_0.0_1",
    "1_.0",
    "1._0",
    "1e5",
    "1E+5",
    "1e-5",
    "1e",
    "1e_5",
    "1_e5",
    "1e5_0",
    "1e400",
    "1e-400",
    "1.7976931348623157e308",
    "1.7976931348623159e308",
    "1e00000000000000000005",
    "1e99999999999999999999",
    "e5",
  ],
  ...["inf", "Infinity", "INFINITY", "infinit", "nan", "NaN", "nan(1)", "i_nf", "0x1p3", "1L", "True"],
  ...[`1${"0".repeat(4299)}`, `${"9".repeat(4300)}`, `1${"0".repeat(4300)}`, "0".repeat(4301)],
  ...[`0x${"f".repeat(3570)}`, `0x${"f".repeat(3700)}`],
];
const texts = bodies.flatMap((body) =>
  body.length > 1000
    ? ["", "-"].map((sign) => sign + body)
    : spaces.flatMap((space) => signs.flatMap((sign) => [space + sign + body, sign + body + space])),
);

/** What a parser reads from a latin1 text, as text; `null` for a refusal of either kind. */
function textOf(parse: (text: string) => number | bigint | boolean | undefined, text: string): string | null {
  try {
    const value = parse(text);
    return value === undefined ? null : String(value);
  } catch (error) {
    assert(error instanceof DecodeError && error.reason === "unsupported-type", String(error));
    return null;
  }
}

/** What the C `pickle.Unpickler` reads as an opcode's argument, if that can be printed. */
const read = `import struct, pickle
def load(item, before, after):
    try:
        return pickle.loads(before + item.encode('latin1') + b'\\n' + after)
    except (pickle.UnpicklingError, MemoryError) as error:
        raise ValueError from error
def shown(value):
    return str(value).lower() if isinstance(value, bool) else str(value)`;

/** Python's answer beside ours, for each text for which they differ. */
async function differences(expression: string, ours: (text: string) => string | null): Promise<string[]> {
  const answers = await askPython<string>(expression, texts, read);
  return texts.flatMap((text, index) =>
    ours(text) === answers[index]
      ? []
      : [`${JSON.stringify(text.slice(0, 40))}: Python ${answers[index]}, here ${ours(text)}`],
  );
}

describe("python-int: numbers as the C unpickler reads them", () => {
  it(`INT, ${texts.length} texts`, async () => {
    const here = (text: string) => textOf(parseIntText, text);
    assert.deepEqual(await differences("shown(load(item, b'I', b'.'))", here), []);
  });

  it(`LONG, ${texts.length} texts`, async () => {
    const here = (text: string) => textOf(parseLongText, text);
    assert.deepEqual(await differences("shown(load(item, b'L', b'.'))", here), []);
  });

  it(`PUT, ${texts.length} texts`, async () => {
    // The first value is remembered as number 5, so BINGET finds it or does not.
    const here = (text: string) => (textOf(parseMemoText, text) === "5" ? "7" : null);
    assert.deepEqual(await differences("shown(load(item, b'K\\x07p', b'0h\\x05.'))", here), []);
  });

  it(`GET, ${texts.length} texts`, async () => {
    const here = (text: string) => (textOf(parseMemoText, text) === "1" ? "7" : null);
    assert.deepEqual(await differences("shown(load(item, b'K\\x07q\\x010g', b'.'))", here), []);
  });

  it(`FLOAT, ${texts.length} texts`, async () => {
    const hex = (text: string) => {
      const value = parseFloatText(text);
      if (value === undefined) return null;
      if (Number.isNaN(value)) return "nan";
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleBE(value);
      return bytes.toString("hex");
    };
    const expression = "(lambda v: 'nan' if v != v else struct.pack('>d', v).hex())(load(item, b'F', b'.'))";
    assert.deepEqual(await differences(expression, hex), []);
  });

  it("ints stay numbers while that is exact", () => {
    assert.equal(parseMemoText("9007199254740991"), 9007199254740991);
    assert.equal(parseMemoText("-9007199254740992"), -9007199254740992n);
    assert.equal(parseIntText("0x20000000000001"), 9007199254740993n);
  });

  it("a binary int of more than 4300 binary but fewer decimal digits is read as in Python", () => {
    assert.equal(textOf(parseLongText, `0b1${"0".repeat(4400)}`), String(2n ** 4400n));
  });

  it("leading zeros of a hexadecimal int do not count, as in Python", () => {
    assert.equal(textOf(parseLongText, `0x${"0".repeat(5000)}1`), "1");
  });

  it("text that is no number is refused in linear time", () => {
    for (const text of [`${"1".repeat(16_000)}x`, `${"1_1".repeat(5000)}x`, `.${"1".repeat(16_000)}x`]) {
      const began = performance.now();
      assert.equal(parseFloatText(text), undefined);
      assert.equal(textOf(parseLongText, text), null);
      assert.equal(textOf(parseMemoText, text), null);
      assert(performance.now() - began < 200, `${performance.now() - began} ms`);
    }
  });
});

describe("python-int: LONG1 and LONG4, little-endian two's complement", () => {
  const rows: readonly (readonly [hex: string, value: number | bigint])[] = [
    ["", 0],
    ["00", 0],
    ["7f", 127],
    ["80", -128],
    ["ff", -1],
    ["ff00", 255],
    ["ffffffffffff1f", 9007199254740991],
    ["00000000000020", 9007199254740992n],
    ["000000000000e0", -9007199254740992n],
    ["010000000000000000", 1],
    ["ffffffffffffffffff", -1],
    [`00${"00".repeat(10)}01`, 2n ** 88n],
  ];
  for (const [hex, value] of rows)
    it(hex || "no bytes", () => assert.equal(parseLittleEndianInt(Buffer.from(hex, "hex")), value));

  it("sign extension of any length costs nothing", () => {
    assert.equal(parseLittleEndianInt(Buffer.alloc(10_000_000, 0xff)), -1);
    assert.equal(parseLittleEndianInt(Buffer.alloc(10_000_000)), 0);
  });

  it("accepts 4300 digits and refuses 4301", () => {
    const most = 10n ** 4300n;
    for (const [value, taken] of [
      [most - 1n, true],
      [most, false],
      [-most + 1n, true],
      [-most, false],
    ] as const) {
      const hex = BigInt.asUintN(2000 * 8, value)
        .toString(16)
        .padStart(4000, "0");
      const read = () => parseLittleEndianInt(Buffer.from(hex, "hex").reverse());
      if (taken) assert.equal(read(), value);
      else assert.throws(read, { name: "DecodeError", reason: "unsupported-type" });
    }
  });
});
