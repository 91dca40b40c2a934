import { DecodeError, type NamedThing } from "../decode-error.js";
import { ByteReader } from "./byte-reader.js";
import { isPlanted } from "./is-planted.js";
import { opcode } from "./opcodes.js";

/**
 * The first name in a pickle that no server writes, as far as its opcodes tell without running
 * them; `undefined` if there is none. It reads on after the pickle machine has given up.
 */
export function plantedNameIn(bytes: Buffer): NamedThing | undefined {
  try {
    return firstPlanted(new ByteReader(bytes));
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}

/** Longer texts are no names. */
const maxNameLength = 255;
/** Opcodes that are looked at: a hostile file of many megabytes must not take long. */
const maxSteps = 1_000_000;

/** Throws `DecodeError` if the file is damaged. */
function firstPlanted(reader: ByteReader): NamedThing | undefined {
  /** The texts in the memo, by their numbers. */
  const memo = new Map<number, string>();
  let remembered = 0;
  /** The last two texts, which STACK_GLOBAL takes. */
  let texts: readonly [module: string | undefined, name: string | undefined] = [undefined, undefined];
  /** What was pushed last, if it is a text. */
  let top: string | undefined;
  /** The name before. */
  let last: NamedThing | undefined;
  const remember = (number: number) => {
    remembered++;
    if (top !== undefined) memo.set(number, top);
  };
  for (let steps = 0; steps < maxSteps; steps++) {
    const code = reader.byte();
    let named: NamedThing | undefined;
    let pushed: string | undefined;
    switch (code) {
      case opcode.stop:
        return undefined;
      case opcode.global:
      case opcode.inst:
        named = { module: reader.line(), name: reader.line() };
        break;
      case opcode.stackGlobal: {
        const [module, name] = texts;
        if (module !== undefined && name !== undefined) named = { module, name };
        break;
      }
      case opcode.memoize:
        remember(remembered);
        continue;
      case opcode.binput:
        remember(reader.byte());
        continue;
      case opcode.longBinput:
        remember(reader.uint32());
        continue;
      case opcode.put:
        remember(Number(reader.line()));
        continue;
      case opcode.binget:
        pushed = memo.get(reader.byte());
        break;
      case opcode.longBinget:
        pushed = memo.get(reader.uint32());
        break;
      case opcode.get:
        pushed = memo.get(Number(reader.line()));
        break;
      case opcode.unicode:
      case opcode.string:
        pushed = reader.line().replace(/^(['"])(.*)\1$/, "$2");
        break;
      default:
        pushed = readArgument(reader, code);
    }
    if (named !== undefined) {
      if (isPlanted(named, last?.name === "defaultdict")) return named;
      last = named;
    }
    top = pushed;
    if (pushed !== undefined) texts = [texts[1], pushed];
  }
  return undefined;
}

/** Reads past the argument of an opcode; returns it if it is a text. Throws `DecodeError`. */
function readArgument(reader: ByteReader, code: number): string | undefined {
  const shape = argumentShapes.get(code);
  if (shape === undefined) return undefined;
  if (shape === "line") reader.line();
  else if (shape === "frame") reader.enterFrame();
  else if (typeof shape === "number") reader.take(shape);
  else {
    const length = shape.bytes === 1 ? reader.byte() : shape.bytes === 4 ? reader.uint32() : reader.length8();
    const start = reader.take(length);
    if (shape.isText && length <= maxNameLength) return reader.bytes.toString("utf8", start, start + length);
  }
  return undefined;
}

/** An argument of that many bytes, or one that begins with its length in that many bytes. */
type ArgumentShape = number | "line" | "frame" | { readonly bytes: 1 | 4 | 8; readonly isText: boolean };

/** The arguments of all other opcodes that have one [CPython, pickletools.py]. */
const argumentShapes: ReadonlyMap<number, ArgumentShape> = new Map<number, ArgumentShape>([
  ...[opcode.proto, opcode.binint1, opcode.ext1].map((code) => [code, 1] as const),
  ...[opcode.binint2, opcode.ext2].map((code) => [code, 2] as const),
  ...[opcode.binint, opcode.ext4].map((code) => [code, 4] as const),
  [opcode.binfloat, 8],
  [opcode.frame, "frame"],
  ...[opcode.int, opcode.long, opcode.float, opcode.persid].map((code) => [code, "line"] as const),
  ...[opcode.shortBinunicode, opcode.shortBinstring].map((code) => [code, { bytes: 1, isText: true }] as const),
  ...[opcode.binunicode, opcode.binstring].map((code) => [code, { bytes: 4, isText: true }] as const),
  [opcode.binunicode8, { bytes: 8, isText: true }],
  ...[opcode.shortBinbytes, opcode.long1].map((code) => [code, { bytes: 1, isText: false }] as const),
  ...[opcode.binbytes, opcode.long4].map((code) => [code, { bytes: 4, isText: false }] as const),
  ...[opcode.binbytes8, opcode.bytearray8].map((code) => [code, { bytes: 8, isText: false }] as const),
]);
