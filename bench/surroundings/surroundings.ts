import type { RedisServer } from "../../test/support/servers/redis-server.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";

/** What is between a contestant, its files and Redis. */
export interface Surroundings {
  /** How it is brought about on this machine, in a few words for the table. */
  readonly how: string;
  /** Where a contestant finds Redis. */
  readonly host: string;
  readonly port: number;
  /** The flags by which tele-sessions finds it; absent if those are host and port. */
  readonly flags?: readonly string[];
  /** The servers that hold the entries; absent if it is the one that the bench started. */
  readonly servers?: readonly RedisServer[];
  /** The Node that runs tele-sessions; absent if it is the one that runs the bench. */
  readonly node?: string;
  /** What stands before its command line. */
  readonly before: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** What has to happen before each run on a directory; it is not timed. */
  readonly prepare: (directory: string) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * Puts contestants into some surroundings. Rejects with an Error of one sentence where that is not
 * possible on this machine.
 */
export type OpenSurroundings = (redis: RedisServer, programs: RivalPrograms) => Promise<Surroundings>;
