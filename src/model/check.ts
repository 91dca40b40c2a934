import type { Explanation } from "./errors.js";

/** What a check is called; a setting that old applets do not read has its own name, as `--tls`. */
export type CheckName =
  | "readable"
  | "directory"
  | "space"
  | "removable"
  | "server"
  | "reachable"
  | "login"
  | "permissions"
  | "memory"
  | "eviction"
  | "persistence"
  | "replicas"
  | "clock"
  | "writable"
  | "keys"
  | "long ids"
  | "settings"
  | "other runs";

/** One precondition of a run. */
export interface Check {
  readonly name: CheckName;
  /** What is shown instead of the name: the setting that the check is about. */
  readonly title?: string;
  readonly verdict: "ok" | "warn" | "fail";
  /** A part of a sentence, without its full stop. */
  readonly found: string;
  /** A sentence without its full stop; null if there is nothing to do. */
  readonly remedy: string | null;
  /** The whole message of a run; absent if what was found and the remedy make one. */
  readonly message?: string;
  /** Whether `--quiet` does not hide the warning. */
  readonly evenIfQuiet?: boolean;
  /** The exit code of a run that a failed check stops. */
  readonly exitCode?: 2 | 3 | 4 | 5;
  /** Whether a run begins even so, and ends with the exit code when it comes to that. */
  readonly stopsLate?: boolean;
}

export function passed(name: CheckName, found: string): Check {
  return { name, verdict: "ok", found, remedy: null };
}

/** A check that an error decided. */
export function failedBy(
  name: CheckName,
  error: Error & { readonly explanation?: Explanation | undefined },
  exitCode: 2 | 3 | 5,
): Check {
  const { found, remedy } = error.explanation ?? { found: error.message, remedy: "" };
  return { name, verdict: "fail", found, remedy: remedy === "" ? null : remedy, message: error.message, exitCode };
}

/** What a run says about a check. */
export function messageOf({ found, remedy, message }: Check): string {
  return message ?? (remedy === null ? found : `${found}. ${remedy}`);
}
