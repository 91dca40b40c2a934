/**
 * One command as Redis's protocol has it, from texts in which each character is one byte;
 * `protocolText` makes such texts [Redis, RESP2].
 */
export function encodeCommand(...parts: readonly string[]): string {
  let text = `*${parts.length}\r\n`;
  for (const part of parts) text += encodePart(part);
  return text;
}

/** One part of a command. */
export function encodePart(part: string): string {
  return `$${part.length}\r\n${part}\r\n`;
}

/** A text as its UTF-8 bytes, one character for each. */
export function protocolText(text: string): string {
  return isAscii.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

const isAscii = /^[\0-\x7f]*$/;
