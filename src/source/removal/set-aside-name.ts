import { randomFillSync } from "node:crypto";

const pattern = /^\.tele-sessions-([0-9]{1,10})-[0-9a-f]{16}-(.+)$/s;

/**
 * The name that a session file takes for the moment of its removal. It ends in the file's own name, for nothing else would tell a later
 * run where it belongs.
 */
export function setAsideName(name: string): string {
  return `.tele-sessions-${process.pid}-${drawDigits()}-${name}`;
}

const bytesDrawn = 8;
const drawn = { bytes: Buffer.alloc(512 * bytesDrawn), used: Number.POSITIVE_INFINITY };

/** Hex digits that nobody can foresee: what is renamed to them takes the place of nothing. Drawn many at a time, which costs far less. */
function drawDigits(): string {
  if (drawn.used >= drawn.bytes.length) {
    randomFillSync(drawn.bytes);
    drawn.used = 0;
  }
  const start = drawn.used;
  drawn.used += bytesDrawn;
  return drawn.bytes.toString("hex", start, drawn.used);
}

/** The process that gave such a name, and the file's own; `undefined` for any other name. */
export function parseSetAsideName(name: string): { readonly pid: number; readonly name: string } | undefined {
  const [, pid, own] = pattern.exec(name) ?? [];
  return own === undefined ? undefined : { pid: Number(pid), name: own };
}
