/** Colours text for a stream that shows them, and leaves it alone for any other. */
export interface TextStyle {
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
}

/** `util.styleText` asks stdout whether it is a terminal, and people's output goes to stderr. */
export function textStyle(colored: boolean): TextStyle {
  if (!colored) return { bad: (text) => text, good: (text) => text };
  return { bad: (text) => `\x1b[31m${text}\x1b[39m`, good: (text) => `\x1b[32m${text}\x1b[39m` };
}
