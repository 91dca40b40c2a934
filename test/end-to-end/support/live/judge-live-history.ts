import type { LiveCommand, LiveHistory, LiveRun, LiveSession, LiveTrouble } from "./live-history.js";

/** How often what the judge looks for was there to be judged. */
export interface LiveTally {
  /**
   * Writes of the runs that took effect; those that put a newer version in the place of an older
   * one.
   */
  readonly written: number;
  readonly replaced: number;
  /** The server saved a session between two looks of a run at it. */
  readonly savedBetweenLooks: number;
  /**
   * Ended in files once a run had written them and before its last pass: the run must take them
   * back.
   */
  readonly endedBehindWrite: number;
  /**
   * Alive, though a run found them in Redis as they were before, and they ended in files before its
   * last pass: it wrote nothing.
   */
  readonly endedBehindLook: number;
  /**
   * Alive, though ended in files while a run was under way: before it came to them, or after its
   * last pass. Out of reach.
   */
  readonly endedOutOfReach: number;
  /** Ended in Redis while their files stand, before a later copy: it must not write them. */
  readonly endedInRedis: number;
  /** Of these, written by a copy for their files were modified after the mark: out of reach. */
  readonly revivedForNewerFile: number;
  /**
   * Logged out because they were made between the last copy of files and the first one after the
   * switch.
   */
  readonly lostAtSwitch: number;
}

export interface LiveJudgement {
  /** A sentence for each breach of a promise; sids are cut to 6 characters. */
  readonly breaches: readonly string[];
  readonly tally: LiveTally;
}

/**
 * A run with such a word in its name ends when the server is quiet: all that the server holds must
 * be there.
 */
export const quietAtEnd = "quiet";

/** A run with such words in its name was not complete: it leaves no mark. */
export const leavesDoubt = "in doubt";

/** File times lag behind the clock, by a tick of the kernel's. */
export const fileTimesLagMs = 100;
const looks = new Set(["get", "mget", "pexpiretime", "expiretime", "pttl", "ttl", "exists", "type", "strlen"]);

/** Holds what the runs did to what the server did, one session after the other. */
export function judgeLiveHistory(history: LiveHistory): LiveJudgement {
  const judge = new Judge(history);
  for (const trouble of history.troubles) judge.judgeTrouble(trouble);
  for (const [number, session] of history.sessions.entries()) judge.judgeSession(number, session);
  judge.judgeRemovals();
  return judge;
}

/**
 * How many keys had no lifetime when a run looked at them for the last time, because the server was
 * between SET and EXPIRE: so many must a verification find, no more and no fewer.
 */
export function countLastLooksWithoutLifetime({ runs, commands, sessions }: LiveHistory, runName: string): number {
  const run = runs.find(({ name }) => name === runName);
  const endless = new Set<number>();
  const found = new Map<number, boolean>();
  for (const [place, [byServer, name, session]] of commands.entries()) {
    if (byServer && name === "set") endless.add(session);
    else if (byServer && (name === "expire" || name === "del")) endless.delete(session);
    else if (name === "pexpiretime" && run !== undefined && isWithin(run, place))
      found.set(session, endless.has(session));
  }
  // The look at the start also meets keys that never had a file.
  const hasFile = (session: number) => sessions[session]?.versions.some(({ store }) => store === "files");
  return [...found].filter(([session, isEndless]) => isEndless && hasFile(session)).length;
}

/** What Redis holds under a key from a command on. */
interface State {
  readonly command: number;
  /** `undefined` where there is no key. */
  readonly version: number | undefined;
}

/** What is known of one session while its commands are gone through. */
interface Course {
  readonly session: LiveSession;
  readonly commands: readonly (readonly [place: number, command: LiveCommand])[];
  readonly states: State[];
  /** The server's own saves in Redis. */
  readonly saves: State[];
  /** When the server deleted its key. */
  deleted: number | undefined;
}

class Judge implements LiveJudgement {
  readonly breaches: string[] = [];
  readonly tally = {
    written: 0,
    replaced: 0,
    savedBetweenLooks: 0,
    endedBehindWrite: 0,
    endedBehindLook: 0,
    endedOutOfReach: 0,
    endedInRedis: 0,
    revivedForNewerFile: 0,
    lostAtSwitch: 0,
  };
  readonly #history: LiveHistory;
  readonly #copies: readonly LiveRun[];
  readonly #switchCommand: number;
  readonly #commands: [number, LiveCommand][][];

