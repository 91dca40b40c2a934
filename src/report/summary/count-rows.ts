import { countText } from "../../model/number-text.js";
import type { TextStyle } from "../text-style.js";
import { wrapText } from "../wrap-text.js";

/** How many sessions something became of. */
export interface CountRow {
  readonly label: string;
  readonly count: number;
  /** What it means, without its full stop. */
  readonly meaning: string;
  readonly isBad?: boolean;
  /** Lines that belong to it. */
  readonly below?: readonly string[];
}

const minLabelWidth = 12;
const minCountWidth = 9;

/** One line for each row: label, count, meaning. */
export function countRows(
  rows: readonly CountRow[],
  { columns, style }: { readonly columns: number; readonly style: TextStyle },
): string[] {
  const labelWidth = Math.max(minLabelWidth, ...rows.map(({ label }) => label.length));
  const countWidth = Math.max(minCountWidth, ...rows.map(({ count }) => countText(count).length));
  return rows.flatMap(({ label, count, meaning, isBad = false, below = [] }) => {
    const head = `  ${label.padEnd(labelWidth)}  ${countText(count).padStart(countWidth)}   `;
    const line = wrapText(head, meaning, columns);
    return [isBad ? style.bad(line) : line, ...below];
  });
}
