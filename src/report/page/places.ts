import type { OutcomeKind, SessionCommand } from "../../model/outcome.js";
import { commandOfReport } from "../command-of-report.js";
import type { Report } from "../schema/report-schema.js";

/** How a place is coloured; `bad` means that somebody is logged out, or may be. */
type Tone = "good" | "neutral" | "warn" | "bad";

/** Where sessions are after a run. */
interface Place {
  readonly kind: OutcomeKind | "unvisited";
  readonly tone: Tone;
  /** What it means for a session to be there. */
  readonly text: string;
}

/** A place with the sessions that are there. */
export interface FilledPlace extends Place {
  readonly count: number;
}

const over: readonly Place[] = [
  { kind: "expired", tone: "neutral", text: "their lifetime was over" },
  { kind: "ended", tone: "neutral", text: "gone from Redis since an earlier copy: logged out or expired" },
  { kind: "superseded", tone: "neutral", text: "another file holds a later save of the session" },
  { kind: "vanished", tone: "neutral", text: "the file disappeared during the run: logged out" },
];
const overInRedis: readonly Place[] = [
  { kind: "expired", tone: "neutral", text: "their lifetime was over" },
  { kind: "vanished", tone: "neutral", text: "gone from Redis during the run: logged out or expired" },
];
const unvisited: Place = { kind: "unvisited", tone: "warn", text: "not reached: run the same command again" };

const placesOf: Readonly<Record<SessionCommand, readonly Place[]>> = {
  copy: [
    { kind: "copied", tone: "good", text: "in Redis: copied now" },
    { kind: "identical", tone: "good", text: "in Redis: already there" },
    { kind: "kept", tone: "good", text: "in Redis with another value, which was kept" },
    ...over,
    unvisited,
    { kind: "failed", tone: "bad", text: "not copied: see Failures" },
  ],
  purge: [
    { kind: "removed", tone: "good", text: "the file is removed" },
    ...over,
    { kind: "kept", tone: "warn", text: "the file is kept: changed, too young, in use or in doubt" },
    { kind: "denied", tone: "warn", text: "the file may not be removed by this account" },
    unvisited,
    { kind: "absent", tone: "bad", text: "not in Redis; the file is kept" },
    { kind: "failed", tone: "bad", text: "not compared; the file is kept: see Failures" },
  ],
  verify: [
    { kind: "equal", tone: "good", text: "in Redis, equal, with the right lifetime" },
    { kind: "newer", tone: "good", text: "in Redis with a later save" },
    ...over,
    unvisited,
    { kind: "wrong-lifetime", tone: "bad", text: "in Redis with no lifetime, or a wrong one" },
    { kind: "different", tone: "bad", text: "in Redis with another value that is not known to be newer" },
    { kind: "missing", tone: "bad", text: "not in Redis" },
    { kind: "failed", tone: "bad", text: "not compared: see Failures" },
  ],
  export: [
    { kind: "exported", tone: "good", text: "in its file: written now" },
    { kind: "identical", tone: "good", text: "in its file: already there" },
    { kind: "kept", tone: "good", text: "its file holds another session, which was kept" },
    ...overInRedis,
    unvisited,
    { kind: "failed", tone: "bad", text: "not written: see Failures" },
  ],
  "verify --reverse": [
    { kind: "equal", tone: "good", text: "in its file, equal" },
    { kind: "newer", tone: "good", text: "its file holds a later save" },
    ...overInRedis,
    unvisited,
    { kind: "wrong-lifetime", tone: "bad", text: "in its file, which says that it was saved earlier" },
    { kind: "different", tone: "bad", text: "its file holds another session that is not known to be newer" },
    { kind: "missing", tone: "bad", text: "without a file" },
    { kind: "failed", tone: "bad", text: "not compared: see Failures" },
  ],
};

/** In a dry run nothing is there yet. */
const foreseen: Readonly<Partial<Record<Place["kind"], string>>> = {
  copied: "would be copied to Redis",
  exported: "would be written to its file",
  removed: "the file would be removed",
};

/** Where the sessions of a report are, the best places first. Places without a session are left out. */
export function placesIn(report: Report): readonly FilledPlace[] {
  const { sessions, dryRun } = report;
  return placesOf[commandOfReport(report)].flatMap((place) => {
    const count = sessions[place.kind] ?? 0;
    const text = (dryRun && foreseen[place.kind]) || place.text;
    return count === 0 ? [] : [{ ...place, text, count }];
  });
}
