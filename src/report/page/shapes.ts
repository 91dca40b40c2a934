import { percent } from "./figure.js";
import { html, type Markup } from "./markup.js";

/** A box: horizontally as shares of the whole width, vertically in pixels. */
export interface Box {
  /** From the left, 0 to 1. */
  readonly x: number;
  /** 0 to 1. */
  readonly width: number;
  readonly y: number;
  readonly height: number;
}

/** `colour`: classes of the style sheet. */
export function drawBox(colour: string, { x, y, width, height }: Box): Markup {
  const [left, wide] = [percent(x), percent(width)];
  return html`<rect class="${colour}" x="${left}" y="${pixels(y)}" width="${wide}" height="${pixels(height)}"/>
`;
}

/** An upright line at a share of the width, as high as the box. */
export function drawUpright(colour: string, at: number, { y, height }: Pick<Box, "y" | "height">): Markup {
  const x = percent(at);
  return html`<line class="${colour}" x1="${x}" x2="${x}" y1="${pixels(y)}" y2="${pixels(y + height)}"/>
`;
}

/** A line from left to right. */
export function drawLevel(colour: string, y: number): Markup {
  return html`<line class="${colour}" x1="0" x2="100%" y1="${pixels(y)}" y2="${pixels(y)}"/>
`;
}

function pixels(length: number): number {
  return Number(length.toFixed(1));
}
