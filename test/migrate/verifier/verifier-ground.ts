import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ReaderPool } from "../../../src/migrate/readers/reader-pool.js";
import { Verifier, type VerifierOptions } from "../../../src/migrate/verifier.js";
import type { DirectoryFacts, Survey } from "../../../src/model/mark.js";
import type { SessionFile } from "../../../src/model/session-file.js";
import { pathOf } from "../../../src/source/recent-files.js";
import { MemoryStore } from "../../support/memory-store.js";
import {
  dayMs,
  hourMs,
  SessionDirectory,
  sessionOfLength,
  sessionText,
} from "../../support/sessions/session-directory.js";
import { conversion, copiedAgo, inADay, keyPrefix, wordOf } from "../copy-writer/writer-ground.js";
import { factsOf, surveyOf } from "../survey-of.js";

export interface GroundChange extends Partial<VerifierOptions> {
  readonly facts?: Partial<DirectoryFacts>;
  readonly maxFileSize?: number;
}

/** A verifier over a real session directory and a store in memory. */
export class VerifierGround {
  readonly directory = new SessionDirectory();
  readonly store = new MemoryStore(keyPrefix);
  readonly survey: Survey;
  readonly verifier: Verifier;
  /** The keys that were read together. */
  readonly asked: (readonly string[])[] = [];
  waits = 0;
  /** What happens while changes are waited for. */
  meanwhile: () => void = () => undefined;

  constructor({ facts = {}, maxFileSize = 1000, ...change }: GroundChange = {}) {
    const directories = [this.directory.path];
    // Which scatter folders exist is known for a second.
    mkdirSync(join(this.directory.path, this.directory.file(0).sid.slice(0, 2)));
    const options: VerifierOptions = {
      ...{ conversion, conflicts: { policy: "newest", again: false, maxEnded: 10 } },
      collectsOutcomes: true,
      ...change,
    };
    const startedMs = Date.now();
    const readers = new ReaderPool(
      {
        directories,
        maxFileSize,
        conversion: options.conversion,
        runStartedMs: startedMs,
        passStartedMs: startedMs,
        hashes: false,
      },
      [],
    );
    const known = factsOf({ directory: this.directory.path, changeTimesCount: false, ...facts });
    this.survey = surveyOf({ serverWorks: known.serverWorks, directories: [known] });
    const { store } = this;
    const read: MemoryStore["read"] = async (keys) => {
      this.asked.push(keys);
      return store.read(keys);
    };
    this.verifier = new Verifier(options, this.survey, {
      store: { keyOf: (sid) => store.keyOf(sid), read },
      readers,
      wait: async () => {
        this.waits++;
        this.meanwhile();
      },
    });
  }

  /** Puts a session into a state, and gives its file. */
  place(number: number, state: State): SessionFile {
    const file = this.directory.file(number);
    for (const one of [file, this.directory.file(number, "scattered")]) {
      rmSync(pathOf(one), { recursive: true, force: true });
    }
    this.store.keys.delete(this.store.keyOf(file.sid));
    state(this, number);
    return file;
  }

  /** Holds another value than the file's, or the file's own by default. */
  hold(number: number, value: string | null = sessionText(), expiresAtMs: number | null = inADay(value)): void {
    this.store.keys.set(this.store.keyOf(this.directory.file(number).sid), { value, expiresAtMs });
  }

  /** What becomes of each of some files. */
  async verify(...files: readonly SessionFile[]): Promise<string[]> {
    return (await this.verifier.workOn(files)).outcomes.map(wordOf);
  }
}

/** How a session's file and its key stand. */
export type State = (ground: VerifierGround, number: number) => void;

export const other = sessionText("other");
export const old = () => ({ mtimeMs: Date.now() - 2 * dayMs });
/** A file that can be read, and a key. */
export const withFile =
  (state: State = () => undefined): State =>
  (ground, number) => {
    ground.directory.save(number, sessionText());
    state(ground, number);
  };

export const equal = withFile((ground, number) => ground.hold(number));
export const newer = withFile((ground, number) => ground.hold(number, other, copiedAgo(other, 0) + 1));
export const noLifetime = withFile((ground, number) => ground.hold(number, sessionText(), null));
export const different = withFile((ground, number) => ground.hold(number, other, copiedAgo(other, 2 * hourMs)));
export const missing = withFile();
export const vanished: State = () => undefined;
export const otherType = withFile((ground, number) => ground.hold(number, null));
export const superseded: State = (ground, number) => {
  ground.directory.save(number, "{", old());
  ground.directory.save(number, sessionText(), { layout: "scattered" });
};

export const states: readonly (readonly [name: string, state: State, expected: string])[] = [
  ["an equal value", equal, "equal"],
  ["a newer value", newer, "newer"],
  ["an equal value that never expires", noLifetime, "wrong-lifetime"],
  [
    "an equal value with a lifetime that is too long",
    withFile((ground, number) => ground.hold(number, sessionText(), Date.now() + 8 * dayMs)),
    "wrong-lifetime",
  ],
  [
    "a newer value that never expires",
    withFile((ground, number) => ground.hold(number, other, null)),
    "wrong-lifetime",
  ],
  ["another value", different, "different"],
  [
    "a value of which nothing tells its age",
    withFile((ground, number) => ground.hold(number, "{")),
    "different: in doubt",
  ],
  ["no key", missing, "missing"],
  [
    "over already",
    (ground, number) => {
      ground.directory.save(number, sessionText().replace("}", ', "expiration": -5}'));
    },
    "expired",
  ],
  ["a later file holds the session", superseded, "superseded"],
  ["a file that is gone", vanished, "vanished"],
  ["an empty file", (ground, number) => void ground.directory.save(number, ""), "empty"],
  ["no regular file", (ground, number) => mkdirSync(pathOf(ground.directory.file(number))), "ignored"],
  [
    "a file that is too large",
    (ground, number) => void ground.directory.save(number, sessionOfLength(1001)),
    "failed: a file of 1001 bytes",
  ],
  ["a corrupt file", (ground, number) => void ground.directory.save(number, "{"), "failed: no key at character 1"],
  ["a key of another type", otherType, "failed: the key holds no string"],
];
export const differences = ["missing", "different", "different: in doubt", "wrong-lifetime"];
