import { numberText } from "../model/number-text.js";

/**
 * Writes a float as `json.dumps` does: `NaN`, `Infinity`, `-Infinity`, or Python's `repr`. Both
 * languages print the shortest digits that read back as the same number; Python uses exponents of
 * two or more digits, and only below 1e-4 and from 1e16 on.
 */
export function floatRepr(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e16)) {
    return value.toExponential().replace(/e([+-])(\d)$/, "e$10$2");
  }
  if (Number.isInteger(value)) return Object.is(value, -0) ? "-0.0" : `${numberText(value)}.0`;
  return numberText(value);
}
