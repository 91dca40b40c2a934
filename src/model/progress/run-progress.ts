import type { RunRecord } from "../run-record.js";
import type { Phase, ProgressChange, RedisMemory } from "./progress.js";
import type { MemoryState, PhaseName, ProgressState, PurgeState, Wait, WaitState } from "./progress-state.js";
import { RecentRate } from "./recent-rate.js";

/** Outcomes of files that a purge should have removed, and that stay. */
const leftKinds = ["absent", "ended", "kept", "denied", "failed"] as const;

/** What of a run's record its progress names. */
type ShownRecord = Pick<RunRecord, "timeline" | "directories" | "redis">;

/**
 * Knows what a run does and how far it has come. The run tells it about phases and waits; reporters
 * ask it for its state, a few times a second at most.
 */
export class RunProgress {
  readonly #record: ShownRecord;
  readonly #dryRun: boolean;
  /** Threads that read session files, the main one counted. */
  threads = 1;
  #phase: Phase = { name: "preparing" };
  #rate = new RecentRate();
  /** The last rate of each phase of a purge, which takes turns between them. */
  readonly #rates = new Map<PhaseName, number>();
  #wait: Wait | undefined;
  #memory: RedisMemory | undefined;
  #evictedBefore: number | undefined;
  #onChange: (change: ProgressChange) => void = () => undefined;

  constructor(record: ShownRecord, dryRun: boolean) {
    this.#record = record;
    this.#dryRun = dryRun;
  }

  /** Names the one who is told of every change. */
  listen(onChange: (change: ProgressChange) => void): void {
    this.#onChange = onChange;
  }

  enter(phase: Phase): void {
    this.#rates.set(this.#phase.name, this.#rate.perSecond(performance.now(), this.#done()));
    this.#phase = phase;
    this.#rate = new RecentRate();
    this.#rate.note(performance.now(), this.#done());
    this.#record.timeline.enter(phase.name, phase.done);
    if (phase.pass !== undefined) this.#record.timeline.mark("pass");
    this.#onChange({ kind: "phase" });
  }

  /** Says that the run waits, or that it waits for another reason than before. */
  wait(wait: Wait): void {
    const last = this.#wait;
    this.#wait = wait;
    if (last?.target === wait.target && last.why === wait.why && last.untilMs === wait.untilMs) return;
    if (wait.target === "redis" && last?.target !== "redis") this.#record.timeline.mark("redis-away");
    this.#onChange({ kind: "waiting" });
  }

  /** Says that what the run waited for is there. Does nothing if it did not wait for that. */
  goOn(target: Wait["target"]): void {
    const wait = this.#wait;
    if (wait?.target !== target) return;
    this.#wait = undefined;
    if (target === "redis") this.#record.timeline.mark("redis-back");
    this.#onChange({ kind: "back", target, seconds: (Date.now() - wait.sinceMs) / 1000 });
  }

  noteMemory(memory: RedisMemory): void {
    this.#memory = memory;
    this.#evictedBefore ??= memory.evictedKeys;
  }

  /** The state now. Asked at least once a second, it knows the rate of the last ten seconds. */
  get state(): ProgressState {
    const { name, pass, total, done, ledger } = this.#phase;
    const { directories, redis } = this.#record;
    const nowMs = performance.now();
    this.#rate.note(nowMs, this.#done());
    const perSecond = this.#rate.perSecond(nowMs, this.#done());
    const counts = ledger?.counts;
    return {
      phase: name,
      pass: pass ?? null,
      directories,
      redis,
      dryRun: this.#dryRun,
      threads: this.threads,
      done: done === undefined ? null : this.#done(),
      total: total ?? null,
      perSecond,
      seconds: this.#record.timeline.seconds,
      secondsLeft: this.#secondsLeft(perSecond),
      outcomes: counts?.outcomes ?? {},
      bytesWritten: counts?.bytesWritten ?? 0,
      purge: this.#purgeState(),
      memory: this.#memoryState(),
      wait: this.#waitState(),
    };
  }

  #done(): number {
    return this.#phase.done?.() ?? 0;
  }

  #secondsLeft(perSecond: number): number | null {
    const { name, total, purge, ledger } = this.#phase;
    if (total === undefined) return null;
    if (purge === undefined) return timeFor(total - this.#done(), perSecond);
    // Each file is proven, then removed, each at its own rate.
    const rateOf = (phase: PhaseName) => (phase === name ? perSecond : 0) || (this.#rates.get(phase) ?? 0);
    const proved = name === "removing" ? purge.size : purge.proved();
    const proving = timeFor(purge.total - purge.before - proved, rateOf("proving"));
    const removing = timeFor(purge.total - (ledger?.counts.found ?? 0), rateOf("removing"));
    return proving === null || removing === null ? null : proving + removing;
  }

  #purgeState(): PurgeState | null {
    const { purge, ledger } = this.#phase;
    if (purge === undefined || ledger === undefined) return null;
    const { outcomes } = ledger.counts;
    return {
      block: purge.number,
      blocks: purge.count,
      proved: purge.proved(),
      toProve: purge.size,
      removed: outcomes.removed,
      toRemove: purge.total,
      left: leftKinds.reduce((sum, kind) => sum + outcomes[kind], 0),
    };
  }

  #memoryState(): MemoryState | null {
    const { usedMemory, maxMemory, evictedKeys } = this.#memory ?? {};
    if (usedMemory === undefined) return null;
    // The counter falls if it is reset.
    const evicted = evictedKeys === undefined ? null : Math.max(evictedKeys - (this.#evictedBefore ?? evictedKeys), 0);
    return { used: usedMemory, limit: maxMemory || null, evicted };
  }

  #waitState(): WaitState | null {
    if (this.#wait === undefined) return null;
    const { target, why, sinceMs, untilMs } = this.#wait;
    const nowMs = Date.now();
    return {
      target,
      why,
      seconds: Math.max(nowMs - sinceMs, 0) / 1000,
      secondsLeft: Math.max(untilMs - nowMs, 0) / 1000,
    };
  }
}

/** Seconds for that many at a rate; null if there is no rate yet. */
function timeFor(count: number, perSecond: number): number | null {
  if (count <= 0) return 0;
  return perSecond > 0 ? count / perSecond : null;
}
