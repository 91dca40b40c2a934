import { countOf, countText } from "../../model/number-text.js";
import type { Report } from "../schema/report-schema.js";
import { shardsText } from "../shards.js";
import type { CountRow } from "./count-rows.js";

/** What became of the keys of an export, but for failures. */
export function exportRows({ sessions, dryRun }: Report): CountRow[] {
  const { exported = 0, identical = 0, kept = 0 } = sessions;
  const parts = [
    ...part(exported, dryRun ? "to write" : "written now"),
    ...part(identical, "already there"),
    ...part(kept, "there with another, newer session, which is kept"),
  ];
  const label = dryRun ? "would be in files" : "in files";
  return [{ label, count: exported + identical + kept, meaning: parts.join(", ") }, ...overRows(sessions)];
}

/** What a comparison of all keys with their files found, but for failures. */
export function reverseRows({ sessions }: Report): CountRow[] {
  const { equal = 0, newer = 0, missing = 0, different = 0 } = sessions;
  const parts = [...part(equal, "equal"), ...part(newer, "saved there later by the server")];
  return [
    { label: "in files", count: equal + newer, meaning: parts.join(", ") },
    ...overRows(sessions),
    { label: "MISSING", count: missing, meaning: "without a session file", isBad: true },
    {
      label: "DIFFERENT",
      count: different,
      meaning: "the file holds another session, which is not known to be newer",
      isBad: true,
    },
    {
      label: "WRONG LIFETIME",
      count: sessions["wrong-lifetime"] ?? 0,
      meaning: "the file says that it was saved earlier",
      isBad: true,
    },
  ];
}

function overRows({ expired = 0, vanished = 0 }: Report["sessions"]): CountRow[] {
  return [
    { label: "expired", count: expired, meaning: "their lifetime is over; not needed in files" },
    { label: "vanished", count: vanished, meaning: "gone from Redis meanwhile: logged out or expired" },
  ];
}

/** The verdict of an export, or of a comparison of all keys with their files, that ended well. */
export function goodExportText(report: Report): string {
  const { sessions, dryRun, target, failures, failuresOmitted } = report;
  const failed = failures.length + failuresOmitted;
  const found = countOf(sessions.found, "session");
  const all =
    failed === 0 ? (sessions.found === 1 ? "The only session" : `All ${found}`) : `All but ${failed} of ${found}`;
  const most = `${all} in ${target.redis ?? "Redis"}`;
  const are = sessions.found === 1 ? "is" : "are";
  if (sessions.exported === undefined) return `Done. ${most} ${are} in ${placeOf(report)} as they should be.`;
  return dryRun ? `${most} could be exported.` : `Done. ${most} ${are} in ${placeOf(report)}, or accounted for.`;
}

/** What one came to that did not end well, without its full stop. */
export function exportEssence(report: Report): string {
  const { sessions, dryRun } = report;
  const { exported, identical = 0, kept = 0, equal = 0, newer = 0, unvisited } = sessions;
  const right = exported === undefined ? equal + newer : exported + identical + kept;
  const are = dryRun ? "could be" : right === 1 ? "is" : "are";
  const notReached = unvisited === 0 ? "" : `; ${countText(unvisited)} not reached`;
  const total = countOf(sessions.found + unvisited, "session");
  return `${countText(right)} of ${total} ${are} in files as they should be${notReached}`;
}

/** Nothing was found. */
export function noKeysText({ target }: Report): string {
  return `Nothing to do: no session key in ${target.redis ?? "Redis"}.`;
}

function placeOf({ source: { directories, shards } }: Report): string {
  return `${shardsText(shards)}${directories.join(", ") || "no directory"}`;
}

function part(count: number, text: string): string[] {
  return count === 0 ? [] : [`${countText(count)} ${text}`];
}
