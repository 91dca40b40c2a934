// Made from src/report/schema/report-schema.ts: npm run docs

import type { FailureReason, OutcomeKind } from "../model/outcome.js";

/** Counts by name. Absent: an outcome of other commands, a reason for which no session failed. */
type Counts<Names extends string> = { readonly [Name in Names]?: number };

/** The report of a tele-sessions run: what --json prints and --report writes. */
export interface Report {
  /** Says that this is one of our reports. */
  readonly tool: "tele-sessions";
  /** Changes if a key goes. */
  readonly schemaVersion: 1;
  /** The version of tele-sessions. */
  readonly version: string;
  /** What was run. */
  readonly command: "copy" | "purge" | "verify" | "export" | "stop-after-init";
  /** Whether nothing was changed, and the counts say what would be done. */
  readonly dryRun: boolean;
  /** What the exit code comes to. */
  readonly outcome: "complete" | "partial" | "refused" | "interrupted" | "failed";
  /** As in the table of exit codes. */
  readonly exitCode: number;
  /** When the run began. */
  readonly startedAt: string | null;
  /** When the report was made. */
  readonly endedAt: string | null;
  /** The machine that the run was on. */
  readonly host: string | null;
  /** The account that it ran as. */
  readonly user: {
    /** Its number. */
    readonly uid: number;
    /** Its name; null if the system knows none. */
    readonly name: string | null;
  } | null;
  /** The session directories and what lay in them. */
  readonly source: {
    /** Their paths, resolved. */
    readonly directories: readonly string[];
    /** The shards that were taken, such as `2/4`; empty if everything was. */
    readonly shards: readonly string[];
    /** Session files by layout. */
    readonly layouts: {
      readonly flat: number;
      readonly scattered: number;
    };
    /** Decoded sessions by format. */
    readonly formats: {
      readonly pickle: number;
      readonly json: number;
    };
    /** Names that are not session files. */
    readonly ignored: number;
    /** Files of 0 bytes. */
    readonly empty: number;
  };
  /** Where the sessions went. */
  readonly target: {
    /** `host:port/db`; null if the run ended before it was known. */
    readonly redis: string | null;
    /** Which keys were used; null if the run ended before that was known. */
    readonly keyLayout: "documented" | "applet" | null;
    /** Why that layout. */
    readonly keyLayoutEvidence: "named" | "found" | "both" | "none" | null;
    /** As given with `--prefix`. */
    readonly prefix: string | null;
    /** Where the server saves sessions. */
    readonly serverWorks: "files" | "redis" | "unknown";
  };
  /** What Redis says about itself, null if it does not say; null if it was not asked. */
  readonly redis: {
    /** As INFO has it. */
    readonly version: string | null;
    /** The first 6 characters of its `run_id`, which changes with every start. */
    readonly runId: string | null;
    /** At the start. */
    readonly role: "master" | "replica" | null;
    /** Whether it saves to disk. */
    readonly persistence: boolean | null;
    /** Bytes in use when the run began. */
    readonly memoryBefore: number | null;
    /** Bytes in use when the run ended. */
    readonly memoryAfter: number | null;
    /** Bytes; 0 means no limit. */
    readonly memoryLimit: number | null;
    /** Keys of any kind that were evicted during the run. */
    readonly evicted: number | null;
  } | null;
  /** Names of session files that the listing saw. */
  readonly listed: number | null;
  /** What became of the session files in the main pass: the outcomes of the command. */
  readonly sessions: Counts<OutcomeKind> & {
    /** Session files that the pass found: the sum of the outcomes. */
    readonly found: number;
    /** Originals removed. */
    readonly purged: number;
    /** Keys deleted because their files are gone. */
    readonly retracted: number;
    /** Sessions whose user is logged in. */
    readonly authenticated: number;
    /** Sessions whose user is not logged in. */
    readonly anonymous: number;
    /** Sessions that JSON cannot hold exactly as Python had them. */
    readonly lossy: number;
    /** Session files that were listed but not reached. */
    readonly unvisited: number;
  };
  /** The main pass, then each pass over what changed during the copy. */
  readonly passes: readonly (Counts<OutcomeKind> & {
    /** Session files that the pass found: the sum of the outcomes. */
    readonly found: number;
  })[];
  /** Sessions that were still changing at the end of the last pass. */
  readonly stillChanging: number;
  /** The main pass by session directory. */
  readonly byDirectory: readonly {
    /** Its path. */
    readonly directory: string;
    /** Session files found there. */
    readonly found: number;
    /** Those of them that failed. */
    readonly failed: number;
  }[];
  /** Failures of every pass by reason. */
  readonly byReason: Counts<FailureReason>;
  /** Sessions by database; null because a run does not count them, `inspect` does. */
  readonly databases: { readonly [name: string]: number } | null;
  /** Decoded sessions by the time since their files were last modified. */
  readonly ages: readonly {
    /** Younger than this; null for all that are older. */
    readonly underHours: number | null;
    /** Sessions whose user is logged in. */
    readonly authenticated: number;
    /** All others. */
    readonly anonymous: number;
  }[];
  /** Keys written or renewed, by the hour in which they expire; 60 days ahead, or later, is one hour. */
  readonly lifetimes: readonly {
    /** The beginning of the hour. */
    readonly hour: string;
    /** Keys that expire in it. */
    readonly sessions: number;
  }[];
  /** How long each part of the run took. */
  readonly phases: readonly {
    /** As in `copying`. */
    readonly name: string;
    /** Its time. */
    readonly seconds: number;
  }[];
  /** How fast the run was, and what happened. */
  readonly throughput: {
    /** How far the run had come, at up to 600 instants that span all of it. */
    readonly samples: readonly {
      /** Since the run began. */
      readonly seconds: number;
      /** Session files that all passes had done by then. */
      readonly sessions: number;
    }[];
    /** What happened when: at most the first 200. */
    readonly marks: readonly {
      /** Since the run began. */
      readonly seconds: number;
      /** What happened: `restart` is a run that starts over. */
      readonly kind: "pass" | "redis-away" | "redis-back" | "restart";
    }[];
  };
  /** The first 100, suspicious ones first; a report file has all. */
  readonly failures: readonly {
    /** The first 6 characters of the session id; all of it with `--show-ids`. */
    readonly session: string;
    /** The path of its file, with the id cut in the same way. */
    readonly file: string;
    /** See the reasons in outcomes.md. */
    readonly reason: FailureReason;
    /** More, without any value of the session. */
    readonly detail: string;
    /** Present if the file names something that no server writes: somebody may have planted it. */
    readonly suspicious?: true;
  }[];
  /** Failures that are not listed here. */
  readonly failuresOmitted: number;
  /** What `verify` found or a purge left: the first 100; a report file has all. */
  readonly differences: readonly {
    /** The first 6 characters of the session id; all of it with `--show-ids`. */
    readonly session: string;
    /** The path of its file, with the id cut in the same way. */
    readonly file: string;
    /** See the outcomes in outcomes.md. */
    readonly kind: "missing" | "different" | "wrong-lifetime" | "absent" | "kept" | "denied";
    /** More, without any value of the session. */
    readonly detail: string;
  }[];
  /** Differences that are not listed here. */
  readonly differencesOmitted: number;
  /** What the run was told. */
  readonly settings: readonly {
    /** The flag, or the variable if there is no flag. */
    readonly name: string;
    /** Its value; a secret is masked. */
    readonly value: string;
    /** The flag, variable or file that gave it, or `default`. */
    readonly origin: string;
  }[];
  /** Every warning and every error, as a sentence. */
  readonly warnings: readonly string[];
  /** What ended the run, or kept it from being complete. */
  readonly errors: readonly {
    /** The system's or Redis's own, such as `ECONNREFUSED`. */
    readonly code: string | null;
    /** What happened. */
    readonly message: string;
    /** What to do; null if the message says it. */
    readonly remedy: string | null;
  }[];
  /** How much was read and written. */
  readonly bytes: {
    /** Bytes of session files. */
    readonly read: number;
    /** Bytes of values that Redis got. */
    readonly written: number;
  };
  /** How long the run took. */
  readonly seconds: number;
  /** `found` by `seconds`. */
  readonly sessionsPerSecond: number;
  /** Memory that the run took at most. */
  readonly peakMemoryBytes: number;
}