  constructor(history: LiveHistory) {
    this.#history = history;
    this.#copies = history.runs.filter(({ name }) => name.startsWith("copy") && !name.includes("--dry-run"));
    this.#switchCommand = history.switched?.command ?? Number.POSITIVE_INFINITY;
    this.#commands = history.sessions.map(() => []);
    for (const [place, command] of history.commands.entries()) {
      const ofSession = this.#commands[command[2]];
      if (ofSession === undefined) this.breaches.push(`a ${command[1]} of a key of no session`);
      else ofSession.push([place, command]);
    }
  }

  judgeTrouble({ sid, store, kind, read, known, at }: LiveTrouble): void {
    const session = this.#history.sessions.find((one) => one.sid === sid);
    const [firstBehind] = this.#copies.filter((run) => !this.#isOfFiles(run));
    const lastOfFiles = this.#copies.filter((run) => this.#isOfFiles(run)).at(-1);
    const isNew = lastOfFiles !== undefined && (session?.versions[0]?.event ?? 0) > this.#lastPassOf(lastOfFiles);
    const isBeforeCopy = firstBehind === undefined || at[0] < firstBehind.ended.at[0];
    if (store === "redis" && kind === "missing" && isNew && isBeforeCopy) {
      this.tally.lostAtSwitch++;
      return;
    }
    const what = kind === "missing" ? "none" : `version ${read}`;
    this.breaches.push(`${short(sid)}: the server read ${what} in ${store} where it had left ${known}`);
  }

  judgeSession(number: number, session: LiveSession): void {
    const commands = this.#commands[number] ?? [];
    const course: Course = { session, commands, states: [], saves: [], deleted: undefined };
    for (const [place, command] of commands) {
      if (command[0]) this.#followServer(course, place, command);
      else this.#judgeCommand(course, place, command);
    }
    for (const run of this.#history.runs) {
      this.#countMeetings(course, run);
      if (!this.#isOfFiles(run)) this.#judgeRunBehindSwitch(course, run);
      else if (this.#copies.includes(run)) this.#judgeCopyOfFiles(course, run);
    }
  }

  /** The server never moves a session file away, and deletes it only where it ends the session. */
  judgeRemovals(): void {
    for (const [sid, event] of this.#history.removed) {
      const run = this.#history.runs.find(({ begun, ended }) => begun.event <= event && event < ended.event);
      const isPurge = run?.name.includes("purge") === true;
      if (run === undefined || !isPurge || this.#isOfFiles(run)) {
        this.breaches.push(`${short(sid)}: its file was removed by ${run?.name ?? "nobody"}`);
      }
    }
  }

  #followServer(course: Course, place: number, [, name, , version]: LiveCommand): void {
    if (name === "set") {
      const state = { command: place, version: version ?? undefined };
      course.states.push(state);
      course.saves.push(state);
    } else if (name === "unlink") {
      // Somebody deleted the key by hand: nobody logged out.
      course.states.push({ command: place, version: undefined });
    } else if (name === "del") {
      course.states.push({ command: place, version: undefined });
      course.deleted ??= place;
    }
  }

  #judgeCommand(course: Course, place: number, [, name, , version, further]: LiveCommand): void {
    const { session, states } = course;
    const held = states.at(-1)?.version;
    const say = (breach: string): void => {
      this.breaches.push(`${short(session.sid)}: ${this.#runAt(place)?.name ?? "between two runs"} ${breach}`);
    };
    if (name === "set") {
      if (held === undefined ? further.includes("xx") : further.includes("nx")) return;
      if (version === null) say("wrote no session");
      else this.#judgeWrite(course, place, version, say);
      states.push({ command: place, version: version ?? -1 });
    } else if (name === "del" || name === "unlink") {
      if (held === undefined) return;
      if (session.ended?.store !== "files" && course.deleted === undefined)
        say(`deleted the key, version ${held}, of a session that the server held`);
      states.push({ command: place, version: undefined });
    } else if (name === "pexpireat") {
      // A copy renews the lifetime of what it finds equal: the value stays.
      if (held === undefined) say("renewed a key that was not there");
    } else if (!looks.has(name)) {
      say(`sent ${name}, which the judge does not know`);
    }
  }

