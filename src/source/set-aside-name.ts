import { randomBytes } from "node:crypto";

const pattern = /^\.tele-sessions-([0-9]{1,10})-[0-9a-f]{16}-(.+)$/s;

/**
 * The name that a session file takes for the moment of its removal. It ends in the file's own name, for nothing else would tell a later
 * run where it belongs.
 */
export function setAsideName(name: string): string {
  return `.tele-sessions-${process.pid}-${randomBytes(8).toString("hex")}-${name}`;
}

/** The process that gave such a name, and the file's own; `undefined` for any other name. */
export function parseSetAsideName(name: string): { readonly pid: number; readonly name: string } | undefined {
  const [, pid, own] = pattern.exec(name) ?? [];
  return own === undefined ? undefined : { pid: Number(pid), name: own };
}
