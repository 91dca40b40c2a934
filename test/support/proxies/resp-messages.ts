const longestHead = 160;
const longestKey = 64;

/**
 * Gives a function that takes the bytes of one direction of a RESP2 connection as they come, and
 * hands on each whole message: a command, or a reply.
 */
export function makeMessageSplitter(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = 1;

  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    if (held < needed) return;

    const bytes: Buffer = chunks.length === 1 ? chunk : Buffer.concat(chunks);
    let start = 0;
    let measured = measureMessage(bytes, start);
    while (measured.isWhole) {
      take(bytes.subarray(start, measured.end));
      start = measured.end;
      measured = measureMessage(bytes, start);
    }
    const rest = bytes.subarray(start);
    chunks = rest.length === 0 ? [] : [rest];
    held = rest.length;
    needed = measured.end - start;
  };
}

/** What a command is and what it is about. */
export interface CommandHead {
  /** In capitals. */
  readonly name: string;
  /** Its first argument, cut to 64 characters; empty where it has none. */
  readonly key: string;
}

/** The head of a command's message. */
export function commandHead(message: Buffer): CommandHead {
  const [head = "", , name = "", , key = ""] = message.subarray(0, longestHead).toString("latin1").split("\r\n");
  if (head.startsWith("*")) return { name: name.toUpperCase(), key: key.slice(0, longestKey) };
  const [inline = "", argument = ""] = head.split(" ");
  return { name: inline.toUpperCase(), key: argument.slice(0, longestKey) };
}

/** Where a message ends; while it is not whole, which offset the bytes must at least reach. */
function measureMessage(bytes: Buffer, start: number): { readonly isWhole: boolean; readonly end: number } {
  let at = start;
  for (let parts = 1; parts > 0; parts -= 1) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return { isWhole: false, end: bytes.length + 1 };
    const kind = String.fromCharCode(bytes[at] ?? 0);
    const count = kind === "$" || kind === "*" ? Number(bytes.toString("latin1", at + 1, lineEnd)) : -1;
    at = lineEnd + 2;
    if (kind === "*" && count > 0) parts += count;
    if (kind === "$" && count >= 0) at += count + 2;
    if (at > bytes.length) return { isWhole: false, end: at };
  }
  return { isWhole: true, end: at };
}
