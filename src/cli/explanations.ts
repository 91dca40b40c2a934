import type { ShownSetting } from "../model/run-options.js";
import { wrapText } from "../report/wrap-text.js";

/** The settings of a run: first those that somebody gave, with what gave them, then the defaults. */
export function settingsText(shown: readonly ShownSetting[], columns: number): string {
  const given = shown.filter(({ origin }) => origin !== "default");
  const width = Math.max(0, ...given.map(({ name }) => name.length));
  const lines = given.map(({ name, value, origin }) => {
    const source = origin === name ? "flag" : origin;
    return wrapText(`  ${name.padEnd(width)}  `, `${value}  (${source})`, columns);
  });
  const defaults = shown.flatMap(({ name, value, origin }) => (origin === "default" ? [`${name} ${value}`] : []));
  return ["settings", ...lines, wrapText("  by default: ", defaults.join(", "), columns, 4)].join("\n");
}
