/** Colours text for a terminal that shows colours, and leaves it plain otherwise. */
export interface TextStyle {
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
}

/** Not `util.styleText`, which asks about stdout: text for people goes to stderr. */
export function textStyle(colored: boolean): TextStyle {
  if (!colored) return { bad: (text) => text, good: (text) => text };
  return { bad: (text) => `\x1b[31m${text}\x1b[39m`, good: (text) => `\x1b[32m${text}\x1b[39m` };
}
