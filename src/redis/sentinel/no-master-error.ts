import type { HostAndPort } from "../../model/redis-target.js";
import type { RedisFault } from "../redis-fault.js";

/** A Sentinel that did not answer, and why. */
export interface FailedSentinel {
  readonly sentinel: HostAndPort;
  readonly error: unknown;
}

/** The Sentinels did not say where the master is. Its fault says why, and holds no secret. */
export class NoMasterError extends Error {
  override readonly name = "NoMasterError";
  readonly fault: RedisFault;
  /** Whether a Sentinel answered that it knows no such master. */
  readonly isUnknown: boolean;
  /** The Sentinels that did not answer. */
  readonly failed: readonly FailedSentinel[];

  constructor(fault: RedisFault, isUnknown: boolean, failed: readonly FailedSentinel[]) {
    super(fault.message);
    this.fault = fault;
    this.isUnknown = isUnknown;
    this.failed = failed;
  }
}
