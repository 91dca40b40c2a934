import { explainMissing, isCovered, isUnmodifiedSinceMark, recentMs } from "../../convert/missing-key.js";
import type { Candidate, Written } from "../../model/entry.js";
import type { DirectoryFacts, Expirations, Survey } from "../../model/mark.js";
import type { FileStamp, SessionFile } from "../../model/session-file.js";
import type { Reading } from "../../source/read-session-file.js";
import type { RecentFiles } from "../../source/recent-files.js";
import type { WrittenSessions } from "../../source/written-sessions.js";
import { SeenDirectories } from "../earlier-runs/learn.js";
import { type ConvertedSession, type Judgement, type LaneParts, runLane } from "./lane.js";
import { type LaneResult, laneResult } from "./lane-result.js";

/** The main pass begins: what was done before counts for nothing. */
export interface MainPass {
  /** Milliseconds since the epoch. */
  readonly startedMs: number;
  readonly survey: Survey;
}

/** A pass over what changed while the one before ran. */
export interface LaterPass {
  readonly pass: number;
  readonly startedMs: number;
  /** The most that any file's time was ahead of our clock, as any lane saw it. */
  readonly largestLeadMs: number;
}

/** What a lane did of a batch, and what it came to know by it. */
export interface CopyResult extends LaneResult {
  /** The most that any file's time was ahead of our clock. */
  readonly largestLeadMs: number;
  /** Whether a file was read that was modified since the run began: a server still uses the directory. */
  readonly inUse: boolean;
}

/** Of one pass, sessions whose files were gone behind it and whose keys were taken back. */
export interface TakenBack {
  readonly pass: number;
  readonly count: number;
  /** Bytes of their values. */
  readonly bytes: number;
}

/** One lane of a run. */
export interface Lane {
  readonly begin: (main: MainPass) => Promise<void>;
  /** Takes what the run knows by now. */
  readonly learn: (survey: Survey) => Promise<void>;
  /** Does everything for a batch. */
  readonly work: (batch: readonly SessionFile[]) => Promise<LaneResult>;
  readonly close: () => Promise<void>;
}

/** One lane of a copy. It remembers what it read and wrote: a session must come to the same lane each time. */
export interface CopyLane extends Lane {
  readonly beginPass: (later: LaterPass) => Promise<void>;
  /** Of a batch, the files that changed since the pass before began and were not read as they stand, and those that are away with their session directory. */
  readonly changedOf: (batch: readonly SessionFile[]) => Promise<readonly SessionFile[]>;
  readonly work: (batch: readonly SessionFile[]) => Promise<CopyResult>;
  /** Takes back the keys of sessions whose files are gone behind their write. Throws where the run must end. */
  readonly takeBackEnded: () => Promise<readonly TakenBack[]>;
  /** How many keys that were written, and should live on, Redis no longer holds; `undefined` if it was not kept what was written. */
  readonly countMissing: () => Promise<number | undefined>;
  /** Nothing is copied until it begins again: other runs see it so. */
  readonly rest: () => Promise<void>;
}

