import type { FailureReason, OutcomeKind } from "./outcome.js";

/** What something means to people, and what they do about it. Sentences without their full stop. */
export interface Advice {
  readonly means: string;
  /** Null if nothing needs to be done. */
  readonly todo: string | null;
}

const nothing = null;
const copyAgain = "run copy again";
const copyOrExport = "run copy again, or after --reverse export";

/** Each outcome of any command; `docs/outcomes.md` is made from it. */
export const outcomeAdvice: Readonly<Record<OutcomeKind, Advice>> = {
  copied: { means: "written to Redis with its lifetime", todo: nothing },
  exported: { means: "written to its session file", todo: nothing },
  identical: { means: "Redis, or in an export the file, already held an equal session", todo: nothing },
  kept: {
    means:
      "in a copy: Redis holds another value and keeps it; in an export: the file holds another, newer session and " +
      "keeps it; in a purge: the file is left, because it changed, is " +
      "less than 2 s old, is in doubt, is in use, is superseded by a file that is not proven, holds only one of " +
      "the keys that servers save, or expired less than 7 days ago",
    todo:
      "in a copy or an export nothing, unless a warning says that it is unclear which value is newer; after a " +
      "purge, run copy and purge again later",
  },
  expired: { means: "the session's lifetime is over, so it is not needed in Redis", todo: nothing },
  ended: {
    means:
      "an earlier copy wrote it, and its key has gone from Redis since: its user logged out, or it expired; a " +
      "purge leaves its file",
    todo: "nothing; if somebody deleted keys by hand, copy with --again",
  },
  superseded: { means: "another file holds a later save of the same session", todo: nothing },
  vanished: {
    means: "the file, or in an export the key, disappeared during the run: its user logged out",
    todo: nothing,
  },
  failed: { means: "not written, compared or removed; the reason says why", todo: "see the reason" },
  removed: { means: "Redis was proven to hold it, and the file is gone", todo: nothing },
  absent: { means: "Redis does not hold it, so a purge leaves the file", todo: copyAgain },
  denied: {
    means: "this user may not remove files there",
    todo: "run the purge as the owner, whose uid is in the message",
  },
  equal: { means: "in Redis with the right lifetime; with --reverse, in its file", todo: nothing },
  newer: { means: "the server has saved it in Redis since; with --reverse, in its file", todo: nothing },
  missing: { means: "not in Redis; with --reverse, without a session file", todo: copyOrExport },
  different: {
    means: "Redis, or with --reverse the file, holds an older value, or it is unclear which is newer",
    todo: `${copyOrExport}; if a warning names --on-conflict, choose`,
  },
  "wrong-lifetime": {
    means: "in Redis with no lifetime, or a wrong one; with --reverse, the file says that it was saved earlier",
    todo: copyOrExport,
  },
};

const damaged = "nothing mends the file: its user must log in again; --max-failed allows some";

/** Each reason for which a session fails; `docs/outcomes.md` is made from it. */
export const failureAdvice: Readonly<Record<FailureReason, Advice>> = {
  corrupt: { means: "damaged, or not a pickle or JSON of a dict", todo: damaged },
  "not-a-session": {
    means:
      "a dict without any of the keys that servers save (db uid login session_token context debug): it belongs to " +
      "something else",
    todo: "check that --session-dir is the session directory",
  },
  "unsupported-type": {
    means:
      "holds something that JSON cannot express: bytes, decimals, frozen sets, objects of other classes (the detail " +
      "names them), integers of more than 4,300 digits, a set with a tuple in it, a time zone known by name only or " +
      "with seconds in its offset, persistent ids, extension codes",
    todo: "its user must log in again; if the detail says that somebody may have planted it, find out who wrote it",
  },
  circular: { means: "a value contains itself", todo: damaged },
  "too-deep": { means: "nested more than 500 levels deep", todo: damaged },
  "too-large": {
    means: "its JSON is larger than --max-session-size, or its file more than four times that",
    todo: "raise --max-session-size if the session is meant to be so large",
  },
  unreadable: {
    means: "the file could not be opened or read",
    todo: "run the same command as a user who may read it; for an I/O error, look at the disk",
  },
  "changed-repeatedly": { means: "the file changed during each of five reads", todo: copyAgain },
  "wrong-redis-type": {
    means: "the key holds a list, a hash or another type",
    todo: "find out what writes it; --on-conflict overwrite replaces it",
  },
  "redis-error": {
    means: "Redis refused this one command, or never accepts a value of this size",
    todo: "read the detail, change what it names, and run copy again",
  },
  "invalid-sid": {
    means: "the key does not end in a session id, or in one that has no file in the flat layout",
    todo: "find out what writes it; a server with such session ids has the scattered layout",
  },
  "not-written": {
    means: "the session file cannot be written: something else has its name, or its folder's",
    todo: "look at what is there, and move it away",
  },
};
