import { countIf, countText } from "../../model/number-text.js";
import type { SessionCommand } from "../../model/outcome.js";
import type { Report } from "../schema/report-schema.js";

/** How many sessions something became of. */
export interface CountRow {
  readonly label: string;
  readonly count: number;
  /** What it means, without its full stop. */
  readonly meaning: string;
  readonly isBad: boolean;
}

/** What became of every session. `purges`: whether the files are to be removed after the copy. */
export function outcomeRows(command: SessionCommand, report: Report, purges: boolean): CountRow[] {
  const { sessions, dryRun } = report;
  const label = dryRun ? "would be removed" : "files removed";
  return [
    ...rowsBy[command](report),
    failedRow(report),
    ...(purges ? [row(label, sessions.purged, "each after it was proven to be in Redis")] : []),
    badRow("not reached", sessions.unvisited, "listed, but not reached"),
  ];
}

/** The rows of each command, but for failures. */
const rowsBy: Readonly<Record<SessionCommand, (report: Report) => CountRow[]>> = {
  copy: copyRows,
  purge: purgeRows,
  verify: verifyRows,
  export: exportRows,
  "verify --reverse": reverseRows,
};

function copyRows({ sessions, dryRun }: Report): CountRow[] {
  const { copied = 0, identical = 0, kept = 0 } = sessions;
  const parts = [
    ...countIf(copied, dryRun ? "to copy" : "copied now"),
    ...countIf(identical, "already there"),
    ...countIf(kept, "there with another value, which is kept"),
  ];
  return [
    row(dryRun ? "would be in Redis" : "in Redis", copied + identical + kept, parts.join(", ")),
    row("expired", sessions.expired, dryRun ? "their lifetime is over" : "their lifetime was over; not copied"),
    endedRow(sessions, "not copied; --again copies them"),
    supersededRow(sessions),
    row("vanished", sessions.vanished, "gone during the copy: their users logged out"),
  ];
}

function purgeRows({ sessions, dryRun, target }: Report): CountRow[] {
  const proof = target.redis === null ? "without asking Redis" : "proven to be in Redis";
  const kept = "left: changed, too recent, in doubt, in use, or expired less than 7 days ago";
  return [
    row(dryRun ? "would be removed" : "removed", sessions.removed, proof),
    endedRow(sessions, "their files are left"),
    row("vanished", sessions.vanished, "gone during the purge"),
    badRow("ABSENT", sessions.absent, "left: Redis does not hold them"),
    badRow("DENIED", sessions.denied, "left: this user may not remove them"),
    row("kept", sessions.kept, kept),
  ];
}

function verifyRows({ sessions }: Report): CountRow[] {
  return [
    rightRow("in Redis", sessions),
    row("expired", sessions.expired, "their lifetime is over; not needed in Redis"),
    endedRow(sessions, "logged out or expired there"),
    supersededRow(sessions),
    row("vanished", sessions.vanished, "gone during the comparison"),
    badRow("MISSING", sessions.missing, "not in Redis"),
    badRow("DIFFERENT", sessions.different, "Redis holds another value, which is not known to be newer"),
    badRow("WRONG LIFETIME", sessions["wrong-lifetime"], "in Redis with no lifetime or a wrong one"),
  ];
}

function exportRows({ sessions, dryRun }: Report): CountRow[] {
  const { exported = 0, identical = 0, kept = 0 } = sessions;
  const parts = [
    ...countIf(exported, dryRun ? "to write" : "written now"),
    ...countIf(identical, "already there"),
    ...countIf(kept, "there with another, newer session, which is kept"),
  ];
  const label = dryRun ? "would be in files" : "in files";
  return [row(label, exported + identical + kept, parts.join(", ")), ...overRows(sessions)];
}

function reverseRows({ sessions }: Report): CountRow[] {
  return [
    rightRow("in files", sessions),
    ...overRows(sessions),
    badRow("MISSING", sessions.missing, "without a session file"),
    badRow("DIFFERENT", sessions.different, "the file holds another session, which is not known to be newer"),
    badRow("WRONG LIFETIME", sessions["wrong-lifetime"], "the file says that it was saved earlier"),
  ];
}

function row(label: string, count = 0, meaning = ""): CountRow {
  return { label, count, meaning, isBad: false };
}

function badRow(label: string, count = 0, meaning = ""): CountRow {
  return { label, count, meaning, isBad: true };
}

function rightRow(label: string, { equal = 0, newer = 0 }: Report["sessions"]): CountRow {
  const parts = [...countIf(equal, "equal"), ...countIf(newer, "saved there later by the server")];
  return row(label, equal + newer, parts.join(", "));
}

function endedRow({ ended }: Report["sessions"], consequence: string): CountRow {
  return row("ended", ended, `gone from Redis since an earlier copy; ${consequence}`);
}

function supersededRow({ superseded }: Report["sessions"]): CountRow {
  return row("superseded", superseded, "another file holds a later save of the same session");
}

function overRows({ expired, vanished }: Report["sessions"]): CountRow[] {
  return [
    row("expired", expired, "their lifetime is over; not needed in files"),
    row("vanished", vanished, "gone from Redis meanwhile: logged out or expired"),
  ];
}

/** The failures of every pass, and of a purge after a copy. */
function failedRow({ failures, failuresOmitted, byReason }: Report): CountRow {
  const reasons = Object.entries(byReason).filter(([, count]) => count > 0);
  const meaning = reasons.map(([reason, count]) => `${reason} ${countText(count)}`).join(", ");
  return badRow("FAILED", failures.length + failuresOmitted, meaning);
}
