import type { ConversionOptions } from "../convert/convert-session.js";
import type { FindingListeners } from "../model/ledger.js";
import type { SessionOutcome } from "../model/outcome.js";
import type { RunProgress } from "../model/progress/run-progress.js";
import type { RunOptions } from "../model/run-options.js";
import type { RunRecord } from "../model/run-record.js";
import type { Warn } from "../model/warn.js";
import type { Canary } from "../redis/canary.js";
import type { Continuity } from "../redis/continuity.js";
import type { MemoryGuard } from "../redis/server/memory-guard.js";
import type { PeerRuns } from "../redis/server/peers.js";
import type { SessionStore } from "../redis/session-store.js";
import type { RedisServer, RedisServers } from "../redis/topology/redis-servers.js";
import type { Listing } from "../source/list-sessions.js";
import type { Marks } from "./earlier-runs/marks.js";
import type { ReaderThread } from "./readers/reader-thread.js";

/** What a run tells, and whom. */
export interface RunOutput extends Required<FindingListeners> {
  /** Told what the run does, for people who watch. */
  readonly progress: RunProgress;
  /** `evenIfQuiet`: `--quiet` does not hide it. */
  readonly warn: Warn;
  /** Says what the run decided, and why, if `--verbose` asks for it. A text is said once. */
  readonly explain: (text: string) => void;
  readonly onOutcome: (outcome: SessionOutcome) => void;
  /** Takes back what the main pass counted and reported, because it starts over. */
  readonly onRestart: () => void;
  /**
   * Asks a person before session files are removed, if one is there to be asked. Throws
   * `SettingsError` if they decline.
   */
  readonly confirmPurge: (listing: Listing, askPersistence: () => Promise<boolean | undefined>) => Promise<void>;
}

/** The Redis that a run is connected to, and its keys there. */
export interface RunRedis {
  readonly servers: RedisServers;
  /** The session keys. In a dry run it writes nothing. */
  readonly store: SessionStore;
  /** What keeps the store from filling a server. */
  readonly guardOf: (server: RedisServer) => MemoryGuard;
  readonly peers: PeerRuns;
  /**
   * Whether the connection carries a name by which other runs see it: not if the run only reads.
   */
  readonly isNamed: boolean;
  /** Absent if the run only reads. */
  readonly canary: Canary | undefined;
  readonly continuity: Continuity;
  /** Another database in which a server saves sessions; `undefined` if none is known. */
  readonly serverDatabase: number | undefined;
  readonly marks: Marks;
}

/** The session files of a run, and how they are read. */
export interface RunFiles {
  /** The session directories, resolved. */
  readonly directories: readonly string[];
  /** Bytes that a session file may have. */
  readonly maxFileSize: number;
  readonly conversion: ConversionOptions;
  /** Threads that read beside the main one. */
  readonly threads: readonly ReaderThread[];
}

/** Everything that a run has before it connects to Redis. */
export interface UnconnectedRun {
  readonly options: RunOptions;
  readonly record: RunRecord;
  /** The session files as they were listed before the run. */
  readonly listing: Listing;
  readonly out: RunOutput;
  /** Aborted when the run is to stop. */
  readonly stop: AbortSignal;
}

/** Everything that a run works with. */
export interface Run extends UnconnectedRun {
  readonly redis: RunRedis;
  readonly files: RunFiles;
}
