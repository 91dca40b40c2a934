import { type ExitCodes, goesOn, type NamedFault } from "./named-fault.js";
import { isOnCluster } from "./swept-cluster.js";

/** What is no session may be done without: a mark, the others' names. */
const refused: ExitCodes = ({ isBatch }) => (isBatch ? [5] : [0, 5]);

/**
 * A session that cannot be written is a failed one; other things that are answered like this leave
 * no Redis to work with.
 */
const failsOne: ExitCodes = ({ on, isBatch }) => {
  // A login, a name or a script that is answered like this refuses the run.
  if (!isBatch) return [0, 1, 3, 5];
  // An entry that is refused once is read and sent again.
  if (on === "SET") return [0, 1];
  // Redis may lack the first and have no scripts, and no Redis answers EXISTS like this.
  if (on === "PEXPIRETIME" || on === "EVAL" || on === "EXISTS") return [0, 1, 3, 4, 5];
  return looksAtKeys.has(on) ? [0, 1, 3, 4] : [1, 3, 4];
};

/** What is refused once is read and sent again: a Redis that is full refuses it again. */
const outOfMemory: ExitCodes = () => [0, 5];

/** With these a run also looks at the session keys before it begins, and does without. */
const looksAtKeys: ReadonlySet<string> = new Set(["GET", "PEXPIRETIME", "STRLEN"]);

/** On a Cluster, what has no key is never redirected. */
const redirects: ExitCodes = (occasion) => {
  const { isBatch, isOpening } = occasion;
  if (!isOnCluster) return refused(occasion);
  return [0, ...(isBatch ? [] : [5]), ...(isOpening ? [3] : [])];
};

/** New connections that a state lasts for. */
const severalTries = 4;

const loading = "LOADING Redis is loading the dataset in memory";
const readOnly = "READONLY You can't write against a read only replica.";

/** What Redis says where it says no, in its own words. */
const errorReplies: readonly (readonly [error: string, exitCodes: ExitCodes])[] = [
  [loading, goesOn],
  [readOnly, goesOn],
  ["MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", goesOn],
  ["BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.", goesOn],
  ["TRYAGAIN Multiple keys request during rehashing of slot", goesOn],
  ["CLUSTERDOWN The cluster is down", goesOn],
  ["UNBLOCKED force unblock from blocking operation, instance state changed", goesOn],
  ["ERR max number of clients reached", goesOn],
  ["OOM command not allowed when used memory > 'maxmemory'.", outOfMemory],
  ["MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.", refused],
  ["NOREPLICAS Not enough good replicas to write.", refused],
  ["NOAUTH Authentication required.", refused],
  ["WRONGPASS invalid username-password pair or user is disabled.", refused],
  // Nobody listens there.
  ["MOVED 3999 127.0.0.1:1", redirects],
  ["ASK 3999 127.0.0.1:1", redirects],
  // A connection that may not ask for INFO counts as one to another Redis.
  [
    "NOPERM this user has no permissions to run the 'set' command",
    ({ on, isBatch }) => (isBatch ? (looksAtKeys.has(on) ? [0, 5] : [5]) : [0, 3, 4, 5]),
  ],
  ["WRONGTYPE Operation against a key holding the wrong kind of value", failsOne],
  ["ERR something that nobody has heard of", failsOne],
];

/** What Redis answers where it says no. */
export const errorReplyFaults: readonly NamedFault[] = [
  ...errorReplies.map(
    ([error, exitCodes]): NamedFault => ({
      name: `answers ${error.startsWith("ERR") ? error : error.split(" ")[0]}`,
      faults: (at) => [{ kind: "answer", at, error }],
      exitCodes,
    }),
  ),
  ...[loading, readOnly].map(
    (error): NamedFault => ({
      name: `answers ${error.split(" ")[0]} for a while`,
      faults: (at) => [{ kind: "answer", at, error, connections: severalTries }],
      exitCodes: goesOn,
    }),
  ),
];
