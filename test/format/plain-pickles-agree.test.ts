import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { opcode } from "../../src/format/pickle/opcodes.js";
import { projectRoot } from "../support/project.js";
import { opcodeSoup } from "../support/sessions/opcode-soup.js";
import { damaged } from "./support/damaged.js";
import { check, double, pickleOf, text } from "./support/plain-pickles.js";
import { agreesOnBeginnings, pickles } from "./support/plain-sessions.js";

const latin1Of = (bytes: readonly number[]) => Buffer.from(bytes).toString("latin1");

/** A value that is plain, or almost, as one of the picklers writes it. */
const plainValue = fc.letrec<{ value: string; key: string; item: string; line: string }>((tie) => ({
  key: fc.oneof(
    {
      weight: 5,
      arbitrary: fc.constantFrom("a", "b", "uid", "expiration", "_typ", "_type", "", "é").map(text),
    },
    fc.string({ maxLength: 5, unit: "binary" }).map(text),
    fc.constantFrom("U\x01a", "X\x01\x00\x00\x00a", "h\x00", "h\x01", "h\x02", "K\x01", "N"),
    fc.constantFrom("Va\n", "S'b'\n", "V\xe9\n", "V\xc3\xa9\n", "S'\\x62'\n", "g0\n", "T\x01\x00\x00\x00a"),
  ),
  item: fc.oneof(
    fc.constantFrom("N", "\x88", "\x89", "K\x00", "K\x07", "M\x34\x12", "J\xff\xff\xff\xff", ")", "]", "}"),
    fc.double().map(double),
    fc.string({ maxLength: 10, unit: "binary" }).map(text),
    fc.string({ maxLength: 10, unit: "grapheme" }).map(text),
    fc.nat(4).map((number) => `h${String.fromCharCode(number)}`),
    fc.constantFrom("h\x00", "U\x03a\x80b", "\x8c\x03\xed\xa0\x80"),
    tie("line"),
  ),
  // What protocols 0 and 1 write, or almost.
  line: fc.oneof(
    fc.maxSafeInteger().chain((number) => fc.constantFrom(`I${number}\n`, `L${number}L\n`)),
    fc.double().map((number) => `F${number}\n`),
    fc.string({ maxLength: 10 }).map((value) => `V${value}\n`),
    fc.string({ maxLength: 10 }).map((value) => `S'${value}'\n`),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => `V${Buffer.from(bytes).toString("latin1")}\n`),
    fc.uint8Array({ maxLength: 9 }).map((bytes) => `\x8a${latin1Of([bytes.length, ...bytes])}`),
    fc
      .tuple(fc.constantFrom("I", "L", "F", "g", "S", "V"), fc.stringMatching(/^[-+ 01e.L_'"\\]{0,5}$/))
      .map(([code, argument]) => `${code}${argument}\n`),
    fc.constantFrom("I00\n", "I01\n", "I-0\n", "F1\n", "Fnan\n", 'S"a"\n', "g0\n", "g1\n", "p0\n", "Np0\n", "Np1\n"),
  ),
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    tie("item"),
    fc.tuple(tie("item"), fc.constantFrom("\x94", "q\x00", "q\x01", "p0\n", "p1\n")).map(([item, memo]) => item + memo),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `](${items.join("")}e`),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `]\x94${items.map((item) => `${item}a`).join("")}`),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `(${items.join("")}t`),
    fc.array(tie("value"), { maxLength: 4 }).map((items) => `(${items.join("")}l`),
    fc.array(fc.tuple(tie("key"), tie("value")), { maxLength: 4 }).map((items) => `(${items.flat().join("")}d`),
    tie("value").map((item) => `${item}\x85`),
    fc.tuple(tie("value"), tie("value")).map((items) => `${items.join("")}\x86`),
    fc.array(fc.tuple(tie("key"), tie("value")), { maxLength: 4 }).map((items) => `}(${items.flat().join("")}u`),
    fc
      .array(fc.tuple(tie("key"), tie("value")), { maxLength: 4 })
      .map((items) => `}\x94${items.map(([key, value]) => `${key}${value}s`).join("")}`),
  ),
})).value;
const plainSession = fc
  .record({
    items: fc.array(fc.tuple(fc.constantFrom("db", "uid", "login", "", "b").map(text), plainValue), {
      maxLength: 5,
    }),
    memo: fc.boolean(),
  })
  .map(({ items, memo }) => pickleOf(`}${memo ? "\x94" : ""}(${items.flat().join("")}u`));
const folder = join(projectRoot, "fixtures");
const fixtures = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.(?:p[0-5]|sess|pickle)$/.test(file))
  .map((file) => readFileSync(join(folder, file)))
  .filter((bytes) => bytes.length < 4096);
/** `npm run fuzz` sets it. */
const numRuns = Number(process.env["TELE_SESSIONS_PLAIN"] ?? 6000);

describe("plain pickles: the fast path agrees with the pickle machine, whatever its memory holds", () => {
  const kinds = [
    ["plain values", plainSession, 0.04],
    ["damaged ones", damaged(fc.oneof(plainSession, fc.constantFrom(...fixtures))), 0.02],
    ["opcodes in any order", opcodeSoup, 0],
  ] as const;
  for (const [name, arbitrary, least] of kinds) {
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

  it("of fixtures of all protocols, and of their beginnings", () => {
    const plainOf = new Map<number, number>();
    for (const bytes of fixtures) {
      if (!check(bytes)) continue;
      const protocol = bytes[0] === opcode.proto ? (bytes[1] ?? 0) : 0;
      plainOf.set(protocol, (plainOf.get(protocol) ?? 0) + 1);
      agreesOnBeginnings(pickles, bytes);
    }
    for (const protocol of [0, 2, 3, 4, 5]) {
      const plain = plainOf.get(protocol) ?? 0;
      assert(plain >= 3, `${plain} of protocol ${protocol}`);
    }
  });
});

describe("plain pickles: as many values, places and numbers as a pickle can hold", () => {
  const start = `\x80\x04}${text("db")}](`;
  const room = 8192 - start.length - "es.".length;
  const rows: readonly (readonly [part: string, isPlain: boolean])[] = [
    ["N", true],
    ["]", true],
    ["N\x94", true],
    ["Nq\x00", false],
    [")\x85", true],
    [")\x85\x85", true],
    ["(", false],
    ["(l", true],
    ["(N", false],
    ["]a", false],
    ["I1\n", true],
    ["F1\n", true],
    ["V\n", true],
    ["K\x00", true],
    ["\x8c\x00", true],
    ["h\x00", false],
    ["\x94", false],
    ["\x85", false],
    ["\x80\x04", true],
  ];
  for (const [part, isPlain] of rows) {
    it(`${JSON.stringify(part)} to the end is ${isPlain ? "plain" : "left to the machine"}`, () => {
      const parts = part.repeat(Math.floor(room / part.length));
      assert.equal(check(Buffer.from(`${start}${parts}es.`, "latin1")), isPlain);
    });
  }

  it("a text that is remembered, until it is recalled", () => {
    assert(check(Buffer.from(`${start}${text("a")}\x94${"h\x00".repeat(4000)}es.`, "latin1")));
  });
});
