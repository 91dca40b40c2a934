import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Survey } from "../../model/mark.js";
import type { Warn } from "../../model/warn.js";
import { type PackedBatch, packBatch, unpackBatch } from "../../source/packed-files.js";
import type { CopyLane, CopyResult, Lane, MainPass, TakenBack } from "./copy-lane.js";
import {
  type FromLane,
  type PackedError,
  type PackedResult,
  type ToLane,
  unpackError,
} from "./lane-messages.js";
import type { LaneConnection, LaneOrder } from "./lane-order.js";
import type { LaneResult } from "./lane-result.js";
import type { ThreadMainPass } from "./serve-lane.js";

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Half of what a thread takes by itself: 7 to 25 MB less at 1,000,000 sessions, for 2% of the processor's time at most. */
const maxYoungGenerationSizeMb = 24;

/** A thread for a lane. It loads what it needs from the moment that it is made; what ends it is thrown to whoever waits for it. */
export class LaneThread {
  readonly #worker = new Worker(new URL("./serve-lane.js", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb },
  });
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;
  #end: unknown;

  constructor() {
    // A thread alone does not keep the process alive; what waits for it does.
    this.#worker.unref();
    this.#worker.on("error", (error) => this.#endWith(error));
    this.#worker.on("exit", () => this.#endWith(new Error("a lane's thread ended")));
  }

  /** Makes a lane of a copy. What goes wrong is thrown by whatever is asked of it first. */
  openCopy(order: LaneOrder, connection: LaneConnection, surroundings: ThreadSurroundings): CopyLane {
    return {
      ...this.#open("copy", order, connection, surroundings),
      work: async (batch) =>
        unpackResult((await this.#call("work", packBatch(batch))) as PackedResult<CopyResult>),
      beginPass: async (later) => {
        await this.#call("beginPass", later);
      },
      changedOf: async (batch) =>
        unpackBatch((await this.#call("changedOf", packBatch(batch))) as PackedBatch),
      takeBackEnded: async () => (await this.#call("takeBackEnded", undefined)) as readonly TakenBack[],
      countMissing: async () => (await this.#call("countMissing", undefined)) as number | undefined,
      rest: async () => {
        await this.#call("rest", undefined);
      },
    };
  }

  /** The same for a verification. */
  openVerify(order: LaneOrder, connection: LaneConnection, surroundings: ThreadSurroundings): Lane {
    return this.#open("verify", order, connection, surroundings);
  }

  #open(
    command: "copy" | "verify",
    order: LaneOrder,
    connection: LaneConnection,
    { warn, stop, historyId }: ThreadSurroundings,
  ): Lane {
    this.#worker.on("message", (message: FromLane) => this.#hear(message, warn));
    const post = (message: ToLane) => this.#worker.postMessage(message);
    post({ kind: "open", command, order, connection });
    const tellStop = () => post({ kind: "stop" });
    if (stop.aborted) tellStop();
    stop.addEventListener("abort", tellStop, { once: true });
    return {
      begin: async (main: MainPass) => {
        await this.#call("begin", { ...main, historyId: historyId() } satisfies ThreadMainPass);
      },
      learn: async (survey: Survey) => {
        await this.#call("learn", survey);
      },
      work: async (batch) =>
        unpackResult((await this.#call("work", packBatch(batch))) as PackedResult<LaneResult>),
      close: async () => {
        stop.removeEventListener("abort", tellStop);
        if (this.#end !== undefined) return;
        const ended = once(this.#worker, "exit");
        this.#worker.ref();
        post({ kind: "close" });
        await ended;
      },
    };
  }

  /** Ends the thread at once, with its connection, where its lane was not closed before. */
  async end(): Promise<void> {
    if (this.#end === undefined) await this.#worker.terminate();
  }

  #call(method: string, argument: unknown): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end);
    const id = this.#calls++;
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ kind: "call", id, method, argument } satisfies ToLane);
    });
  }

  #hear(message: FromLane, warn: ThreadSurroundings["warn"]): void {
    if (message.kind === "warning") {
      warn(message.message, message);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (message.kind === "done") waiting?.resolve(message.result);
    else waiting?.reject(unpackError(message.error));
  }

  #endWith(error: unknown): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}

/** What a lane on a thread has on the main one. */
export interface ThreadSurroundings {
  readonly warn: Warn;
  readonly stop: AbortSignal;
  /** Names the data of the server that the run talks to, by now. */
  readonly historyId: () => string | undefined;
}

function unpackResult<R extends LaneResult>(
  packed: PackedResult<R>,
): Omit<R, "deferred"> & Pick<LaneResult, "deferred"> {
  const result = { ...packed, deferred: unpackBatch(packed.deferred) };
  return "error" in result ? { ...result, error: unpackError(result.error as PackedError) } : result;
}
