import { Worker } from "node:worker_threads";
import type { Inspection } from "../../model/inspection.js";
import type { SessionFile } from "../../model/session-file.js";
import { packBatch } from "../../source/packed-files.js";
import type { ConvertedBatch } from "./converted-batch.js";
import { EncodedSessions } from "./encoded-sessions.js";
import type { ChangedFile, ReaderOptions } from "./reader.js";
import type { FromReader, ToReader } from "./reader-messages.js";

interface Waiting {
  readonly resolve: (message: FromReader) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A quarter of what a thread takes by itself: 10 to 30 MB less at 1,000,000 sessions, in the same
 * time.
 */
const maxYoungGenerationSizeMb = 12;

/** A reader on a thread of its own, which loads what it needs as soon as it is made. */
export class ReaderThread {
  readonly #worker = startWorker("serve-reader.js");
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;
  #end: unknown;

  constructor() {
    this.#worker.on("message", (message: FromReader) => this.#hear(message));
    this.#worker.on("error", (error) => this.#endWith(error));
    this.#worker.on("exit", () => this.#endWith(new Error("a reader's thread ended")));
    // A thread alone does not keep the process alive; a pending request does. This
    // comes last, because a message listener would keep the process alive again.
    this.#worker.unref();
  }

  /** Batches that it has not given back. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Begins with a new reader. */
  open(options: ReaderOptions): void {
    this.#post({ kind: "open", options });
  }

  /** As `Reader.convert`. Takes `room` away. Throws what ended the thread. */
  async convert(files: readonly SessionFile[], room: ArrayBuffer): Promise<ConvertedBatch> {
    const id = this.#asked++;
    const answer = await this.#ask({ kind: "convert", id, files: packBatch(files), room }, [room]);
    if (answer.kind !== "converted") throw new Error(`a reader answered ${answer.kind} to convert`);
    const { table, ...others } = answer.batch;
    return { ...others, sessions: EncodedSessions.of(table) };
  }

  /** As `Reader.inspect`. Throws what ended the thread. */
  async inspect(files: readonly SessionFile[]): Promise<Inspection> {
    const id = this.#asked++;
    const answer = await this.#ask({ kind: "inspect", id, files: packBatch(files) });
    if (answer.kind !== "inspected") throw new Error(`a reader answered ${answer.kind} to inspect`);
    return answer.inspection;
  }

  /** As `Reader.changedSince`. Throws what ended the thread. */
  async changedSince(files: readonly SessionFile[], sinceMs: number): Promise<readonly ChangedFile[]> {
    const id = this.#asked++;
    const answer = await this.#ask({ kind: "stat", id, files: packBatch(files), sinceMs });
    if (answer.kind !== "changed") throw new Error(`a reader answered ${answer.kind} to stat`);
    return answer.files;
  }

  async end(): Promise<void> {
    if (this.#end === undefined) await this.#worker.terminate();
  }

  #ask(
    message: Exclude<ToReader, { readonly kind: "open" }>,
    transferred?: readonly ArrayBuffer[],
  ): Promise<FromReader> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { resolve, reject });
      this.#post(message, transferred);
    });
  }

  #post(message: ToReader, transferred: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transferred);
  }

  #hear(message: FromReader): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (message.kind === "failed") waiting?.reject(message.error);
    else waiting?.resolve(message);
  }

  #endWith(error: unknown): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}

/** Starts a program of the package on a thread. An executable carries its text as an asset. */
function startWorker(name: string): Worker {
  const options = { resourceLimits: { maxYoungGenerationSizeMb } };
  // Node 20.0 to 20.15 lack `getBuiltinModule`, and make no executables of ours.
  const sea = process.getBuiltinModule?.("node:sea");
  if (sea?.isSea()) return new Worker(sea.getAsset(name, "latin1"), { ...options, eval: true });
  return new Worker(new URL(name, import.meta.url), options);
}
