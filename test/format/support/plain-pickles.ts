import type { PlainSession } from "../../../src/format/fast/plain-sessions.js";
import { opcode } from "../../../src/format/pickle/opcodes.js";
import { agrees, convertInNoise as convert, pickles } from "./plain-sessions.js";

/** Converts a pickle in a memory that is full of random bytes. */
export const convertInNoise = (bytes: Buffer, most?: number): PlainSession | undefined => convert(pickles, bytes, most);

/** Checks a plain reading against the pickle machine's; returns whether the pickle is plain. */
export const check = (bytes: Buffer) => agrees(pickles, bytes);

export const latin1 = (text: string) => Buffer.from(text, "latin1");
/** A text of up to 255 bytes, as protocol 4 writes it. */
export const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([opcode.shortBinunicode, bytes.length]), bytes]).toString("latin1");
};
export const pickleOf = (body: string) => latin1(`\x80\x04${body}.`);
/** A session with one key, `db`. */
export const dictOf = (value: string) => pickleOf(`}${text("db")}${value}s`);
export const double = (value: number) => {
  const bytes = Buffer.alloc(9, opcode.binfloat);
  bytes.writeDoubleBE(value, 1);
  return bytes.toString("latin1");
};
