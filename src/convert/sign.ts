import * as zlib from "node:zlib";
import type { StoredText } from "../model/stored-value.js";

const signs = 1000;

/** Lowers an expiry by under a second, so that its last digits on Redis's clock sign the value. */
export function signedInstant(expiresAtMs: number, value: string | Buffer, clockLeadMs: number): number {
  const redisMs = expiresAtMs + clockLeadMs;
  return expiresAtMs - modulo(redisMs - signOf(value));
}

/**
 * Whether a key's expiry carries the sign of its value, as a copy writes it; one server save in a
 * thousand does by chance.
 */
export function isSigned({ value, expiresAtMs }: StoredText, clockLeadMs: number): boolean {
  return expiresAtMs !== null && modulo(expiresAtMs + clockLeadMs) === signOf(value);
}

/** The sign: the CRC-32 of the value's bytes, modulo 1000. */
function signOf(value: string | Buffer): number {
  return crc32(value) % signs;
}

function modulo(number: number): number {
  return ((number % signs) + signs) % signs;
}

/** Node has it since 20.15. */
const crc32 = zlib.crc32 ?? crc32ByTable;

const polynomial = 0xedb88320;
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? polynomial : 0);
  return remainder;
});

/** The CRC-32 that zlib computes; text counts as UTF-8. */
export function crc32ByTable(value: string | Buffer): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(value)) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}
