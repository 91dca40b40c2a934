import { mkdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Seconds that sessions live after a save, as the settings have them by default. */
export const fullLifetimeMs = 604_800_000;
export const anonymousLifetimeMs = 10_800_000;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** The sid of a made session: 40 hex digits that begin with a number. */
export function sidOf(number: number): string {
  return number.toString(16).padStart(4, "0").padEnd(40, "e");
}

export function keyOf(number: number): string {
  return `session:${sidOf(number)}`;
}

/** Where a session file lies. */
export function pathOf(directory: string, number: number, layout: "flat" | "scattered" = "flat"): string {
  const sid = sidOf(number);
  return join(directory, layout === "flat" ? `werkzeug_${sid}.sess` : `${sid.slice(0, 2)}/${sid}`);
}

/**
 * Saves a session file as servers do: under another name, and then in its place. A day old by
 * default.
 */
export function saveSession(
  directory: string,
  number: number,
  value: string,
  { layout = "flat", mtimeMs = Date.now() - dayMs }: { layout?: "flat" | "scattered"; mtimeMs?: number } = {},
): string {
  const path = pathOf(directory, number, layout);
  mkdirSync(dirname(path), { recursive: true });
  const temporary = join(directory, `tmp${number}.__wz_sess`);
  writeFileSync(temporary, value);
  utimesSync(temporary, mtimeMs / 1000, mtimeMs / 1000);
  renameSync(temporary, path);
  return path;
}
