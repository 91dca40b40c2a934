import type { RunOptions } from "../model/run-options.js";
import type { Warn } from "../model/warn.js";

/** Keeps each warning once in `warnings`, and shows it. Begins with the warnings about settings. */
export function warnAs({ output, ...options }: RunOptions, warnings: string[], show: (warning: string) => void): Warn {
  const warn: Warn = (text, { evenIfQuiet = false } = {}) => {
    if (warnings.includes(text)) return;
    warnings.push(text);
    if (evenIfQuiet || !output.quiet) show(text);
  };
  for (const warning of options.warningsEvenIfQuiet) warn(warning, { evenIfQuiet: true });
  for (const warning of options.warnings) warn(warning);
  return warn;
}
