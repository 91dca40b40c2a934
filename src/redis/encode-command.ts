/**
 * Encodes one command for Redis [RESP2]. Each character of a part is one byte: `protocolText` makes
 * such texts.
 */
export function encodeCommand(...parts: readonly string[]): string {
  let text = `*${parts.length}\r\n`;
  for (const part of parts) text += encodePart(part);
  return text;
}

/** Encodes one part of a command. */
export function encodePart(part: string): string {
  return `$${part.length}\r\n${part}\r\n`;
}

/** The UTF-8 bytes of a text, one character each. */
export function protocolText(text: string): string {
  return isAscii.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

const isAscii = /^[\0-\x7f]*$/;
