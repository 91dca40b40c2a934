import type { Fault } from "../proxies/fault-schedule.js";
import type { SweptCommand } from "./swept-commands.js";
import type { SweptRedis } from "./swept-redis.js";
import type { SweptSessions } from "./swept-sessions.js";

/** What a fault fell on. */
export interface Occasion {
  /** The Redis command. */
  readonly on: string;
  /** Whether that was about a session. */
  readonly isBatch: boolean;
  /**
   * Whether the run's first connection was not made yet: then nothing is begun, and nothing waited
   * for.
   */
  readonly isOpening: boolean;
  readonly swept: SweptCommand;
}

/** A fault of the Redis table in hazards.md. */
export interface NamedFault {
  readonly name: string;
  faults(at: number, redis: SweptRedis, sessions: SweptSessions): readonly Fault[];
  /** Every exit code that a run with this fault alone may give. */
  exitCodes(occasion: Occasion): readonly number[];
  /** Further switches of the run. */
  readonly args?: readonly string[];
  /** Further switches of Redis. */
  readonly redisArgs?: readonly string[];
  /** How often the run's watchdog of 30 s must notice. */
  readonly watchdogs?: number;
  /** Whether it cannot happen to a node of a Cluster. */
  readonly needsSingleServer?: true;
  /** Whether Redis forgets sessions. */
  readonly forgets?: true;
  /** Whether other values come into the place of sessions. */
  readonly replacesKeys?: true;
  /**
   * Whether it may be other data that Redis holds behind it, as far as a run can see: a removal
   * that had begun then ends with exit 3.
   */
  readonly changesHistory?: true;
}

export type ExitCodes = NamedFault["exitCodes"];

/** Exit codes of what passes by itself: it is waited for, but for a first connection. */
export const goesOn: ExitCodes = ({ isOpening }) => (isOpening ? [0, 3] : [0]);

/** Exit codes where nobody is there any more. */
export const staysAway: ExitCodes = () => [3];

/** Switches of a run that does not wait long for a Redis that stays away. */
export const impatience = ["--retry-for", "2s"];
