import { protocolText } from "../encode-command.js";

/** Hash slots of a Cluster. */
export const slotCount = 16_384;

/** CRC-16 (XMODEM) of each byte. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc;
});

/**
 * The hash slot of a key. If it holds a tag in braces, only the tag counts [redis/src/cluster.c,
 * `keyHashSlot`].
 */
export function hashSlot(key: string): number {
  const bytes = protocolText(key);
  const open = bytes.indexOf("{");
  const close = open === -1 ? -1 : bytes.indexOf("}", open + 1);
  const isTagged = close > open + 1;
  let crc = 0;
  for (let at = isTagged ? open + 1 : 0; at < (isTagged ? close : bytes.length); at++) {
    crc = ((crc << 8) & 0xffff) ^ (table[((crc >> 8) ^ bytes.charCodeAt(at)) & 0xff] ?? 0);
  }
  return crc % slotCount;
}
