import { rmSync } from "node:fs";
import { signedInstant } from "../../../src/convert/sign.js";
import { ReaderPool } from "../../../src/migrate/readers/reader-pool.js";
import { CopyWriter, type WriterOptions } from "../../../src/migrate/writing/copy-writer.js";
import type { Written } from "../../../src/model/entry.js";
import type { DirectoryFacts, Survey } from "../../../src/model/mark.js";
import type { SessionOutcome } from "../../../src/model/outcome.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import type { SessionStore } from "../../../src/redis/session-store.js";
import { pathOf } from "../../../src/source/recent-files.js";
import { MemoryStore } from "../../support/memory-store.js";
import { dayMs, type SavedAs, SessionDirectory, sessionText } from "../../support/sessions/session-directory.js";
import { expirations, factsOf, markAt, surveyOf } from "../survey-of.js";

export const keyPrefix = "session:";
export const conversion = {
  ttl: "full",
  ...expirations,
  maxSessionSize: 16 * 1024 * 1024,
  keyPrefix,
  clockLeadMs: 0,
} as const;

/** What differs from a run over one directory of which nothing is known. */
export interface GroundChange extends Partial<WriterOptions> {
  readonly survey?: Partial<Survey>;
  readonly facts?: Partial<DirectoryFacts>;
  readonly maxFileSize?: number;
}

/** A copy writer over a real session directory and a store in memory. */
export class WriterGround {
  readonly directory = new SessionDirectory();
  readonly store = new MemoryStore(keyPrefix);
  readonly servers = { reconnects: 0 };
  /** With an exclamation mark if a quiet person is told too. */
  readonly warnings: string[] = [];
  readonly stop = new AbortController();
  readonly readers: ReaderPool;
  readonly writer: CopyWriter;

  constructor({ survey = {}, facts = {}, maxFileSize = 64 * 1024 * 1024, ...change }: GroundChange = {}) {
    const nowMs = Date.now();
    const options: WriterOptions = {
      ...{ directories: [this.directory.path], dryRun: false, retracts: true },
      ...{ collectsOutcomes: true, runStartedMs: nowMs, passStartedMs: nowMs, conversion },
      conflicts: { policy: "newest", again: false, maxEnded: 10 },
      ...change,
    };
    this.readers = new ReaderPool({ ...options, maxFileSize, hashes: true }, []);
    this.writer = new CopyWriter(options, this.survey(facts, survey), {
      ...{ servers: this.servers, store: this.store, readers: this.readers },
      warn: (message, { evenIfQuiet = false } = {}) => void this.warnings.push(`${message}${evenIfQuiet ? "!" : ""}`),
      stop: this.stop.signal,
    });
  }

  /** What a run knows that found the directory in this state. */
  survey(facts: Partial<DirectoryFacts>, change: Partial<Survey> = {}): Survey {
    const directory = factsOf({ directory: this.directory.path, changeTimesCount: false, ...facts });
    return surveyOf({ serverWorks: directory.serverWorks, directories: [directory], ...change });
  }

  /** Saves a session file; each number is a session. */
  save(number: number, content = sessionText(number), how: SavedAs = {}): SessionFile {
    return this.directory.save(number, content, how);
  }

  /** Has Redis hold a value that a copy wrote, for a day by default; null: no string. */
  hold(file: SessionFile, value: string | null, expiresAtMs: number | null = inADay(value)): void {
    this.store.keys.set(this.store.keyOf(file.sid), { value, expiresAtMs });
  }

  stored(file: SessionFile): string | null | undefined {
    return this.store.keys.get(this.store.keyOf(file.sid))?.value;
  }

  /** What becomes of each of some files, by the order of the outcomes. */
  async write(...files: readonly SessionFile[]): Promise<string[]> {
    const { outcomes, error } = await this.writer.workOn(files);
    if (error !== undefined) throw error;
    return outcomes.map(wordOf);
  }

  /** The sessions whose keys it deletes because they ended: their sids, and how they count. */
  async retractEnded() {
    const retracted: [sid: string, counted: Pick<Written, "pass" | "renewed" | "bytes">][] = [];
    for await (const { file, pass, renewed, bytes } of this.writer.written.retractEnded()) {
      retracted.push([file.sid, { pass, renewed, bytes }]);
    }
    return retracted;
  }
}

/** A run that found a mark a day old, and a server of which it is not known where it works. */
export function marked(change: Partial<DirectoryFacts> = {}): Partial<DirectoryFacts> {
  return { mark: markAt(Date.now() - dayMs), ...change };
}

/** An instant that a copy gives a value, in a day. */
export function inADay(value: string | null): number {
  return signedInstant(Date.now() + dayMs, value ?? "", 0);
}

/** The instant that a copy gives a value of a session that was saved this long ago. */
export function copiedAgo(value: string, agoMs: number): number {
  return signedInstant(Date.now() - agoMs + 1000 * expirations.expiration, value, 0);
}

export function wordOf({ kind, failure, inDoubt }: SessionOutcome): string {
  return [kind, failure?.detail, inDoubt && "in doubt"].filter((part) => part !== undefined).join(": ");
}

/** As a logout. */
export function remove(file: SessionFile): void {
  rmSync(pathOf(file));
}

/** Has a method of the store answer as it is told. */
export const answer = (store: MemoryStore, change: Partial<SessionStore>): void => void Object.assign(store, change);

/** What is done before or after a call; it is told which one it is, from 1. */
export interface Beside {
  readonly before?: (at: number) => void;
  readonly after?: (at: number) => void;
}

/** Does something before or after each call of a method of an object. */
export function beside<Target extends object>(
  target: Target,
  method: keyof Target & string,
  { before, after }: Beside,
): void {
  const original: unknown = Reflect.get(target, method);
  if (typeof original !== "function") throw new Error(`no method ${method}`);
  let calls = 0;
  const around = (...args: readonly unknown[]): unknown => {
    const at = ++calls;
    before?.(at);
    const result: unknown = Reflect.apply(original, target, args);
    if (result instanceof Promise) return result.finally(() => after?.(at));
    after?.(at);
    return result;
  };
  Reflect.set(target, method, around);
}

/** Has the files of some sessions go once their keys were written. */
export function goAfterWrite(
  ground: WriterGround,
  files: readonly SessionFile[],
  then: () => void = () => undefined,
): void {
  let areThere = true;
  const go = () => {
    if (areThere) files.forEach(remove);
    areThere = false;
    then();
  };
  for (const method of ["createEncoded", "create", "replace", "overwrite"] as const) {
    beside(ground.store, method, { after: go });
  }
}
