import type { ProgressState } from "../../../src/model/progress/progress-state.js";

/** A copy as operator.md shows it. */
export const copying: ProgressState = {
  phase: "copying",
  pass: 1,
  directories: ["/var/lib/tele/sessions"],
  redis: "redis-1:6379/0",
  dryRun: false,
  threads: 2,
  done: 855_275,
  total: 1_204_331,
  perSecond: 41_200,
  seconds: 20,
  secondsLeft: 8.4,
  outcomes: { copied: 854_962, expired: 101, failed: 12 },
  bytesWritten: 228 * 2 ** 20,
  purge: null,
  memory: { used: 689 * 2 ** 20, limit: 1.5 * 2 ** 30, evicted: 0 },
  wait: null,
};

/** A purge in its third block. */
export const removing: ProgressState = {
  ...copying,
  phase: "removing",
  pass: null,
  done: 200_000,
  perSecond: 1_203,
  seconds: 182,
  secondsLeft: 14 * 60 + 20,
  outcomes: { removed: 199_986, kept: 14 },
  bytesWritten: 0,
  purge: {
    block: 3,
    blocks: 13,
    proved: 60_212,
    toProve: 100_000,
    removed: 199_986,
    toRemove: 1_204_331,
    left: 14,
  },
};

/** A copy whose Redis is gone. */
export const waiting: ProgressState = {
  ...copying,
  wait: { target: "redis", why: "connection refused", seconds: 14, secondsLeft: 286 },
};

/** Before anything is counted. */
export const connecting: ProgressState = {
  ...copying,
  phase: "connecting",
  pass: null,
  done: null,
  total: null,
  outcomes: {},
  bytesWritten: 0,
  memory: null,
  secondsLeft: null,
};
