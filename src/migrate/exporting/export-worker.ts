import { type ConflictRules, conflictRules } from "../../convert/decide-conflict.js";
import { decideExport, type ExportDecision } from "../../convert/decide-export.js";
import { type ExportedSession, exportSession } from "../../convert/export-session.js";
import { isUnmodifiedSinceMark } from "../../convert/missing-key.js";
import type { Written } from "../../model/entry.js";
import type { Survey } from "../../model/mark.js";
import type { FailureReason, OutcomeKind, SessionOutcome } from "../../model/outcome.js";
import type { SessionFile } from "../../model/session-file.js";
import { showable } from "../../model/showable.js";
import type { StoredText, StoredValue } from "../../model/stored-value.js";
import { digestOf } from "../../redis/sha1.js";
import { layouts } from "../../source/layouts.js";
import type { ExactReading } from "../../source/read-session-file.js";
import { pathOf } from "../../source/recent-files.js";
import type { OpenFiles } from "../../source/removal/open-files.js";
import { StatReader } from "../../source/stat-reader.js";
import type { NewFile, SessionFileWriter } from "../../source/writing/session-file-writer.js";
import { FactsBySession } from "../earlier-runs/facts-by-session.js";
import type { Run } from "../run-context.js";
import type { FileTarget } from "./choose-file-target.js";

/** What becomes of the session files. */
export interface ExportContext {
  readonly target: FileTarget;
  readonly survey: Survey;
  readonly files: OpenFiles;
  /** Absent if nothing is to be written. */
  readonly writer: SessionFileWriter | undefined;
}

/** What became of a key, and what was written for it. */
export interface Exported {
  readonly outcome: SessionOutcome;
  readonly written?: Written;
}

/** How often a file may change while it is decided about. */
const maxTries = 5;
/** Files that are open at a time: systems allow a process 256 or more. */
const writtenAtATime = 128;

/** What was found of a session and its file. */
type Decided = ExportDecision["kind"] | "missing" | "in doubt";

const outcomes = {
  missing: "exported",
  write: "exported",
  rewrite: "exported",
  touch: "identical",
  identical: "identical",
  kept: "kept",
  "in doubt": "kept",
} as const satisfies Record<Decided, OutcomeKind>;
const reverseOutcomes = {
  missing: "missing",
  write: "different",
  rewrite: "different",
  touch: "wrong-lifetime",
  identical: "equal",
  kept: "newer",
  "in doubt": "different",
} as const satisfies Record<Decided, OutcomeKind>;

/** What a person is told of a session whose file is not as it should be. */
const details = {
  missing: "it has no session file",
  different: "its file holds another, older session, or one that the server cannot read",
  "wrong-lifetime": "its file says that it was saved earlier, so a server may remove it too soon",
};
const inDoubtDetail = "in doubt: its file holds another session, and it is not known which is newer";

/** A session that Redis holds. */
interface Held {
  readonly file: SessionFile;
  readonly stored: StoredText;
  readonly exported: Extract<ExportedSession, { readonly kind: "file" }>;
}

/** What is to become of it. */
interface Plan {
  readonly held: Held;
  /** Without it, nothing is written. */
  readonly write?: NewFile;
  readonly outcome: SessionOutcome;
}

/** Exports sessions to files, or compares them with their files, batch by batch. */
export class ExportWorker {
  readonly #run: Run;
  readonly #context: ExportContext;
  readonly #rules: ConflictRules & { readonly conversion: Run["files"]["conversion"] };
  readonly #facts: FactsBySession;
  readonly #stats = new StatReader();
  /** 0 for the main pass. */
  pass = 0;

  constructor(run: Run, context: ExportContext) {
    const { conversion } = run.files;
    this.#run = run;
    this.#context = context;
    const rules = conflictRules({ conversion, conflicts: run.options.conflicts }, context.survey);
    this.#rules = { ...rules, conversion };
    this.#facts = new FactsBySession(context.survey.directories);
  }

