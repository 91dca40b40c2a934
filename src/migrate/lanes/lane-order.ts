import type { RedisTarget } from "../../model/redis-target.js";
import type { ConflictSettings, ConversionSettings } from "../../model/run-options.js";

/** What a lane is made from: plain data, for it may be made on a thread of its own. */
export interface LaneOrder {
  /** The session directories, resolved. */
  readonly directories: readonly string[];
  /** What stands before the sid in every key. */
  readonly keyPrefix: string;
  /** By how much Redis's clock is ahead of ours, milliseconds. */
  readonly clockLeadMs: number;
  /** Bytes that a session file may have. */
  readonly maxFileSize: number;
  readonly conversion: ConversionSettings;
  readonly conflicts: ConflictSettings;
  readonly dryRun: boolean;
  /** Whether outcomes are told one by one. */
  readonly collectsOutcomes: boolean;
  /** When the run began, milliseconds since the epoch. */
  readonly startedMs: number;
  /** Whether keys of sessions whose files are gone may be taken back. */
  readonly takesBack: boolean;
  /** Bytes of memory that the run takes in Redis, about; 0 where nothing is known of it. */
  readonly memoryNeed: number;
  /** Lanes that the run has in all. */
  readonly lanes: number;
}

/** What a lane of its own thread connects with. */
export interface LaneConnection {
  readonly target: RedisTarget;
  readonly retryForMs: number;
  /** How other clients see it, while it copies and while it rests; absent in a dry run. */
  readonly names?: { readonly copying: string; readonly resting: string };
}
