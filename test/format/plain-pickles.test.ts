import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { opcode } from "../../src/format/pickle/opcodes.js";
import { check, convertInNoise, dictOf, double, latin1, pickleOf, text } from "./support/plain-pickles.js";
import { maxLength, plainSessions, sessionKeys } from "./support/plain-sessions.js";

describe("plain pickles: plain pickles are written without the pickle machine", () => {
  const rows: readonly (readonly [name: string, bytes: Buffer, json: string, lossy?: true])[] = [
    ["None", dictOf("N"), '{"db": null}'],
    ["booleans", dictOf("](\x88\x89e"), '{"db": [true, false]}'],
    ["small ints", dictOf("](K\x00K\x09K\xffM\xff\xffe"), '{"db": [0, 9, 255, 65535]}'],
    [
      "ints of 32 bits",
      dictOf("](J\x00\x00\x00\x80J\xff\xff\xff\x7fJ\xff\xff\xff\xffJ\x40\x42\x0f\x00e"),
      '{"db": [-2147483648, 2147483647, -1, 1000000]}',
    ],
    [
      "floats",
      dictOf(`](${double(1)}${double(-0)}${double(1e-7)}${double(Number.NaN)}e`),
      '{"db": [1.0, -0.0, 1e-07, NaN]}',
    ],
    ["text with escapes", dictOf(text('"\\\n\x7f\x00/')), '{"db": "\\"\\\\\\n\\u007f\\u0000/"}'],
    [
      "text that is not ASCII",
      dictOf(text("é€\u{10ffff}\ud7ff\ue000")),
      '{"db": "\\u00e9\\u20ac\\udbff\\udfff\\ud7ff\\ue000"}',
    ],
    ["text with a length of four bytes", dictOf("X\x02\x00\x00\x00xy"), '{"db": "xy"}'],
    ["a byte string of Python 2", dictOf("U\x02xy"), '{"db": "xy"}'],
    ["empty containers", dictOf("](]}e"), '{"db": [[], {}]}'],
    [
      "tuples, which JSON has as lists",
      dictOf("()K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87t"),
      '{"db": [[], [1], [1, 2], [1, 2, 3]]}',
      true,
    ],
    ["lists that are filled twice", dictOf("](K\x01eK\x02a(K\x03e"), '{"db": [1, 2, 3]}'],
    ["dicts that are filled twice", pickleOf(`}(${text("db")}K\x01u(${text("b")}K\x02u`), '{"db": 1, "b": 2}'],
    [
      "a text that is remembered",
      pickleOf(`}\x94(${text("db")}\x94${text("b")}\x94h\x02h\x01u`),
      '{"db": "b", "b": "db"}',
    ],
    ["a memo that counts from 1", latin1("\x80\x02}q\x01U\x02dbq\x02h\x02s."), '{"db": "db"}'],
    ["a frame", latin1(`\x80\x04\x95\x08\x00\x00\x00\x00\x00\x00\x00}${text("db")}Ns.`), '{"db": null}'],
    ["bytes after the end", Buffer.concat([dictOf("N"), Buffer.from("rest")]), '{"db": null}'],
    ["a byte string of Python 2 with a length of four bytes", dictOf("T\x02\x00\x00\x00xy"), '{"db": "xy"}'],
    [
      "longs of up to 64 bits",
      dictOf("](\x8a\x00\x8a\x01\xff\x8a\x05\x00\x00\x00\x00\x01\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80e"),
      '{"db": [0, -1, 4294967296, -9223372036854775808]}',
    ],
    [
      "Python 3's protocol 0",
      latin1("(dp0\nVdb\np1\nVa\xe9\np2\nsVuid\np3\nI7\nsVdebug\np4\n(lp5\nI01\naI00\naF1.5\naNasVx\np6\ng2\ns."),
      '{"db": "a\\u00e9", "uid": 7, "debug": [true, false, 1.5, null], "x": "a\\u00e9"}',
    ],
    [
      "Python 2's protocol 0",
      latin1("(dp1\nS'db'\np2\nS\"it's\"\np3\nsS'uid'\np4\nL7L\nsS'debug'\np5\n(I1\nF0.10000000000000001\ntp6\ns."),
      '{"db": "it\'s", "uid": 7, "debug": [1, 0.1]}',
      true,
    ],
    ["Python 2's protocol 1", latin1("}q\x01(U\x02dbq\x02U\x01aU\x03uidq\x03K\x01u."), '{"db": "a", "uid": 1}'],
    [
      "ints as text",
      dictOf("](I0\nI-5\nI999999999999999999\nL-12L\nL0L\ne"),
      '{"db": [0, -5, 999999999999999999, -12, 0]}',
    ],
    ["floats as text", dictOf("](F1\nF-0\nF1e+16\nF.5\nFinf\ne"), '{"db": [1.0, -0.0, 1e+16, 0.5, Infinity]}'],
  ];
  for (const [name, bytes, json, lossy = false] of rows) {
    it(name, () => {
      const plain = convertInNoise(bytes);
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
      assert.equal(convertInNoise(bytes)?.authenticated, truthy);
      assert(check(bytes));
    });
  }

  for (const key of sessionKeys) {
    it(`${key} is a session key`, () => {
      assert.equal(convertInNoise(pickleOf(`}${text(key)}Ns`))?.keys, 1);
      assert.equal(convertInNoise(pickleOf(`}(${text(key)}N${key === "db" ? text("uid") : text("db")}Nu`))?.keys, 2);
    });
  }

  for (const [value, database] of [
    [text("a"), "a"],
    [text(""), ""],
    [text("é"), "é"],
    ["V\xe9\n", "é"],
    ["S'a'\n", "a"],
    ["K\x01", undefined],
    ["]", undefined],
  ] as const) {
    it(`${JSON.stringify(value)} names the database ${database}`, () => {
      assert.equal(convertInNoise(dictOf(value))?.database, database);
      assert(check(dictOf(value)));
      assert.equal(plainSessions.convertPickle(dictOf(value), maxLength)?.database, undefined);
    });
  }
});

