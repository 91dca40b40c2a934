import * as crypto from "node:crypto";

/** SHA-1 of an ASCII text, as hex digits. `crypto.hash` (Node 20.12) takes half the time. */
export function sha1(text: string): string {
  if (crypto.hash !== undefined) return crypto.hash("sha1", text, "hex");
  return crypto.createHash("sha1").update(text, "latin1").digest("hex");
}

/** SHA-1 of an ASCII text, as its 20 bytes. */
export function digestOf(text: string): Uint8Array {
  return Buffer.from(sha1(text), "hex");
}
