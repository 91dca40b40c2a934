import { setImmediate as nextTurn } from "node:timers/promises";
import type { Written } from "../../model/entry.js";
import type { SessionFile } from "../../model/session-file.js";
import type { Warn } from "../../model/warn.js";
import type { SessionStore } from "../../redis/session-store.js";
import type { RedisServers } from "../../redis/topology/redis-servers.js";
import type { SessionFolders } from "../../source/session-folders.js";
import { StatReader } from "../../source/stat-reader.js";
import { SessionLog } from "../session-log.js";

/** What the log works with. */
export interface LogContext {
  readonly servers: Pick<RedisServers, "reconnects">;
  readonly store: Pick<SessionStore, "keyOf" | "exist" | "retract">;
  readonly folders: SessionFolders;
  readonly warn: Warn;
  readonly stop: AbortSignal;
}

export interface LogOptions {
  readonly directories: readonly string[];
  readonly dryRun: boolean;
  /**
   * Whether keys of sessions that end during the copy are deleted: only if other runs can be seen.
   */
  readonly retracts: boolean;
}

/** What follows if a key cannot be deleted. */
export const staysInRedis = "a session that ends during the copy stays in Redis";

const writtenPerBatch = 256;
/** Keys that live no longer than this may expire while they are looked for. */
const shortLifeMs = 60_000;

/**
 * What one attempt at a copy wrote. With it, the copy deletes the keys of sessions that end
 * meanwhile, and looks for the others at the end.
 */
export class WrittenLog {
  readonly #options: LogOptions;
  readonly #context: LogContext;
  readonly #stats = new StatReader();
  /** Sids of keys that were written and deleted again. */
  readonly #retracted = new Set<string>();
  /** Absent in a dry run, which writes nothing. */
  readonly #log: SessionLog | undefined;

  constructor(options: LogOptions, context: LogContext) {
    this.#options = options;
    this.#context = context;
    if (!options.dryRun) this.#log = new SessionLog(options.directories, staysInRedis, context.warn);
  }

  /**
   * Keeps what was written, and deletes the keys of sessions whose files are gone by now: the write
   * would undo a logout that fell between it and the reading. Returns these files. Throws what
   * `SessionStore` throws.
   */
  async note(written: readonly Written[]): Promise<ReadonlySet<SessionFile>> {
    const gone = new Set<SessionFile>();
    if (this.#options.dryRun) return gone;
    const retracted = await this.#retractGone(written);
    for (const one of written) {
      if (retracted.has(one)) gone.add(one.file);
      else this.#log?.add(one);
    }
    return gone;
  }

  /**
   * Deletes the keys of sessions whose files are gone since they were written, and gives each of
   * these. Throws what `SessionStore` throws.
   */
  async *retractEnded(): AsyncGenerator<Written> {
    if (this.#context.folders.areUntouched()) return;
    for (const batch of this.#log?.batches(writtenPerBatch) ?? []) {
      // Signals get their turn.
      await nextTurn();
      if (this.#context.stop.aborted) return;
      for (const one of await this.#retractGone(batch)) {
        this.#retracted.add(one.file.sid);
        yield one;
      }
    }
  }

  /**
   * How many keys that were written, and should live on, Redis no longer holds; `undefined` if it
   * is not known what was written. Throws what `SessionStore` throws.
   */
  async countMissing(): Promise<number | undefined> {
    const { store, stop } = this.#context;
    const missing = new Set<string>();
    for (const batch of this.#log?.batches(writtenPerBatch) ?? []) {
      await nextTurn();
      if (stop.aborted) break;
      const sids = batch.flatMap(({ file: { sid }, expiresAtMs }) =>
        expiresAtMs - Date.now() <= shortLifeMs || this.#retracted.has(sid) ? [] : [sid],
      );
      const exist = await store.exist(sids.map((sid) => store.keyOf(sid)));
      for (const [index, sid] of sids.entries()) if (exist[index] !== true) missing.add(sid);
    }
    return this.#log?.isWhole === true ? missing.size : undefined;
  }

  close(): void {
    this.#log?.close();
  }

  async #retractGone(written: readonly Written[]): Promise<ReadonlySet<Written>> {
    const { servers, store, folders, warn } = this.#context;
    const gone = await folders.goneOf(written, this.#stats);
    if (gone.length === 0 || !this.#options.retracts) return new Set();
    // While the connection was away, another run could not see us and may have purged the file.
    const { reconnects } = servers;
    const own = gone.filter((one) => one.reconnects === reconnects);
    const keys = own.map(({ file, digest, expiresAtMs }) => {
      return { sid: file.sid, digest: Buffer.from(digest).toString("hex"), expiresAtMs };
    });
    const deleted = await store.retract(keys, reconnects);
    if (own.length < gone.length || servers.reconnects !== reconnects) {
      warn(`the connection was lost, so ${staysInRedis}`);
    }
    return new Set(own.filter((_, index) => deleted[index] === true));
  }
}
