/** Enough calls for V8 to optimise the look-up. */
const calls = 1000;

/**
 * Makes the methods of all strings fast again. ioredis derives a class from `String`, which leaves
 * `String.prototype` in V8's slow form: optimised code then looks up `charCodeAt` for each
 * character, which is a tenth of the work of a copy. A hot look-up on a `String` object turns it
 * back.
 */
export function restoreFastStrings(): void {
  const text = new Object("text") as string;
  for (let count = 0; count < calls; count++) lookUp(text);
}

function lookUp(text: string): unknown {
  return text.charCodeAt;
}
