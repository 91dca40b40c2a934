import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { DecodeError } from "../../src/format/decode-error.js";
import { writePlainJson } from "../../src/format/pickle/fast/plain-json.js";
import { PlainTape } from "../../src/format/pickle/fast/plain-tape.js";
import { readPlain } from "../../src/format/pickle/fast/read-plain.js";
import { opcode } from "../../src/format/pickle/opcodes.js";
import { unpickle } from "../../src/format/pickle/unpickle.js";
import { writePythonJson } from "../../src/format/python-json.js";
import { isKind, isTruthy } from "../../src/format/python-value.js";
import { opcodeSoup } from "../support/opcode-soup.js";
import { projectRoot } from "../support/project.js";

const maxLength = 64 * 1024;
const keys = ["uid", "expiration", "a", ""] as const;

/** A session's JSON, and whether each of some keys exists and is truthy. */
interface Known {
  readonly text: string;
  readonly lossy: boolean;
  readonly keys: readonly (boolean | undefined)[];
}

const tape = new PlainTape();

function knownOfPlain(bytes: Buffer): Known | undefined {
  const root = readPlain(tape, bytes);
  const json = root === 0 ? undefined : writePlainJson(tape, root, maxLength);
  if (json === undefined) return undefined;
  const values = keys.map((key) => tape.valueOf(root, key));
  return { ...json, keys: values.map((value) => (value === 0 ? undefined : tape.isTruthy(value))) };
}

function readByMachine(bytes: Buffer): Known | string {
  try {
    const session = unpickle(bytes, 1_000_000);
    if (!isKind(session, "dict")) return "no dict";
    const json = writePythonJson(session, maxLength);
    const values = keys.map((key) => session.values.get(key));
    return { ...json, keys: values.map((value) => (value === undefined ? undefined : isTruthy(value))) };
  } catch (error) {
    if (error instanceof DecodeError) return error.message;
    throw error;
  }
}

/** Checks a plain reading against the pickle machine's; returns whether the pickle is plain. */
function check(bytes: Buffer): boolean {
  const plain = knownOfPlain(bytes);
  if (plain !== undefined) assert.deepEqual(plain, readByMachine(bytes), bytes.toString("base64"));
  return plain !== undefined;
}

const latin1 = (text: string) => Buffer.from(text, "latin1");
/** A text of up to 255 bytes, as protocol 4 writes it. */
const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([opcode.shortBinunicode, bytes.length]), bytes]).toString("latin1");
};
const pickleOf = (body: string) => latin1(`\x80\x04${body}.`);
/** A dict with one key, `a`. */
const dictOf = (value: string) => pickleOf(`}${text("a")}${value}s`);
const double = (value: number) => {
  const bytes = Buffer.alloc(9, opcode.binfloat);
  bytes.writeDoubleBE(value, 1);
  return bytes.toString("latin1");
};

describe("plain-json: plain pickles are written without the pickle machine", () => {
  const rows: readonly (readonly [name: string, bytes: Buffer, json: string, lossy?: true])[] = [
    ["an empty dict", pickleOf("}"), "{}"],
    ["None", dictOf("N"), '{"a": null}'],
    ["booleans", dictOf("](\x88\x89e"), '{"a": [true, false]}'],
    ["small ints", dictOf("](K\x00K\x09K\xffM\xff\xffe"), '{"a": [0, 9, 255, 65535]}'],
    [
      "ints of 32 bits",
      dictOf("](J\x00\x00\x00\x80J\xff\xff\xff\x7fJ\xff\xff\xff\xffJ\x40\x42\x0f\x00e"),
      '{"a": [-2147483648, 2147483647, -1, 1000000]}',
    ],
    [
      "floats",
      dictOf(`](${double(1)}${double(-0)}${double(1e-7)}${double(Number.NaN)}e`),
      '{"a": [1.0, -0.0, 1e-07, NaN]}',
    ],
    ["text with escapes", dictOf(text('"\\\n\x7f\x00/')), '{"a": "\\"\\\\\\n\\u007f\\u0000/"}'],
    [
      "text that is not ASCII",
      dictOf(text("é€\u{10ffff}\ud7ff\ue000")),
      '{"a": "\\u00e9\\u20ac\\udbff\\udfff\\ud7ff\\ue000"}',
    ],
    ["text with a length of four bytes", dictOf("X\x02\x00\x00\x00xy"), '{"a": "xy"}'],
    ["a byte string of Python 2", dictOf("U\x02xy"), '{"a": "xy"}'],
    ["empty containers", dictOf("](]}e"), '{"a": [[], {}]}'],
    [
      "tuples, which JSON has as lists",
      dictOf("()K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t"),
      '{"a": [[], [1], [1, 2], [1, 2, 3]]}',
      true,
    ],
    ["lists that are filled twice", dictOf("](K\x01eK\x02a(K\x03e"), '{"a": [1, 2, 3]}'],
    ["dicts that are filled twice", pickleOf(`}(${text("a")}K\x01u(${text("b")}K\x02u`), '{"a": 1, "b": 2}'],
    [
      "a text that is remembered",
      pickleOf(`}\x94(${text("a")}\x94${text("b")}\x94h\x02h\x01u`),
      '{"a": "b", "b": "a"}',
    ],
    ["a memo that counts from 1", latin1("\x80\x02}q\x01U\x01aq\x02h\x02s."), '{"a": "a"}'],
    ["a frame", latin1("\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00}."), "{}"],
    ["bytes after the end", latin1("\x80\x04}.rest"), "{}"],
  ];
  for (const [name, bytes, json, lossy = false] of rows) {
    it(name, () => {
      const plain = knownOfPlain(bytes);
      assert.deepEqual([plain?.text, plain?.lossy], [json, lossy]);
      assert(check(bytes));
    });
  }

  for (const [name, value, truthy] of [
    ["None", "N", false],
    ["True", "\x88", true],
    ["False", "\x89", false],
    ["0", "K\x00", false],
    ["2", "K\x02", true],
    ["0.0", double(0), false],
    ["NaN", double(Number.NaN), true],
    ["no text", text(""), false],
    ["a text", text("0"), true],
    ["no byte", "U\x00", false],
    ["an empty list", "]", false],
    ["a list", "]Na", true],
    ["an empty tuple", ")", false],
    ["a tuple", "N\x85", true],
    ["an empty dict", "}", false],
  ] as const) {
    it(`${name} as a uid is ${truthy ? "truthy" : "falsy"}`, () => {
      const bytes = pickleOf(`}${text("uid")}${value}s`);
      assert.equal(knownOfPlain(bytes)?.keys[0], truthy);
      assert(check(bytes));
    });
  }
});

