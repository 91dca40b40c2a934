import fc from "fast-check";
import { opcode } from "../../../src/format/pickle/opcodes.js";

/** An opcode with the arguments that it takes, so that long runs of them stay well-formed. */
const withArguments: fc.Arbitrary<Buffer> = fc.oneof(
  fc.constantFrom(...Object.values(opcode)).map((code) => Buffer.from([code])),
  fc
    .constantFrom("}", "]", ")", "(", "N", "\x88", "\x89", "\x8f", "\x94", "0", "2")
    .map((code) => Buffer.from(code, "latin1")),
  fc
    .constantFrom("s", "u", "a", "e", "t", "l", "d", "\x85", "\x86", "\x87", "\x90", "\x91")
    .map((code) => Buffer.from(code, "latin1")),
  fc.nat(255).map((value) => Buffer.from([opcode.binint1, value])),
  fc.nat(4).map((index) => Buffer.from([opcode.binget, index])),
  fc.nat(4).map((index) => Buffer.from([opcode.binput, index])),
  fc.double().map((value) => {
    const bytes = Buffer.alloc(9, opcode.binfloat);
    bytes.writeDoubleBE(value, 1);
    return bytes;
  }),
  fc
    .oneof(
      fc.constantFrom(
        "uid",
        "db",
        "expiration",
        "_unpickle",
        "UTC",
        "_type",
        "value",
        "set",
        "date_isoformat",
        "2020-01-01",
      ),
      fc.string({ maxLength: 8, unit: "binary" }),
    )
    .map((text) => {
      const bytes = Buffer.from(text).subarray(0, 255);
      return Buffer.concat([Buffer.from([opcode.shortBinunicode, bytes.length]), bytes]);
    }),
  fc
    .constantFrom(
      ...["builtins\nset", "collections\nOrderedDict", "datetime\ndate", "datetime\ndatetime", "_codecs\nencode"],
      ...["werkzeug.datastructures\nMultiDict", "copyreg\n_reconstructor", "datetime\ntimedelta", "os\nsystem"],
      ...["collections\ndefaultdict", "datetime\ntimezone", "pytz\n_p", "builtins\nbytearray"],
      ...["markupsafe\nMarkup", "strange\nThing", "builtins\ngetattr", "zoneinfo\nZoneInfo"],
      ...["zoneinfo\nZoneInfo._unpickle", "builtins\nstr", "werkzeug.datastructures\n_OrderedMultiDict"],
    )
    .map((name) => Buffer.from(`c${name}\n`)),
  fc.constantFrom("cstrange\nThing\n)\x81", "ccollections\nOrderedDict\n)R").map((made) => Buffer.from(made, "latin1")),
  fc
    .tuple(
      fc.constantFrom("I", "L", "F", "p", "g"),
      fc.constantFrom("", "0", "1", "+1", "01", "010", "1_0", "1\0", "\0", " 1", "1L", "1.5", "nan"),
    )
    .map(([code, argument]) => Buffer.from(`${code}${argument}\n`)),
);
/** Pickles of opcodes in any order. */
export const opcodeSoup: fc.Arbitrary<Buffer> = fc
  .record({ parts: fc.array(withArguments, { maxLength: 60 }), whole: fc.boolean() })
  .map(({ parts, whole }) => Buffer.concat([...(whole ? [Buffer.from("}")] : []), ...parts, Buffer.from(".")]));
