import { randomFillSync } from "node:crypto";

const pattern = /^\.tele-sessions-([0-9]{1,10})-[0-9a-f]{16}-(.+)$/s;

/** A session file's name during its removal. It ends in its own name, so it can be put back. */
export function setAsideName(name: string): string {
  return `.tele-sessions-${process.pid}-${drawDigits()}-${name}`;
}

const bytesDrawn = 8;
const drawn = { bytes: Buffer.alloc(512 * bytesDrawn), used: Number.POSITIVE_INFINITY };

/** Random hex digits, so that a rename to the name replaces nothing. Drawn in bulk, for speed. */
function drawDigits(): string {
  if (drawn.used >= drawn.bytes.length) {
    randomFillSync(drawn.bytes);
    drawn.used = 0;
  }
  const start = drawn.used;
  drawn.used += bytesDrawn;
  return drawn.bytes.toString("hex", start, drawn.used);
}

/** The process that set a file aside and the file's own name; `undefined` for any other name. */
export function parseSetAsideName(name: string): { readonly pid: number; readonly name: string } | undefined {
  const [, pid, own] = pattern.exec(name) ?? [];
  return own === undefined ? undefined : { pid: Number(pid), name: own };
}