  /** The file of a sid; `undefined` if the layout has none for it. */
  fileOf(sid: string): SessionFile | undefined {
    const { directory, layout } = this.#context.target;
    const name = layouts[layout].nameOf(sid);
    return name === undefined ? undefined : { directory, name, layout, sid };
  }

  /** Throws what `SessionStore` throws, and `SourceError` if no file can be written any more. */
  async workOn(sids: readonly string[]): Promise<Exported[]> {
    const { store } = this.#run.redis;
    const all = await store.read(sids.map((sid) => store.keyOf(sid)));
    const done: Exported[] = [];
    let pending: Held[] = [];
    for (const [index, sid] of sids.entries()) {
      const held = this.#hold(sid, all[index]);
      if ("kind" in held) done.push({ outcome: held });
      else pending.push(held);
    }
    for (let tries = 0; pending.length > 0 && tries < maxTries; tries++) {
      const changed: Held[] = [];
      for (let from = 0; from < pending.length; from += writtenAtATime) {
        const plans = pending.slice(from, from + writtenAtATime).map((held) => this.#plan(held));
        for (const one of await this.#carryOut(plans)) {
          if ("stored" in one) changed.push(one);
          else done.push(one);
        }
      }
      pending = changed;
    }
    const detail = `at each of ${maxTries} tries`;
    return [...done, ...pending.map(({ file }) => this.#failed(file.sid, "changed-repeatedly", detail))];
  }

  /** A key of this prefix that ends in no sid. */
  refuseInvalid(end: string): Exported {
    return this.#failed(showable(end), "invalid-sid", "the key does not end in a session id");
  }

  #hold(sid: string, stored: StoredValue | undefined): Held | SessionOutcome {
    const file = this.fileOf(sid);
    if (file === undefined) {
      return this.#failed(sid, "invalid-sid", "a session id of this length has no file in the flat layout").outcome;
    }
    switch (stored?.kind) {
      case "text": {
        const { target } = this.#context;
        const exported = exportSession(stored, sid, target.format, this.#rules.conversion);
        if (exported.kind === "file") return { file, stored, exported };
        if (exported.kind === "failed") return this.#failed(sid, exported.reason, exported.detail).outcome;
        return { sid, kind: "expired", bytesRead: stored.value.length, bytesWritten: 0 };
      }
      case "nothing":
        return { sid, kind: "vanished", bytesRead: 0, bytesWritten: 0 };
      case "other-type":
        return this.#failed(sid, "wrong-redis-type", "the key holds no string").outcome;
      default:
        return this.#failed(sid, "redis-error", stored?.detail ?? "no reply").outcome;
    }
  }

  /** What is to become of a session, by the file that the server would read now. */
  #plan(held: Held): Plan {
    const { file, stored, exported } = held;
    const { reading, isInPlace } = this.#standing(file);
    const fresh = { file, bytes: exported.bytes, mtimeMs: exported.savedMs };
    switch (reading.kind) {
      case "vanished":
        return this.#planned(held, "missing", { ...fresh, replaces: null });
      case "empty":
        return this.#planned(held, "missing", { ...fresh, replaces: "empty" });
      case "ignored":
        return { held, ...this.#failed(file.sid, "not-written", "something else has the name of its file") };
      case "failed":
        return { held, ...this.#failed(file.sid, reading.reason, reading.detail) };
    }
    const { read, stamp, exact } = reading;
    const unmodifiedSinceMark = isUnmodifiedSinceMark(stamp, this.#facts.of(file));
    const standing = { read, sid: file.sid, unmodifiedSinceMark };
    const { format } = this.#context.target;
    const decision = decideExport(standing, { stored, exported }, format, this.#rules);
    const { kind } = decision;
    if (kind === "kept") return this.#planned(held, decision.inDoubt === true ? "in doubt" : kind);
    if (kind === "identical" && isInPlace) return this.#planned(held, kind);
    const mtimeMs = kind === "write" ? exported.savedMs : Math.max(exported.savedMs, read.mtimeMs);
    const bytes = kind === "touch" && isInPlace ? read.bytes : exported.bytes;
    return this.#planned(held, kind, { file, bytes, mtimeMs, replaces: isInPlace ? exact : null });
  }

  /** The file that the server would read: one that scatters reads a flat file if it has no other. */
  #standing(file: SessionFile): { readonly reading: ExactReading; readonly isInPlace: boolean } {
    const reading = this.#read(file);
    const flat = layouts.flat.nameOf(file.sid);
    if (reading.kind !== "vanished" || file.layout === "flat" || flat === undefined) {
      return { reading, isInPlace: true };
    }
    const other = this.#read({ ...file, layout: "flat", name: flat });
    return other.kind === "read" ? { reading: other, isInPlace: false } : { reading, isInPlace: true };
  }

  /** Opening what is not there would take several times as long as asking for it. */
  #read(file: SessionFile): ExactReading {
    return this.#stats.stat(pathOf(file)) === undefined ? { kind: "vanished" } : this.#context.files.read(file);
  }

  #planned(held: Held, decided: Decided, write?: NewFile): Plan {
    const { file, stored, exported } = held;
    const kind = this.#run.options.files.reverse ? reverseOutcomes[decided] : outcomes[decided];
    const outcome: SessionOutcome = {
      sid: file.sid,
      kind,
      facts: exported.facts,
      format: this.#context.target.format.name,
      mtimeMs: exported.savedMs,
      bytesRead: stored.value.length,
      bytesWritten: write?.bytes.length ?? 0,
      ...(exported.warning === undefined ? {} : { warning: exported.warning }),
      ...(decided === "in doubt" ? { inDoubt: true } : {}),
    };
    return { held, outcome: withDifference(outcome, file), ...(write === undefined ? {} : { write }) };
  }

  /** Writes what is to be written. Returns the sessions whose files changed meanwhile as they were. */
  async #carryOut(plans: readonly Plan[]): Promise<(Exported | Held)[]> {
    const { writer } = this.#context;
    const writing = plans.flatMap(({ write }) => (write === undefined ? [] : [write]));
    const results = writer === undefined ? [] : await writer.write(writing);
    const resultOf = new Map(writing.map((write, index) => [write, results[index]]));
    return plans.map(({ held, outcome, write }) => {
      const result = write && resultOf.get(write);
      if (write === undefined || result === undefined) return { outcome };
      if (result.kind === "changed") return held;
      if (result.kind === "failed") {
        return this.#failed(held.file.sid, "not-written", `its file cannot be written (${result.code})`);
      }
      return { outcome, written: this.#written(write, outcome.kind === "identical") };
    });
  }

  #written({ file, bytes, mtimeMs }: NewFile, renewed: boolean): Written {
    return {
      file,
      pass: this.pass,
      reconnects: this.#run.redis.servers.reconnects,
      expiresAtMs: mtimeMs,
      digest: digestOf(bytes.toString("latin1")),
      bytes: bytes.length,
      renewed,
    };
  }

  #failed(sid: string, reason: FailureReason, detail: string): Exported {
    const file = this.fileOf(sid);
    const path = file === undefined ? this.#run.redis.store.keyOf(sid) : pathOf(file);
    const failure = { sid, path, reason, detail };
    return { outcome: { sid, kind: "failed", failure, bytesRead: 0, bytesWritten: 0 } };
  }
}

function withDifference(outcome: SessionOutcome, file: SessionFile): SessionOutcome {
  const { sid, kind, inDoubt } = outcome;
  const isDifferent = kind === "missing" || kind === "different" || kind === "wrong-lifetime";
  if (!isDifferent && !(kind === "kept" && inDoubt === true)) return outcome;
  const detail = kind === "kept" || inDoubt === true ? inDoubtDetail : details[kind];
  return { ...outcome, difference: { sid, path: pathOf(file), kind, detail } };
}