/** What a lane of a copy works with. */
export interface CopyLaneParts
  extends Pick<LaneParts, "ahead" | "read" | "isSuperseded" | "convert" | "deleteOver" | "timesLost"> {
  /** Settles candidates by what is known by now. */
  readonly settle: (candidates: readonly Candidate[], survey: Survey) => ReturnType<LaneParts["settle"]>;
  /** The expirations of this run. */
  readonly expirations: Expirations;
  readonly rememberFrom: (startedMs: number) => RecentFiles;
  /** How files stand now, in their order; `undefined` for one that is gone or cannot be looked at. */
  readonly look: (files: readonly SessionFile[]) => Promise<readonly (FileStamp | undefined)[]>;
  /** The same of one. */
  readonly lookAt: (file: SessionFile) => FileStamp | undefined;
  /** Whether a file that was not found is gone, and not away with its session directory. */
  readonly hasVanished: (file: SessionFile) => boolean;
  /** Whether a file was modified after an instant. */
  readonly isModifiedSince: (stamp: FileStamp, sinceMs: number) => boolean;
  /** When the run began, milliseconds since the epoch. */
  readonly runStartedMs: number;
  /** Whether marks are passed over. */
  readonly again: boolean;
  /** What was written, to be looked for behind the last pass; `undefined` where it is not kept. */
  readonly written: () => Pick<WrittenSessions, "forget" | "batches"> | undefined;
  /** Takes note of what was written. */
  readonly note: (written: Written) => void;
  /** Which of these sessions Redis has a key for. Throws where the run must end. */
  readonly exist: (files: readonly SessionFile[]) => Promise<readonly boolean[]>;
  /** SHA-1 of a value, as hex digits. */
  readonly digestOf: (value: string) => string;
  /** Whether no file can have gone since it was read. */
  readonly noneCanBeGone: () => boolean;
  /** Takes back keys of sessions whose files are gone, and gives these back. Throws where the run must end. */
  readonly takeBackGone: (written: readonly Written[]) => Promise<ReadonlySet<Written>>;
  readonly dryRun: boolean;
  /** Whether the outcomes are told one by one. */
  readonly collectsOutcomes: boolean;
  /** Gives the event loop a turn. */
  readonly turn: () => Promise<void>;
  readonly stop: AbortSignal;
  readonly close: () => Promise<void>;
}

const writtenAtATime = 256;
/** Keys that live no longer than this may expire while they are looked for. */
const shortLifeMs = 60_000;
const away = { kind: "failed", reason: "unreadable", detail: "its session directory was away" } as const;

/** Joins the parts of a lane to one. */
export function makeCopyLane(parts: CopyLaneParts): CopyLane {
  let recent = parts.rememberFrom(parts.runStartedMs);
  let survey: Survey | undefined;
  let facts: ReadonlyMap<string, DirectoryFacts> = new Map();
  const seen = new SeenDirectories();
  let pass = 0;
  let isChanged = recent.changedSincePass();
  let inUse = false;
  /** Sids of keys that were written and taken back. */
  const retracted = new Set<string>();

  const lane: LaneParts = {
    ahead: parts.ahead,
    isSuperseded: parts.isSuperseded,
    timesLost: parts.timesLost,
    read: (file) => {
      const reading = parts.read(file);
      return reading.kind === "read" ? noted(file, reading) : readAgain(file);
    },
    judge: (file, stamp, session) => {
      const known = facts.get(file.directory);
      return known?.mark === undefined ? {} : judgeSession(stamp, session, known);
    },
    noteSettled: ({ file, candidate }, kind) => {
      if (candidate.covered === true) seen.addCovered(file.directory, kind === "ended");
    },
    deleteOver: async (files) => {
      // Where no sign survives, nothing tells which keys a copy wrote.
      if (survey?.signsCount === true) await parts.deleteOver(files);
    },
    convert: parts.convert,
    settle: async (candidates) => {
      if (survey === undefined) throw new Error("a lane settles before it begins");
      return parts.settle(candidates, survey);
    },
    takeBackGone: async (entries, timesLost) => {
      const gone = new Set<SessionFile>();
      if (parts.dryRun) return gone;
      const written = entries.map(({ file, candidate: { entry } }): Written => {
        const { value, expiresAtMs } = entry;
        return { file, pass, timesLost, expiresAtMs, digest: parts.digestOf(value), bytes: value.length };
      });
      const takenBack = await parts.takeBackGone(written);
      for (const one of written) {
        if (takenBack.has(one)) gone.add(one.file);
        else parts.note(one);
      }
      return gone;
    },
  };

  function know(known: Survey): void {
    survey = known;
    facts = new Map(known.directories.map((one) => [one.directory, one]));
  }

  function judgeSession(
    stamp: FileStamp,
    { fullLifetimeMs, lifetimeOrigin }: ConvertedSession,
    known: DirectoryFacts,
  ): Judgement {
    const session = { stamp, fullLifetimeMs, lifetimeOrigin };
    const ifMissing = parts.again ? "write" : explainMissing(session, known, parts.expirations, Date.now());
    return {
      ...(ifMissing === "write" ? {} : { ifMissing }),
      ...(isCovered(stamp, known) ? { covered: true } : {}),
      ...(isUnmodifiedSinceMark(stamp, known) ? { unmodifiedSinceMark: true } : {}),
    };
  }

  function noted(file: SessionFile, reading: Extract<Reading, { readonly kind: "read" }>): Reading {
    recent.note(file, reading.stamp);
    inUse ||= parts.isModifiedSince(reading.stamp, parts.runStartedMs);
    const { mtimeMs } = reading.stamp;
    if (facts.get(file.directory)?.mark !== undefined && mtimeMs <= Date.now() + recentMs) {
      seen.addModification(file.directory, mtimeMs);
    }
    return reading;
  }

  /** Reads a file once more that could not be read, behind a look at it: what a server saves behind that look, a later pass sees as changed. */
  function readAgain(file: SessionFile): Reading {
    const stamp = parts.lookAt(file);
    const reading = readUnlessAway(file);
    if (reading.kind === "read") return noted(file, reading);
    recent.noteUnread(file, stamp);
    return reading;
  }

  /** Reads a file; a second time where its session directory was away. Of what is away with it nothing is known, and no later pass would take it: it is unchanged when it is back. */
  function readUnlessAway(file: SessionFile): Reading {
    for (let readings = 0; readings < 2; readings++) {
      const reading = parts.read(file);
      if (reading.kind !== "vanished" || parts.hasVanished(file)) return reading;
    }
    return away;
  }

  /** Whether a file changed, or nothing is known of it. One that is gone had its outcome. */
  function mayHaveChanged(file: SessionFile, stamp: FileStamp | undefined): boolean {
    return isChanged(file, stamp) && (stamp !== undefined || !parts.hasVanished(file));
  }

  return {
    begin: async (main) => {
      parts.written()?.forget();
      recent = parts.rememberFrom(main.startedMs);
      know(main.survey);
      seen.take();
      pass = 0;
      retracted.clear();
    },
    learn: async (known) => know(known),
    beginPass: async (later) => {
      recent.noteLead(later.largestLeadMs);
      isChanged = recent.changedSincePass();
      recent.beginPass(later.startedMs);
      pass = later.pass;
    },
    changedOf: async (batch) => {
      const stamps = await parts.look(batch);
      return batch.filter((file, index) => mayHaveChanged(file, stamps[index]));
    },
    work: async (batch) => {
      const done = await runLane(batch, lane);
      const result = laneResult(batch.length, done, parts.collectsOutcomes, seen.take());
      return { ...result, largestLeadMs: recent.largestLeadMs, inUse };
    },
    takeBackEnded: () => takeBackEnded(parts, retracted),
    countMissing: () => countMissing(parts, retracted),
    rest: async () => undefined,
    close: parts.close,
  };
}