describe("plain-json: what is left to the pickle machine", () => {
  const rows: readonly (readonly [name: string, bytes: Buffer])[] = [
    ["no dict", pickleOf("]")],
    ["nothing", Buffer.alloc(0)],
    ["no end", latin1("\x80\x04}")],
    ["protocol 6", latin1("\x80\x06}.")],
    ["two values", pickleOf("}}")],
    ["a mark that is left", pickleOf("}(")],
    ["a key twice", pickleOf(`}(${text("a")}K\x01${text("a")}K\x02u`)],
    ["a key twice, from two rounds", pickleOf(`}${text("a")}K\x01s${text("a")}K\x02s`)],
    ["a key that is not text", pickleOf("}K\x01K\x01s")],
    ["a key without a value", pickleOf(`}(${text("a")}u`)],
    ["a dict with a tag", pickleOf(`}${text("_type")}${text("set")}s`)],
    ["a container that is remembered", pickleOf(`}(${text("a")}]\x94${text("b")}h\x00u`)],
    ["a dict in itself", pickleOf(`}\x94${text("a")}h\x00s`)],
    ["a memo number that is not there", dictOf("h\x00")],
    ["a memo number that is left out", latin1("\x80\x02}q\x02.")],
    ["a memo number twice", latin1("\x80\x02}q\x00q\x00.")],
    ["a frame that ends early", latin1("\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00}.")],
    ["a frame that is too long", latin1("\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00}.")],
    ["half of a surrogate pair", dictOf("\x8c\x03\xed\xa0\x80")],
    ["no UTF-8", dictOf("\x8c\x01\xff")],
    ["a character in more bytes than it takes", dictOf("\x8c\x02\xc0\xaf")],
    ["a character beyond Unicode", dictOf("\x8c\x04\xf4\x90\x80\x80")],
    ["a character that is cut off", dictOf("\x8c\x02\xe2\x82")],
    ["a byte string that is not ASCII", dictOf("U\x02\xc3\xa9")],
    ["items for a list below a mark", pickleOf(`](K\x01a`)],
    ["items for a text", pickleOf(`}${text("a")}K\x01as`)],
    ["a set", dictOf("\x8f")],
    ["a name", dictOf("cos\nsystem\n")],
    ["51 levels", dictOf(`${"]".repeat(51)}${"a".repeat(50)}`)],
    ["too long a text", dictOf(`X\x00\x10\x00\x00${"\x00".repeat(4096)}`.padEnd(10_000, "\x00"))],
  ];
  for (const [name, bytes] of rows) it(name, () => assert.equal(knownOfPlain(bytes), undefined));

  it("more JSON than is allowed", () => {
    const root = readPlain(tape, dictOf(text("x".repeat(100))));
    assert.equal(writePlainJson(tape, root, 109)?.text.length, 109);
    assert.equal(writePlainJson(tape, root, 108), undefined);
  });

  it("JSON that just fits or just does not is right, or left to the machine, at any depth", () => {
    const often = `${text("\x00".repeat(250))}\x94${"h\x01".repeat(42)}`;
    const deep = `${"]".repeat(48)}${double(-1.2345678901234567e-200)}${"a".repeat(48)}`;
    let plain = 0;
    for (let pad = 0; pad < 900; pad++) {
      const fine = Buffer.from([opcode.binint, 0, 0, 0, 0]);
      fine.writeInt32LE(10 ** (pad % 6), 1);
      const rest = `${fine.toString("latin1")}${"N".repeat(Math.floor(pad / 6))}${deep}`;
      const bytes = pickleOf(`}\x94${text("a")}](${often}${rest}es`);
      const root = readPlain(tape, bytes);
      assert.notEqual(root, 0);
      const json = writePlainJson(tape, root, 1_000_000);
      if (json === undefined) continue;
      plain++;
      assert.equal(json.text, writePythonJson(unpickle(bytes, 1_000_000), 1_000_000).text);
    }
    assert(plain > 0 && plain < 900, `${plain} of 900`);
  });

  it("a remembered text that is written until there is no room", () => {
    const many = `${text("\x00".repeat(250))}\x94${"h\x01".repeat(200)}`;
    const bytes = pickleOf(`}\x94${text("a")}](${many}es`);
    assert.equal(knownOfPlain(bytes), undefined);
  });
});

