import type { DifferenceKind, FailureReason } from "../../model/outcome.js";

/** What to do about sessions that failed, in a sentence, by reason. */
export const failureRemedies: Readonly<Record<FailureReason, string>> = {
  corrupt: "Nothing brings them back. Tell their owners to log in again; allow them with --max-failed.",
  "not-a-session":
    "Nothing is lost: they belong to something else. Check that the directory is the right one.",
  "unsupported-type":
    "JSON cannot hold what an add-on stored there; the applet cannot either. Their owners must log in again.",
  circular: "JSON cannot hold a value that contains itself. Their owners must log in again.",
  "too-deep": "No server nests so deeply. Their owners must log in again.",
  "too-large": "Raise --max-session-size if they are real, then run this again.",
  unreadable: "Run this again as the account that owns the files; check the disk if it goes on.",
  "changed-repeatedly": "A server was saving them. Run this again when it is quiet.",
  "wrong-redis-type":
    "Another program uses these keys. Check --db and --prefix; --on-conflict overwrite replaces them.",
  "redis-error": "Redis refused them: read the detail, then run this again.",
};

/** What to do about differences, in a sentence, by kind. */
export const differenceRemedies: Readonly<Record<DifferenceKind, string>> = {
  missing: "Run copy again.",
  different: "Run copy again; if a warning names --on-conflict, choose.",
  "wrong-lifetime": "Run copy again.",
  absent: "Run copy again, then purge.",
  kept: "Run copy and purge again later.",
  denied: "Run the purge as the account that owns the files.",
};
