/**
 * As `String(value)`, for finite numbers other than -0. V8 keeps the texts that `String` makes where
 * only a full collection frees them: a million of them are 36 MB of garbage.
 */
export function numberText(value: number): string {
  return JSON.stringify(value);
}

/** A count with thousands separators: `2,600,000`. */
export function countText(count: number): string {
  // Not toLocaleString: its first call takes as long as a small run.
  return String(Math.round(count)).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `1 session`, `2 sessions`. */
export function countOf(count: number, noun: string): string {
  return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `3 expired` for a list of such counts; nothing if the count is 0. */
export function countIf(count: number, words: string): string[] {
  return count === 0 ? [] : [`${countText(count)} ${words}`];
}

/** A duration as people say it: `0.4 s`, `12 s`, `3 min 5 s`, `1 h 20 min`. */
export function durationText(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `200 bytes`, `1.5 GiB`, `918 MiB`. */
export function bytesText(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let step = 0;
  // 1023.5 would round to 1024, so it becomes 1.0 of the next unit.
  while (step < units.length - 1 && bytes / 2 ** (10 * step) >= (step === 0 ? 1024 : 1023.5)) step++;
  const amount = bytes / 2 ** (10 * step);
  return `${step === 0 ? bytes : amount.toFixed(amount < 99.95 ? 1 : 0)} ${units[step]}`;
}
