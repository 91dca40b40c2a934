/** Parts of a line, the most important first, each with what separates it from the one before. */
export type Part = readonly [separator: string, text: string];

/** As many whole parts as fit into the columns, from the left. Empty if not even the first does. */
export function fitParts(parts: readonly Part[], columns: number): string {
  let line = "";
  for (const [separator, text] of parts) {
    const longer = line === "" ? text : `${line}${separator}${text}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return line;
}

/** A line with a text at its right end, if there is room for it. */
export function withRight(left: string, right: string, columns: number): string {
  if (right === "") return left;
  const gap = columns - left.length - right.length;
  return gap < 2 ? left : `${left}${" ".repeat(gap)}${right}`;
}