async function takeBackEnded(parts: CopyLaneParts, retracted: Set<string>): Promise<TakenBack[]> {
  const { written, takeBackGone, turn, stop } = parts;
  if (parts.noneCanBeGone()) return [];
  const totals = new Map<number, TakenBack>();
  for (const batch of written()?.batches(writtenAtATime) ?? []) {
    // Signals get their turn, also where nothing is gone and nothing is waited for.
    await turn();
    if (stop.aborted) break;
    for (const { file, pass, bytes } of await takeBackGone(batch)) {
      retracted.add(file.sid);
      const total = totals.get(pass) ?? { pass, count: 0, bytes: 0 };
      totals.set(pass, { pass, count: total.count + 1, bytes: total.bytes + bytes });
    }
  }
  return [...totals.values()];
}

async function countMissing(
  { written, exist, turn, stop }: CopyLaneParts,
  retracted: ReadonlySet<string>,
): Promise<number | undefined> {
  const missing = new Set<string>();
  for (const batch of written()?.batches(writtenAtATime) ?? []) {
    await turn();
    if (stop.aborted) break;
    const files = batch.flatMap(({ file, expiresAtMs }) =>
      expiresAtMs - Date.now() <= shortLifeMs || retracted.has(file.sid) ? [] : [file],
    );
    const exists = await exist(files);
    for (const [index, { sid }] of files.entries()) if (exists[index] !== true) missing.add(sid);
  }
  return written() === undefined ? undefined : missing.size;
}
