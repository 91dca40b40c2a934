import { bytesText, countOf, countText } from "../../model/number-text.js";
import type { ProgressState, PurgeState, WaitState } from "../../model/progress/progress-state.js";
import { fitParts, type Part, withRight } from "./fit-parts.js";
import {
  countPart,
  leftPart,
  memoryText,
  nothingIsLost,
  outcomeParts,
  percentText,
  ratePart,
  retryText,
  titleParts,
  waitText,
  wholeSeconds,
} from "./progress-text.js";

/** A terminal with fewer columns has room for one line only. */
const minColumns = 60;
/** So has one with fewer rows. */
const minRows = 6;
/**
 * Wider terminals than 80 columns show nothing more: what belongs together stays together, and they
 * may become narrower without wrapping what is there.
 */
const width = 79;
const maxBar = 40;
const minBar = 10;
const purgeBar = 32;

/**
 * What a terminal shows of a run. The last column stays free, because terminals disagree on where
 * the cursor is after it. No word or number is cut; a part that has no room is left out. Empty if
 * there is nothing to show, or no room. Signs are ASCII, so that logs and screen readers
 * have the same.
 */
export function viewLines(state: ProgressState, columns: number, rows: number): readonly string[] {
  if (state.phase === "asking") return [];
  const isSmall = columns < minColumns || rows < minRows;
  const lines = isSmall ? [smallLine(state, columns - 1)] : wideLines(state, columns - 1);
  return lines.filter((line) => line !== "");
}

function wideLines(state: ProgressState, columns: number): readonly string[] {
  if (state.wait !== null) return waitLines(state, state.wait, columns);
  const title = fitParts(spaced(titleParts(state)), columns);
  if (state.purge !== null) return purgeLines(state, state.purge, title, columns);
  if (state.done === null) {
    return [withRight(title, `${wholeSeconds(state.seconds)} elapsed`, Math.min(columns, width))];
  }
  const counted = title === "" ? [] : [withRight(title, passText(state), Math.min(columns, width))];
  if (state.total !== null) {
    const share = { label: "", done: state.done, total: state.total, words: countPart(state) };
    counted.push(...barLines([share], maxBar, columns));
  }
  return [...counted, timesLine(state, columns), outcomesLine(state, columns)];
}

function passText({ threads, pass }: ProgressState): string {
  return pass === null ? "" : `${countOf(threads, "thread")}, pass ${pass}`;
}

/** A count of a whole, as `60%` and in words. */
interface Share {
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly words: string;
}

/** `  ####....  71%   855,075 of 1,204,331`: bars of one length, below each other. */
function barLines(shares: readonly Share[], longestBar: number, columns: number): readonly string[] {
  const ends = shares.map(({ done, total, words }) => {
    const percent = percentText(done, total) || "100%";
    return `${percent.padStart(5)}   ${words}`;
  });
  const label = Math.max(...shares.map((share) => share.label.length));
  const longest = Math.max(...ends.map((end) => end.length));
  const bar = Math.min(longestBar, Math.min(columns, width) - 2 - label - longest);
  return shares.map((share, index) => {
    const end = ends[index] ?? "";
    const start = `  ${share.label.padEnd(label)}`;
    if (bar < minBar) return fitParts([["", `${start}${end.trimStart()}`]], columns);
    const filled = share.total === 0 ? bar : Math.floor(Math.min(share.done / share.total, 1) * bar);
    return `${start}${"#".repeat(filled)}${".".repeat(bar - filled)}${end}`;
  });
}

function timesLine(state: ProgressState, columns: number): string {
  const { seconds, bytesWritten, done, total } = state;
  const elapsed = `${wholeSeconds(seconds)} elapsed`;
  const left = leftPart(state);
  return fitParts(
    [
      ["", `  ${total === null && done !== null ? countPart(state) : ratePart(state)}`],
      ["   ", elapsed],
      ...(left === "" ? [] : [[", ", left] as const]),
      ...(bytesWritten === 0 ? [] : [["   ", `${bytesText(bytesWritten)} written`] as const]),
    ],
    columns,
  );
}

