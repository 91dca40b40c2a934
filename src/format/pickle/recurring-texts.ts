/** Longer texts are rarely the same in two sessions. */
const longestKept = 24;
/** A power of two. */
const placeCount = 512;

/**
 * Makes texts of ASCII bytes. Short ones are kept, each in the place that its length and a few of its bytes give, for keys and many values come
 * again from session to session: to compare one costs less than to make it.
 */
export class RecurringTexts {
  readonly #texts: string[] = Array.from({ length: placeCount }, () => "");

  /** `undefined` where the bytes are not ASCII. */
  of(bytes: Buffer, start: number, end: number): string | undefined {
    const length = end - start;
    if (length === 0) return "";
    if (length > longestKept)
      return isAscii(bytes, start, end) ? bytes.toString("latin1", start, end) : undefined;
    const [first, middle, last] = [bytes[start] ?? 0, bytes[(start + end) >> 1] ?? 0, bytes[end - 1] ?? 0];
    const place = (length * 131 + first * 31 + middle * 7 + last) & (placeCount - 1);
    const known = this.#texts[place] ?? "";
    if (known.length === length && isSame(known, bytes, start)) return known;
    if (!isAscii(bytes, start, end)) return undefined;
    const text = bytes.toString("latin1", start, end);
    this.#texts[place] = text;
    return text;
  }
}

function isSame(text: string, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

/** Whether there is no byte above 0x7f. */
export function isAscii(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if ((bytes[at] ?? 0) >= 0x80) return false;
  }
  return true;
}
