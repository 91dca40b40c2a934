import { styleText } from "node:util";

/** Colours text for a stream that shows them, and leaves it alone for any other. */
export interface TextStyle {
  readonly bad: (text: string) => string;
  readonly good: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

const plain = (text: string): string => text;

export function textStyle(colored: boolean): TextStyle {
  if (!colored) return { bad: plain, good: plain, faint: plain, strong: plain };
  return {
    bad: (text) => styleText("red", text),
    good: (text) => styleText("green", text),
    faint: (text) => styleText("dim", text),
    strong: (text) => styleText("bold", text),
  };
}