function outcomesLine(state: ProgressState, columns: number): string {
  const { memory } = state;
  const parts = outcomeParts(state);
  const left = fitParts(
    parts.map((part, index) => ["  ", index === 0 ? `  ${part}` : part]),
    columns,
  );
  if (memory === null || left === "") return left;
  const choices = [memory, { ...memory, evicted: null }].map(memoryText);
  const right = choices.find((choice) => left.length + 2 + choice.length <= columns);
  return right === undefined ? left : withRight(left, right, Math.min(columns, width));
}

function purgeLines(state: ProgressState, purge: PurgeState, title: string, columns: number): readonly string[] {
  const { block, blocks, proved, toProve, removed, toRemove, left } = purge;
  const { seconds, phase } = state;
  const kept = left === 0 ? "" : `, ${countText(left)} left`;
  const digits = Math.max(countText(proved).length, countText(removed).length);
  const of = (done: number, total: number) => `${countText(done).padStart(digits)} of ${countText(total)}`;
  const times: Part[] = [
    ["", `  ${wholeSeconds(seconds)} elapsed`],
    ...(state.secondsLeft === null ? [] : [[", ", leftPart(state)] as const]),
    ["   ", ratePart(state)],
  ];
  return [
    withRight(title, `block ${block} of ${blocks}: ${phase}`, Math.min(columns, width)),
    ...barLines(
      [
        { label: "proved   ", done: proved, total: toProve, words: of(proved, toProve) },
        { label: "removed  ", done: removed, total: toRemove, words: `${of(removed, toRemove)}${kept}` },
      ],
      purgeBar,
      columns,
    ),
    fitParts(
      times.filter(([, text]) => text !== ""),
      columns,
    ),
  ];
}

function waitLines(state: ProgressState, wait: WaitState, columns: number): readonly string[] {
  return [
    ...wrapped(waitText(state, wait), columns),
    ...wrapped(`${retryText(wait)}. ${nothingIsLost}`, columns - 2).map((line) => `  ${line}`),
  ];
}

/** Breaks a text between words. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (let words = text.split(" "); words.length > 0; ) {
    // A word wider than the terminal, such as a path, is left out.
    const line = fitParts(spaced(words), Math.min(columns, width));
    if (line !== "") lines.push(line);
    words = words.slice(line === "" ? 1 : line.split(" ").length);
  }
  return lines;
}

/** `71% 855k/1.2M 41k/s 8 s left, 12 FAILED`. */
function smallLine(state: ProgressState, columns: number): string {
  const { wait, done, total, secondsLeft, perSecond, outcomes } = state;
  if (wait !== null) {
    const parts: Part[] = [
      ["", "Waiting"],
      [" ", wholeSeconds(wait.seconds)],
      [", ", wait.why],
    ];
    return fitParts(parts, columns);
  }
  if (done === null) return fitParts(spaced(titleParts(state)), columns) || shortTitle(state, columns);
  const share = percentText(done, total);
  const parts: (string | undefined)[] = [
    share || shortTitle(state, columns),
    total === null ? shortCount(done) : `${shortCount(done)}/${shortCount(total)}`,
    `${shortCount(perSecond)}/s`,
    secondsLeft === null || secondsLeft === 0 ? undefined : leftPart(state).replace(/^about /, ""),
  ];
  const failed = outcomes.failed ?? 0;
  return fitParts(
    [
      ...spaced(parts.filter((part) => part !== undefined)),
      ...(failed === 0 ? [] : [[", ", `${shortCount(failed)} FAILED`] as const]),
    ],
    columns,
  );
}

/** The first word of a title that is too long. */
function shortTitle(state: ProgressState, columns: number): string {
  const [word = ""] = (titleParts(state)[0] ?? "").split(" ");
  return fitParts([["", word.replace(/:$/, "")]], columns);
}

/** A count in at most four characters: `999`, `1.2k`, `855k`, `1.2M`. */
export function shortCount(count: number): string {
  const units = ["", "k", "M", "G"];
  let step = 0;
  let value = Math.round(count);
  while (step < units.length - 1 && value >= 1000) {
    value /= 1000;
    step++;
  }
  if (step === 0) return String(value);
  // Cut, not rounded: 999,950 is no million.
  const shown = value < 10 ? Math.floor(value * 10) / 10 : Math.floor(value);
  return `${shown}${units[step]}`;
}

function spaced(parts: readonly string[]): Part[] {
  return parts.map((part) => [" ", part]);
}
