import { Help } from "commander";

/** Columns that a meaning needs beside its term. */
const minRoom = 40;

/** Terms with their meanings beside them, or below them if there is little room, wrapped at words. */
export function itemList(items: readonly (readonly [term: string, meaning: string])[], columns: number): string {
  const helper = Object.assign(new Help(), { helpWidth: columns });
  const width = Math.max(...items.map(([term]) => term.length));
  if (width + minRoom + 4 > columns) {
    return items.map(([term, meaning]) => `  ${term}\n${below(meaning, columns)}`).join("\n");
  }
  return items.map(([term, meaning]) => helper.formatItem(term, width, meaning, helper)).join("\n");
}

function below(meaning: string, columns: number): string {
  const indent = " ".repeat(6);
  return paragraph(meaning, columns - indent.length).replaceAll(/^/gm, indent);
}

/** A text, wrapped at words. */
export function paragraph(text: string, columns: number): string {
  return new Help().boxWrap(text, columns);
}
