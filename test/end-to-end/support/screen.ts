/** What a person sees on a terminal once a text was written to it. */
export interface Screen {
  /**
   * The lines from the top, without the blanks at their ends and without empty ones at the bottom.
   */
  readonly lines: readonly string[];
  readonly cursorIsShown: boolean;
  /** How often a character went beyond the last column and on to the next line. */
  readonly wraps: number;
}

const piece = /\x1b\[\??([0-9;]*)([A-Za-z])|[\s\S]/gu;

/**
 * Draws a text as a terminal of so many columns does: the sequences that a redrawn line is made of;
 * colours say nothing.
 */
export function drawScreen(text: string, columns: number): Screen {
  const cells: string[][] = [[]];
  let row = 0;
  let column = 0;
  let cursorIsShown = true;
  let wraps = 0;
  const nextRow = (): void => {
    row += 1;
    cells[row] ??= [];
  };

  for (const [whole, argument = "", final = ""] of text.matchAll(piece)) {
    const count = Number(argument || 1);
    const line = cells[row] ?? [];
    if (final === "A") row = Math.max(0, row - count);
    else if (final === "G") column = count - 1;
    else if (final === "K") cells[row] = argument === "2" ? [] : line.slice(0, column);
    else if (final === "J") cells.splice(row, cells.length, line.slice(0, column));
    else if (whole === "\x1b[?25l") cursorIsShown = false;
    else if (whole === "\x1b[?25h") cursorIsShown = true;
    else if (final !== "") continue;
    else if (whole === "\r") column = 0;
    else if (whole === "\n") {
      nextRow();
    } else {
      if (column >= columns) {
        wraps += 1;
        nextRow();
        column = 0;
      }
      const target = cells[row] ?? [];
      while (target.length < column) target.push(" ");
      target[column] = whole;
      column += 1;
    }
  }
  const lines = cells.map((line) => line.join("").trimEnd());
  while (lines.length > 0 && lines.at(-1) === "") lines.pop();
  return { lines, cursorIsShown, wraps };
}