  #judgeWrite(course: Course, place: number, version: number, say: (breach: string) => void): void {
    const { session, states, saves, deleted } = course;
    const held = states.at(-1)?.version;
    const saved = saves.at(-1)?.version;
    this.tally.written++;
    if (held !== undefined && held < version) this.tally.replaced++;
    const run = this.#runAt(place);
    if (run === undefined || !this.#copies.includes(run)) say("wrote a session");
    if (!session.versions.some((one) => one.version === version)) say(`wrote a version ${version} of its own`);
    if (held !== undefined && held > version) say(`put version ${version} in the place of ${held}`);
    else if (deleted === undefined && saved !== undefined && saved > version)
      say(`wrote version ${version} after the server's ${saved}`);
    if (deleted === undefined) return;
    if (this.#isNewerThanMark(session, run)) this.tally.revivedForNewerFile++;
    else say("revived a session that had ended in Redis");
  }

  /** While the server works on files. */
  #judgeCopyOfFiles(course: Course, run: LiveRun): void {
    const { session, commands } = course;
    const stands = stateAt(course.states, run.ended.command)?.version;
    const end = session.ended?.event ?? undefined;
    if (end !== undefined && run.begun.event <= end && end < run.ended.event) {
      const inTime = end < this.#lastPassOf(run);
      const wrote = course.states.some((state) => isWithin(run, state.command) && state.version !== undefined);
      if (inTime && wrote) this.tally.endedBehindWrite++;
      if (stands !== undefined) {
        const isTouched = commands.some(([place]) => isWithin(run, place));
        if (inTime && wrote)
          this.breaches.push(`${short(session.sid)}: ended before the last pass of ${run.name}, alive behind it`);
        else if (inTime && isTouched) this.tally.endedBehindLook++;
        else this.tally.endedOutOfReach++;
      }
    }
    if (!run.name.includes(quietAtEnd) || (end !== undefined && end < run.ended.event)) return;
    const newest = session.versions.filter(({ event }) => event !== null && event < run.ended.event).at(-1);
    if (newest !== undefined && newest.version !== stands) {
      const held = stands === undefined ? "nothing" : `version ${stands}`;
      this.breaches.push(`${short(session.sid)}: Redis holds ${held} of version ${newest.version} behind ${run.name}`);
    }
  }

  /**
   * While the server works on Redis alone: what it holds is there, in the version that it saved
   * last, or else its file's.
   */
  #judgeRunBehindSwitch(course: Course, run: LiveRun): void {
    const { session, deleted } = course;
    const { command, at } = run.ended;
    const hasFile = session.versions.some(({ store }) => store === "files");
    if (deleted !== undefined && deleted < run.begun.command && hasFile && this.#copies.includes(run))
      this.tally.endedInRedis++;
    const isOver =
      (deleted !== undefined && deleted < command) ||
      session.ended?.store === "files" ||
      (session.ended?.how === "missing" && session.ended.to[0] < at[0]);
    if (isOver) return;
    const saved = stateAt(course.saves, command)?.version;
    const ofFile = session.versions.filter(({ store }) => store === "files").at(-1)?.version;
    const newest = saved ?? ofFile;
    const stands = stateAt(course.states, command)?.version;
    if (newest === undefined || newest === stands) return;
    const held = stands === undefined ? "nothing" : `version ${stands}`;
    this.breaches.push(`${short(session.sid)}: Redis holds ${held} of version ${newest} behind ${run.name}`);
  }

  #countMeetings({ commands }: Course, run: LiveRun): void {
    const ofRun = commands.filter(([place]) => isWithin(run, place)).map(([, command]) => command);
    const first = ofRun.findIndex(([byServer]) => !byServer);
    const last = ofRun.findLastIndex(([byServer]) => !byServer);
    if (ofRun.some(([byServer, name], index) => byServer && name === "set" && first < index && index < last))
      this.tally.savedBetweenLooks++;
  }

  /**
   * Whether the last change of a session's file may count as later than the mark that a run found.
   */
  #isNewerThanMark(session: LiveSession, run: LiveRun | undefined): boolean {
    const before = this.#copies.filter(({ ended }) => run === undefined || ended.command <= run.begun.command);
    const mark = before.filter(({ name }) => !/purge|in doubt/.test(name)).at(-1);
    const change = session.versions.filter(({ store }) => store === "files").at(-1);
    if (mark === undefined || change === undefined) return true;
    return change.settled[1] > mark.begun.at[1] - fileTimesLagMs;
  }

  #isOfFiles(run: LiveRun): boolean {
    return run.ended.command <= this.#switchCommand;
  }

  #lastPassOf(run: LiveRun): number {
    return this.#history.passes.findLast((event) => run.begun.event <= event && event < run.ended.event) ?? 0;
  }

  #runAt(place: number): LiveRun | undefined {
    return this.#history.runs.find((run) => isWithin(run, place));
  }
}

function isWithin({ begun, ended }: LiveRun, place: number): boolean {
  return begun.command <= place && place < ended.command;
}

function stateAt(states: readonly State[], place: number): State | undefined {
  return states.findLast(({ command }) => command < place);
}

function short(sid: string): string {
  return `${sid.slice(0, 6)}…`;
}
