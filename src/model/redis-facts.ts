/** What Redis says about itself at the start and the end of a run. Null: it does not say. */
export interface RedisFacts {
  readonly version: string | null;
  readonly runId: string | null;
  readonly role: "master" | "replica" | null;
  /** Whether it saves to disk. */
  readonly persistence: boolean | null;
  /** Bytes. */
  readonly memoryBefore: number | null;
  /** Bytes. */
  readonly memoryAfter: number | null;
  /** Bytes; 0: no limit. */
  readonly memoryLimit: number | null;
  /** Keys evicted during the run. */
  readonly evicted: number | null;
}
