import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { CommandOptions } from "../process/command.js";
import type { Moment } from "./intercept-calls.js";

/** A call of a function of node:fs: `["renameSync", from, to]`. */
export type Step = readonly [name: string, ...args: (string | number)[]];

/** What is done to a run of the binary, in its own process. */
export interface TamperedRun {
  /** What happens at the moments of one session file, each once. */
  readonly moments?: readonly (Moment & { readonly steps: readonly Step[] })[];
  /** A file for what the run read and removed, as JSON; none by default. */
  readonly log?: string;
  /**
   * The run stands still before this share of the calls by which files are set aside and of those
   * that follow while they are; never by default.
   */
  readonly pauses?: { readonly seed: number; readonly share: number; readonly milliseconds: number };
}

/** What a file held, or what stood there in its stead. */
export interface FoundContent {
  /** Of a regular file; absent where there was none. */
  readonly content?: string;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: string;
}

/** What a run did to a session file. `file` is its own name, without its folder. */
export type FileWork =
  /** Another one was set aside, and has its name again. */
  | ({ readonly kind: "read" | "put back"; readonly file: string } & FoundContent)
  | ({
      readonly kind: "removed";
      readonly file: string;
      /**
       * What the run saw at the file's own name when it looked last, since it set the file aside.
       * Its content is not known.
       */
      readonly standing?: FoundContent & { readonly size: number };
    } & FoundContent);

/** The variable that tells `tamper-with-run.js`, which stands in the run itself, what to do. */
export const tamperVariable = "TAMPERED_RUN";

/** How a run of the binary is started so that it is tampered with. */
export function tamperOptions(run: TamperedRun): CommandOptions {
  const preload = join(dirname(fileURLToPath(import.meta.url)), "tamper-with-run.js");
  return {
    nodeArgs: ["--import", pathToFileURL(preload).href],
    environment: { [tamperVariable]: JSON.stringify(run) },
  };
}