describe("plain pickles: what is left to the pickle machine", () => {
  /** A session that would be plain. */
  const session = `}${text("uid")}Ns`;
  const rows: readonly (readonly [name: string, bytes: Buffer])[] = [
    ["no dict", pickleOf("]")],
    ["nothing", Buffer.alloc(0)],
    ["no end", latin1(`\x80\x04${session}`)],
    ["protocol 6", latin1(`\x80\x06${session}.`)],
    ["two values", pickleOf(`${session}${session}`)],
    ["a mark that is left", pickleOf(`${session}(`)],
    ["65 marks", dictOf(`${"(".repeat(65)}${"t".repeat(65)}`)],
    ["no key of a session", pickleOf(`}${text("a")}Ns`)],
    ["an expiration", pickleOf(`${session}${text("expiration")}Ns`)],
    ["a deletion_time", pickleOf(`${session}${text("deletion_time")}Ns`)],
    ["a key twice", pickleOf(`${session}(${text("a")}K\x01${text("a")}K\x02u`)],
    ["a key twice, from two rounds", pickleOf(`${session}${text("a")}K\x01s${text("a")}K\x02s`)],
    ["a key twice, as a byte string too", pickleOf(`${session}${text("a")}K\x01sU\x01aK\x02s`)],
    ["a key twice, in latin1 and UTF-8", pickleOf(`${session}V\xe9\nK\x01s${text("é")}K\x02s`)],
    ["a key that is not text", pickleOf(`${session}K\x01K\x01s`)],
    ["a key without a value", pickleOf(`${session}(${text("a")}u`)],
    ["a key without a value in a new dict", dictOf(`(${text("a")}d`)],
    ["101 keys", dictOf(`}(${Array.from({ length: 101 }, (_, index) => `${text(`${index}`)}N`).join("")}u`)],
    ["a dict with a tag", pickleOf(`${session}${text("_type")}${text("set")}s`)],
    ["a container that is remembered", pickleOf(`${session}(${text("a")}]\x94${text("b")}h\x00u`)],
    ["a dict in itself", pickleOf(`}\x94${text("uid")}h\x00s`)],
    ["a memo number that is not there", dictOf("h\x00")],
    ["a memo number that is left out", latin1(`\x80\x02${session}q\x02.`)],
    ["a memo number twice", latin1(`\x80\x02${session}q\x00q\x00.`)],
    ["a memo without a value", latin1("\x80\x02(q\x00t.")],
    ["numbers of both ways to count", latin1(`\x80\x04${session}q\x01\x94.`)],
    ["a memo number above 32 bits", dictOf("Np0\np4294967297\n")],
    ["a memo number of too many digits", dictOf(`Np0\ng${"9".repeat(30)}\n`)],
    ["a memo number with a zero before it", dictOf("Np00\n")],
    ["a frame that ends early", latin1(`\x80\x04\x95\x01\x00\x00\x00\x00\x00\x00\x00${session}.`)],
    ["a frame that is too long", latin1(`\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00${session}.`)],
    ["a frame longer than 32 bits", latin1(`\x80\x04\x95\x09\x00\x00\x00\x01\x00\x00\x00${session}.`)],
    ["a frame in a frame", dictOf(`\x95\x0c\x00\x00\x00\x00\x00\x00\x00\x95\x03\x00\x00\x00\x00\x00\x00\x00N`)],
    ["half of a surrogate pair", dictOf("\x8c\x03\xed\xa0\x80")],
    ["no UTF-8", dictOf("\x8c\x01\xff")],
    ["a character in more bytes than it takes", dictOf("\x8c\x02\xc0\xaf")],
    ["a character beyond Unicode", dictOf("\x8c\x04\xf4\x90\x80\x80")],
    ["a character that is cut off", dictOf("\x8c\x02\xe2\x82")],
    ["a byte string that is not ASCII", dictOf("U\x02\xc3\xa9")],
    ["a line of a byte string that is not ASCII", dictOf("S'\xc3\xa9'\n")],
    ["a byte string with an escape", dictOf("S'\\n'\n")],
    ["a byte string without a quote", dictOf("S'a\n")],
    ["a byte string of one quote", dictOf("S'\n")],
    ["a byte string with a negative length", dictOf("T\xff\xff\xff\xff")],
    ["text with an escape", dictOf("V\\u20ac\n")],
    ["a line that does not end", latin1(`\x80\x02${session}Va`)],
    ["an int with a zero before it", dictOf("I07\n")],
    ["an int with spaces", dictOf("I 7\n")],
    ["zero with a sign, which is False", dictOf("I-0\n")],
    ["no digits", dictOf("I\n")],
    ["a sign without digits", dictOf("I-\n")],
    ["an int of 19 digits", dictOf("I1000000000000000000\n")],
    ["a long without its letter", dictOf("L7\n")],
    ["a long above 64 bits", dictOf("\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01")],
    ["a float that is no number", dictOf("Fnan\n")],
    ["a float that Python refuses", dictOf("F1_0.5\n")],
    ["items for a list below a mark", pickleOf("](K\x01a")],
    ["items for a text", pickleOf(`}${text("uid")}K\x01as`)],
    ["items for nothing", pickleOf("s")],
    ["a tuple of what is not there", pickleOf("N\x87")],
    ["a set", dictOf("\x8f")],
    ["a name", dictOf("cos\nsystem\n")],
    ["51 levels", dictOf(`${"]".repeat(51)}${"a".repeat(50)}`)],
    ["too long a pickle", dictOf(`X\xf3\x1f\x00\x00${"x".repeat(8179)}`)],
  ];
  for (const [name, bytes] of rows) it(name, () => assert.equal(convertInNoise(bytes), undefined));

  it("more JSON than is allowed", () => {
    const bytes = dictOf(text("x".repeat(100)));
    assert.equal(convertInNoise(bytes, 110)?.text.length, 110);
    assert.equal(convertInNoise(bytes, 109), undefined);
  });

  it("JSON that just fits or just does not is right, or left to the machine, at any depth", () => {
    const often = `${text("\x00".repeat(250))}\x94${"h\x01".repeat(42)}`;
    const deep = `${"]".repeat(48)}${double(-1.2345678901234567e-200)}${"a".repeat(48)}`;
    let plain = 0;
    for (let pad = 0; pad < 900; pad++) {
      const fine = Buffer.from([opcode.binint, 0, 0, 0, 0]);
      fine.writeInt32LE(10 ** (pad % 6), 1);
      const rest = `${fine.toString("latin1")}${"N".repeat(Math.floor(pad / 6))}${deep}`;
      if (check(pickleOf(`}\x94${text("db")}](${often}${rest}es`))) plain++;
    }
    assert(plain > 0 && plain < 900, `${plain} of 900`);
  });

  it("a remembered text that is written until there is no room", () => {
    const many = `${text("\x00".repeat(250))}\x94${"h\x01".repeat(200)}`;
    assert.equal(convertInNoise(pickleOf(`}\x94${text("db")}](${many}es`)), undefined);
  });

  it("a pickle that is as long as it may be is plain", () => {
    const bytes = dictOf(`X\xf2\x1f\x00\x00${"x".repeat(8178)}`);
    assert.equal(bytes.length, 8192);
    assert(check(bytes));
  });
});
