import { wrapAnsi } from "fast-wrap-ansi";

/** Columns that text needs beside what stands left of it. */
const minRoom = 20;
const lowerIndent = 6;

/**
 * Text after `head`, wrapped at words. What does not fit goes on below, in column `indent`: by
 * default, where the text began. If there is too little room beside `head`, all of it stands below.
 */
export function wrapText(head: string, text: string, columns: number, indent = head.length): string {
  if (text === "") return head.trimEnd();
  if (head.length + text.length <= columns && !text.includes("\n")) return `${head}${text}`;
  const room = columns - Math.max(head.length, indent);
  if (room >= minRoom) return `${head}${linesOf(text, room).join(`\n${" ".repeat(indent)}`)}`;
  const below = `\n${" ".repeat(lowerIndent)}`;
  return [head.trimEnd(), ...linesOf(text, Math.max(columns - lowerIndent, minRoom))].join(below);
}

function linesOf(text: string, columns: number): string[] {
  return wrapAnsi(text, columns, { hard: false })
    .split("\n")
    .map((line) => line.trimEnd());
}
