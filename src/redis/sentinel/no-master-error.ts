import type { HostAndPort } from "../../model/redis-target.js";
import { FaultError, type RedisFault } from "../redis-fault.js";

/** A Sentinel that did not answer, and why. */
export interface FailedSentinel {
  readonly sentinel: HostAndPort;
  readonly error: unknown;
}

/** What one Sentinel answered. */
export type SentinelAnswer =
  | { readonly kind: "master"; readonly address: HostAndPort; readonly wantsLogin: boolean }
  /** It knows no master of that name, but these; `undefined` if it does not say. */
  | { readonly kind: "unknown"; readonly sentinel: HostAndPort; readonly known: readonly string[] | undefined }
  | ({ readonly kind: "failed" } & FailedSentinel);

/** The Sentinels did not say where the master is. Its fault says why, and holds no secret. */
export class NoMasterError extends FaultError {
  override readonly name = "NoMasterError";
  /** Whether a Sentinel answered that it knows no such master. */
  readonly isUnknown: boolean;
  /** The Sentinels that did not answer. */
  readonly failed: readonly FailedSentinel[];

  constructor(fault: RedisFault, isUnknown: boolean, failed: readonly FailedSentinel[]) {
    super(fault);
    this.isUnknown = isUnknown;
    this.failed = failed;
  }
}