/** A value that is plain, or almost, as one of the picklers writes it. */
const plainValue = fc.letrec<{ value: string; key: string; item: string }>((tie) => ({
  key: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom("a", "b", "uid", "expiration", "_typ", "_type", "", "é").map(text),
    },
    fc.string({ maxLength: 5, unit: "binary" }).map(text),
    fc.constantFrom("U\x01a", "X\x01\x00\x00\x00a", "h\x00", "h\x01", "h\x02", "K\x01", "N"),
  ),
  item: fc.oneof(
    fc.constantFrom("N", "\x88", "\x89", "K\x00", "K\x07", "M\x34\x12", "J\xff\xff\xff\xff", ")", "]", "}"),
    fc.double().map(double),
    fc.string({ maxLength: 10, unit: "binary" }).map(text),
    fc.string({ maxLength: 10, unit: "grapheme" }).map(text),
    fc.nat(4).map((number) => `h${String.fromCharCode(number)}`),
    fc.constantFrom("h\x00", "U\x03a\x80b", "\x8c\x03\xed\xa0\x80"),
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("item"),
    fc.tuple(tie("item"), fc.constantFrom("\x94", "q\x00", "q\x01")).map(([item, memo]) => item + memo),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `](${items.join("")}e`),
    fc
      .array(tie("value"), { maxLength: 4 })
      .map((items) => `]\x94${items.map((item) => `${item}a`).join("")}`),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `(${items.join("")}t`),
    tie("value").map((item) => `${item}\x85`),
    fc.tuple(tie("value"), tie("value")).map((items) => `${items.join("")}\x86`),
    fc
      .array(fc.tuple(tie("key"), tie("value")), { maxLength: 4 })
      .map((items) => `}(${items.flat().join("")}u`),
    fc
      .array(fc.tuple(tie("key"), tie("value")), { maxLength: 4 })
      .map((items) => `}\x94${items.map(([key, value]) => `${key}${value}s`).join("")}`),
  ),
})).value;
const plainSession = fc
  .record({
    items: fc.array(fc.tuple(fc.constantFrom("a", "uid", "", "b", "cc").map(text), plainValue), {
      maxLength: 5,
    }),
    memo: fc.boolean(),
  })
  .map(({ items, memo }) => pickleOf(`}${memo ? "\x94" : ""}(${items.flat().join("")}u`));
/** A pickle with a few bytes changed or cut off. */
const damaged = fc
  .record({
    bytes: plainSession,
    changes: fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 3 }),
    cut: fc.option(fc.nat(200)),
  })
  .map(({ bytes, changes, cut }) => {
    for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
    return cut === null ? bytes : bytes.subarray(0, cut);
  });

describe("plain-json: the fast path agrees with the pickle machine", () => {
  const kinds = [
    ["plain values", plainSession, 6000, 0.1],
    ["damaged ones", damaged, 6000, 0.02],
    ["opcodes in any order", opcodeSoup, 6000, 0],
  ] as const;
  for (const [name, arbitrary, numRuns, least] of kinds) {
    it(`${name}: ${numRuns} runs`, () => {
      let plain = 0;
      fc.assert(
        fc.property(arbitrary, (bytes) => {
          if (check(bytes)) plain++;
        }),
        { numRuns },
      );
      assert(plain >= least * numRuns, `only ${plain} were plain`);
    });
  }

  it("and of the fixtures", () => {
    const folder = join(projectRoot, "fixtures");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) =>
      /\.(?:p[0-5]|sess|pickle)$/.test(file),
    );
    const plain = files.filter((file) => check(readFileSync(join(folder, file))));
    assert(plain.length >= 20, `${plain.length} of ${files.length}`);
  });
});
