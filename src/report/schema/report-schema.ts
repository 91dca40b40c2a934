import * as z from "zod";
import { ageBuckets } from "../../model/counts.js";
import {
  type DifferenceKind,
  type FailureReason,
  failureReasons,
  type OutcomeKind,
  outcomeKinds,
} from "../../model/outcome.js";
import { markKinds, maxSamples } from "../../model/progress/timeline.js";
import { keyLayoutEvidences, serverPlaces } from "../../model/server-evidence.js";

/** The version of the schema that this tool writes. Reports without one are older. */
export const schemaVersion = 1;

const count = z.int().nonnegative();
const seconds = z.number().nonnegative();
const bytes = count.nullable();
const instant = z.iso.datetime().nullable();

const differenceKinds = ["missing", "different", "wrong-lifetime", "absent", "kept", "denied"] as const;
differenceKinds satisfies readonly DifferenceKind[];

/** One optional count for each name. */
function counts<Name extends string>(names: readonly Name[]) {
  const shape = Object.fromEntries(names.map((name) => [name, count.exactOptional()]));
  // `Object.fromEntries` forgets the names.
  return shape as Record<Name, z.ZodExactOptional<typeof count>>;
}

/** A list of such objects, which older reports lack. */
function list<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.array(z.object(shape)).default([]);
}

const passCounts = z.object({
  found: count.describe("Session files that the pass found: the sum of the outcomes."),
  ...counts<OutcomeKind>(outcomeKinds),
});

const file = {
  session: z.string().describe("The first 6 characters of the session id; all of it with `--show-ids`."),
  file: z.string().default("").describe("The path of its file, with the id cut in the same way."),
};

const failure = z.object({
  ...file,
  reason: z.enum(failureReasons).describe("See the reasons in outcomes.md."),
  detail: z.string().describe("More, without any value of the session."),
  suspicious: z
    .literal(true)
    .exactOptional()
    .describe("Present if the file names something that no server writes: somebody may have planted it."),
});

const difference = z.object({
  ...file,
  kind: z.enum(differenceKinds).describe("See the outcomes in outcomes.md."),
  detail: z.string().describe("More, without any value of the session."),
});

const redis = z.object({
  version: z.string().nullable().describe("As INFO has it."),
  runId: z.string().nullable().describe("The first 6 characters of its `run_id`, which changes with every start."),
  role: z.enum(["master", "replica"]).nullable().describe("At the start."),
  persistence: z.boolean().nullable().describe("Whether it saves to disk."),
  memoryBefore: bytes.describe("Bytes in use when the run began."),
  memoryAfter: bytes.describe("Bytes in use when the run ended."),
  memoryLimit: bytes.describe("Bytes; 0 means no limit."),
  evicted: count.nullable().describe("Keys of any kind that were evicted during the run."),
});

/**
 * The report of a run, which `--json` prints and `--report` writes. Everything that has a default
 * is missing in reports of older versions.
 */
