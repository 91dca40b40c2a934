import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The work after which a run is killed: it is counted, no clock is read. */
export interface KillPoint {
  /**
   * A whole reply from Redis, or a call into the file system that concerns the session directory.
   */
  readonly kind: "reply" | "file operation";
  /** The how many-th, from 1. */
  readonly at: number;
  /** Counts only file operations by this function of node:fs. */
  readonly name?: string;
  /**
   * Of a file operation: before or after the call. Of a reply: `before`, the run has read all
   * replies up to this one; `after`, it has read this one too, and done what it does upon it until
   * its next turn.
   */
  readonly side: "before" | "after";
}

/** `before file operation 3000`. */
export function describeKillPoint({ side, kind, at }: KillPoint): string {
  return `${side} ${kind} ${at}`;
}

/** What a run did, in its order. */
export type Work =
  | { readonly kind: "reply" /** `+`, `-`, `:`, `$` or `*`. */; readonly type: string }
  | {
      readonly kind: "file operation";
      /** The function of node:fs: `unlinkSync`. */
      readonly name: string;
      /** As it was given: a path, or the path that a descriptor was opened by. */
      readonly path: string;
    };

/** The same, with its place among all that the run's threads did. */
export type NumberedWork = Work & { readonly number: number };

export interface WatchedRun {
  /** The session directory, resolved. */
  readonly directory: string;
  /** Where the run finds the servers of Redis. */
  readonly redisPorts: readonly number[];
  /** Where the run is killed; absent where it is not. */
  readonly point?: KillPoint;
  /** `SIGSTOP`: it is not killed there but stands still. */
  readonly signal?: "SIGKILL" | "SIGSTOP";
  /**
   * A file for what the run's main thread did, as JSON; its other threads add `.<their number>`.
   * None by default.
   */
  readonly log?: string;
}

/** The variable that tells `watch-work.js`, which stands in the run itself, what to do. */
export const watchVariable = "WATCHED_RUN";

/** How a run of the binary is started so that its work is counted. */
export function watchOptions(run: WatchedRun): {
  readonly nodeArgs: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
} {
  const preload = join(dirname(fileURLToPath(import.meta.url)), "watch-work.js");
  return {
    nodeArgs: ["--import", pathToFileURL(preload).href],
    environment: { [watchVariable]: JSON.stringify(run) },
  };
}
