/** An instant, in milliseconds: on a clock that is never set, and since the epoch. */
export type Instant = readonly [monotonicMs: number, epochMs: number];

/**
 * All that a live server did (`test/python/live_server.py`). A `command` is a place in the order of
 * Redis's commands, an `event` one in that of the session directory's events.
 */
export interface LiveHistory {
  readonly seed: number;
  readonly operations: number;
  /** How often it read a session. */
  readonly readings: number;
  /** Readings that were none: a session that it held was missing, or older than it had left it. */
  readonly troubles: readonly LiveTrouble[];
  readonly runs: readonly LiveRun[];
  /** The switch from files to Redis. */
  readonly switched: LivePlace | null;
  /** Events: a pass over the session directory began. */
  readonly passes: readonly number[];
  /** Session files that went, and not by the server. */
  readonly removed: readonly (readonly [sid: string, event: number])[];
  readonly sessions: readonly LiveSession[];
  readonly commands: readonly LiveCommand[];
}

export interface LivePlace {
  readonly command: number;
  readonly event: number;
  readonly at: Instant;
}

export interface LiveRun {
  readonly name: string;
  readonly begun: LivePlace;
  readonly ended: LivePlace;
}

export interface LiveSession {
  readonly sid: string;
  readonly lifetimeSeconds: number;
  readonly versions: readonly LiveVersion[];
  readonly ended: LiveEnd | null;
  /** What Redis must hold for its newest version; null where it ended. */
  readonly value: string | null;
}

/** One save: it took effect between two instants. */
export interface LiveVersion {
  readonly version: number;
  readonly store: "files" | "redis";
  readonly from: Instant;
  readonly to: Instant;
  /** When its steps were through: the file's mode set, the key's lifetime. */
  readonly settled: Instant;
  /** null in Redis. */
  readonly event: number | null;
}

export interface LiveEnd {
  /** `missing`: the server found none, and took that for a logout. */
  readonly how: "rotate" | "end" | "missing";
  readonly store: "files" | "redis";
  readonly from: Instant;
  readonly to: Instant;
  readonly event: number | null;
}

export interface LiveTrouble {
  readonly sid: string;
  readonly store: "files" | "redis";
  readonly kind: "missing" | "older";
  readonly read: number | null;
  readonly known: number;
  readonly at: Instant;
}

/**
 * A command that Redis ran and that names the key of a session (by its place among the sessions; -1
 * for none of them).
 */
export type LiveCommand = readonly [
  byServer: boolean,
  name: string,
  session: number,
  version: number | null,
  further: readonly string[],
];
