/** What happened and what to do about it, for screens that show them apart. */
export interface Explanation {
  /** A sentence without its full stop. */
  readonly found: string;
  /** A sentence without its full stop. */
  readonly remedy: string;
  /** Whether Redis refused the login. */
  readonly isLogin?: boolean;
}

/** An error for people. Its message is whole without the explanation. */
class ExplainedError extends Error {
  readonly explanation: Explanation | undefined;

  constructor(message: string, explanation?: Explanation) {
    super(message);
    this.explanation = explanation;
  }
}

/**
 * A setting is wrong or missing, and nothing was touched. The message names where the setting came
 * from and holds no secret. Exit 2.
 */
export class SettingsError extends ExplainedError {
  override readonly name = "SettingsError";
}

/** A session directory could not be used, or was lost during the run. Exit 3. */
export class SourceError extends ExplainedError {
  override readonly name = "SourceError";
}

/**
 * Redis could not be used (`unavailable`, exit 3) or refused us (`refused`, exit 5). The message
 * holds no arguments of a command.
 */
export class RedisError extends ExplainedError {
  override readonly name = "RedisError";
  readonly kind: "unavailable" | "refused";

  constructor(kind: "unavailable" | "refused", message: string, explanation?: Explanation) {
    super(message, explanation);
    this.kind = kind;
  }
}

/**
 * Redis was, or may have been, restarted, emptied or replaced by a server with other data. Nothing
 * it confirmed counts any more, so the main pass starts over.
 */
export class RedisForgotError extends Error {
  override readonly name = "RedisForgotError";

  constructor(message = "Redis was restarted, emptied or replaced, and may have lost what it confirmed") {
    super(message);
  }
}

/** A report could not be written. Exit 3; before the run it is a `SettingsError` instead. */
export class ReportError extends Error {
  override readonly name = "ReportError";
}

/** The system's code for an error, such as `EACCES`. Rethrows an error that has none. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  throw error;
}

const remedies: { readonly [code: string]: string } = {
  EACCES: "run this as a user who may",
  EPERM: "run this as a user who may",
  ENOENT: "check the path",
  ENOTDIR: "check the path",
  ENOSPC: "free some space there",
  EDQUOT: "free some space there",
  EROFS: "mount it read-write",
  EIO: "look at the system's log",
  EMFILE: "raise the limit of open files (ulimit -n)",
};

/**
 * What the system says about an error, with a remedy and its code: `permission denied; run this as
 * a user who may (EACCES)`. Rethrows an error that has no code.
 */
export function systemReason(error: unknown): string {
  const code = errorCode(error);
  // `EACCES: permission denied, open '/srv/s'`
  const [, words = "the system refuses it"] =
    /^[A-Z0-9]+: ([a-z][a-z/ -]+)(?:,|$)/.exec((error as Error).message) ?? [];
  const remedy = remedies[code];
  return `${remedy === undefined ? words : `${words}; ${remedy}`} (${code})`;
}

/** What a system call returns, or `absent` if the system refuses it. Rethrows any other error. */
export function orElse<Absent, Result>(absent: Absent, call: () => Result): Absent | Result {
  try {
    return call();
  } catch (error) {
    errorCode(error);
    return absent;
  }
}
