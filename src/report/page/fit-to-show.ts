import { maxLineLength, shortSid, showable } from "../../model/showable.js";
import type { Report } from "../schema/report-schema.js";

/** Longer than what the page shows of a session id: a report made with `--show-ids` has it whole. */
const shortLength = 7;

/**
 * A report whose texts are fit to be shown: no control character, and of every session id the first
 * 6 characters, even if the report file has more.
 */
export function fitToShow(report: Report): Report {
  const { failures, differences, ...rest } = report;
  return {
    ...shown(rest),
    failures: failures.map((failure) => shown(withShortId(failure))),
    differences: differences.map((difference) => shown(withShortId(difference))),
  };
}

function withShortId<Of extends { readonly session: string; readonly file: string }>(one: Of): Of {
  const { session, file } = one;
  if (session.length <= shortLength) return one;
  return { ...one, session: shortSid(session), file: file.replaceAll(session, shortSid(session)) };
}

/** A copy in which every text is fit to be shown. */
function shown<Value>(value: Value): Value {
  return shownValue(value) as Value;
}

function shownValue(value: unknown): unknown {
  if (typeof value === "string") return showable(value, maxLineLength);
  if (Array.isArray(value)) return value.map(shownValue);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [showable(name, maxLineLength), shownValue(part)]),
  );
}