export const reportSchema = z
  .object({
    tool: z.literal("tele-sessions").describe("Says that this is one of our reports."),
    schemaVersion: z.literal(schemaVersion).default(schemaVersion).describe("Changes if a key goes."),
    version: z.string().describe("The version of tele-sessions."),
    command: z.enum(["copy", "purge", "verify", "export", "stop-after-init"]).describe("What was run."),
    dryRun: z.boolean().describe("Whether nothing was changed, and the counts say what would be done."),
    outcome: z
      .enum(["complete", "partial", "refused", "interrupted", "failed"])
      .describe("What the exit code comes to."),
    exitCode: count.describe("As in the table of exit codes."),
    startedAt: instant.default(null).describe("When the run began."),
    endedAt: instant.default(null).describe("When the report was made."),
    host: z.string().nullable().default(null).describe("The machine that the run was on."),
    user: z
      .object({
        uid: count.describe("Its number."),
        name: z.string().nullable().describe("Its name; null if the system knows none."),
      })
      .nullable()
      .default(null)
      .describe("The account that it ran as."),
    source: z
      .object({
        directories: z.array(z.string()).describe("Their paths, resolved."),
        shards: z
          .array(z.string())
          .default([])
          .describe("The shards that were taken, such as `2/4`; empty if everything was."),
        layouts: z.object({ flat: count, scattered: count }).describe("Session files by layout."),
        formats: z.object({ pickle: count, json: count }).describe("Decoded sessions by format."),
        ignored: count.describe("Names that are not session files."),
        empty: count.describe("Files of 0 bytes."),
      })
      .describe("The session directories and what lay in them."),
    target: z
      .object({
        redis: z.string().nullable().describe("`host:port/db`; null if the run ended before it was known."),
        keyLayout: z
          .enum(["documented", "applet"])
          .nullable()
          .describe("Which keys were used; null if the run ended before that was known."),
        keyLayoutEvidence: z.enum(keyLayoutEvidences).nullable().default(null).describe("Why that layout."),
        prefix: z.string().nullable().describe("As given with `--prefix`."),
        serverWorks: z.enum(serverPlaces).default("unknown").describe("Where the server saves sessions."),
      })
      .describe("Where the sessions went."),
    redis: redis
      .nullable()
      .default(null)
      .describe("What Redis says about itself, null if it does not say; null if it was not asked."),
    listed: count.nullable().default(null).describe("Names of session files that the listing saw."),
    sessions: z
      .object({
        ...passCounts.shape,
        purged: count.describe("Originals removed."),
        retracted: count.default(0).describe("Keys deleted because their files are gone."),
        authenticated: count.describe("Sessions whose user is logged in."),
        anonymous: count.describe("Sessions whose user is not logged in."),
        lossy: count.describe("Sessions that JSON cannot hold exactly as Python had them."),
        unvisited: count.describe("Session files that were listed but not reached."),
      })
      .describe("What became of the session files in the main pass: the outcomes of the command."),
    passes: z.array(passCounts).describe("The main pass, then each pass over what changed during the copy."),
    stillChanging: count.describe("Sessions that were still changing at the end of the last pass."),
    byDirectory: list({
      directory: z.string().describe("Its path."),
      found: count.describe("Session files found there."),
      failed: count.describe("Those of them that failed."),
    }).describe("The main pass by session directory."),
    byReason: z.object(counts<FailureReason>(failureReasons)).default({}).describe("Failures of every pass by reason."),
    databases: z
      .record(z.string(), count)
      .nullable()
      .default(null)
      .describe("Sessions by database; null because a run does not count them, `inspect` does."),
    ages: z
      .array(
        z.object({
          underHours: z.number().nullable().describe("Younger than this; null for all that are older."),
          authenticated: count.describe("Sessions whose user is logged in."),
          anonymous: count.describe("All others."),
        }),
      )
      .max(ageBuckets.length)
      .default([])
      .describe("Decoded sessions by the time since their files were last modified."),
    lifetimes: list({
      hour: z.iso.datetime().describe("The beginning of the hour."),
      sessions: count.describe("Keys that expire in it."),
    }).describe("Keys written or renewed, by the hour in which they expire; 60 days ahead, or later, is one hour."),
    phases: list({
      name: z.string().describe("As in `copying`."),
      seconds: seconds.describe("Its time."),
    }).describe("How long each part of the run took."),
    throughput: z
      .object({
        samples: z
          .array(
            z.object({
              seconds: seconds.describe("Since the run began."),
              sessions: count.describe("Session files that all passes had done by then."),
            }),
          )
          .max(maxSamples)
          .describe("How far the run had come, at up to 600 instants that span all of it."),
        marks: z
          .array(
            z.object({
              seconds: seconds.describe("Since the run began."),
              kind: z.enum(markKinds).describe("What happened: `restart` is a run that starts over."),
            }),
          )
          .describe("What happened when: at most the first 200."),
      })
      .default({ samples: [], marks: [] })
      .describe("How fast the run was, and what happened."),
    failures: z.array(failure).describe("The first 100, suspicious ones first; a report file has all."),
    failuresOmitted: count.describe("Failures that are not listed here."),
    differences: z
      .array(difference)
      .default([])
      .describe("What `verify` found or a purge left: the first 100; a report file has all."),
    differencesOmitted: count.default(0).describe("Differences that are not listed here."),
    settings: list({
      name: z.string().describe("The flag, or the variable if there is no flag."),
      value: z.string().describe("Its value; a secret is masked."),
      origin: z.string().describe("The flag, variable or file that gave it, or `default`."),
    }).describe("What the run was told."),
    warnings: z.array(z.string()).describe("Every warning and every error, as a sentence."),
    errors: list({
      code: z.string().nullable().describe("The system's or Redis's own, such as `ECONNREFUSED`."),
      message: z.string().describe("What happened."),
      remedy: z.string().nullable().describe("What to do; null if the message says it."),
    }).describe("What ended the run, or kept it from being complete."),
    bytes: z
      .object({
        read: count.describe("Bytes of session files."),
        written: count.describe("Bytes of values that Redis got."),
      })
      .describe("How much was read and written."),
    seconds: seconds.describe("How long the run took."),
    sessionsPerSecond: count.describe("`found` by `seconds`."),
    peakMemoryBytes: count.describe("Memory that the run took at most."),
  })
  .describe("The report of a tele-sessions run: what --json prints and --report writes.");

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Name in keyof T]: DeepReadonly<T[Name]> }
    : T;

/** What `--json` prints and `--report` keeps. */
export type Report = DeepReadonly<z.infer<typeof reportSchema>>;
export type RunOutcome = Report["outcome"];
/** Counts of one pass: it has the outcomes of its command and no others. */
export type PassCounts = Report["passes"][number];
export type ReportedFailure = Report["failures"][number];
export type ReportedDifference = Report["differences"][number];

/** The schema as a JSON Schema, for other programs. More keys may come without a new version. */
export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema, {
    override: ({ jsonSchema }) => {
      if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
}
