import type { Redis } from "ioredis";
import type { Wait } from "../model/progress/progress-state.js";
import type { ServerState } from "./server/server-state.js";

/** That Redis does not answer. */
export type Silence = Omit<Wait, "target">;

/** Hears how a connection fares. */
export interface ConnectionListener {
  /** Redis does not answer; called again if the reason or the end changes. */
  readonly onSilence: (silence: Silence) => void;
  /** Redis answers again. */
  readonly onAnswer: () => void;
  /** Redis was asked for its state anyway. `server`: the name of a master in a Cluster. */
  readonly onState: (state: ServerState, server?: string) => void;
}

const tickMs = 100;
/** A shorter loss, such as that of one connection, is not worth a word. */
const briefMs = 500;
/** Ticks without a byte from Redis. A busy event loop delays ticks, so they are counted. */
const silentTicks = 11;

/**
 * Notices within about a second that Redis is gone (each try fails) or frozen (work waits, and not
 * a byte comes). Looks ten times a second, and at no reply.
 */
export class ReplyWatch {
  readonly #listener: ConnectionListener;
  readonly #longestSilenceMs: number;
  readonly #timer: NodeJS.Timeout;
  /** Work that waits for replies. */
  #waiting = 0;
  #client: Redis | undefined;
  #bytes = 0;
  #heardMs = Date.now();
  #ticks = 0;
  /** Since every try fails. */
  #loss: Silence | undefined;
  #told: Silence | undefined;

  /** `longestSilenceMs`: how long a connection that is silent is waited for, with all retries. */
  constructor(listener: ConnectionListener, longestSilenceMs: number) {
    this.#listener = listener;
    this.#longestSilenceMs = longestSilenceMs;
    this.#timer = setInterval(() => this.#look(), tickMs).unref();
  }

  /** Watches for replies to work on a client. */
  async during<T>(client: Redis, work: () => Promise<T>): Promise<T> {
    if (client !== this.#client || this.#waiting === 0) this.#hear(client);
    this.#waiting++;
    try {
      return await work();
    } finally {
      this.#waiting--;
    }
  }

  /** A try failed, and others follow. */
  lost(why: string, untilMs: number): void {
    const sinceMs = this.#loss?.sinceMs ?? this.#told?.sinceMs ?? Date.now();
    this.#loss = { why, sinceMs, untilMs };
    if (this.#told !== undefined) this.#tell(this.#loss);
  }

  answered(): void {
    this.#loss = undefined;
    if (this.#told === undefined) return;
    this.#told = undefined;
    this.#listener.onAnswer();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #hear(client: Redis): void {
    this.#client = client;
    this.#bytes = bytesReadOf(client);
    this.#heardMs = Date.now();
    this.#ticks = 0;
  }

  #look(): void {
    if (this.#loss !== undefined) {
      if (this.#told === undefined && Date.now() - this.#loss.sinceMs >= briefMs) this.#tell(this.#loss);
      return;
    }
    const client = this.#client;
    if (client === undefined || this.#waiting === 0) return;
    if (bytesReadOf(client) !== this.#bytes) {
      this.#hear(client);
      this.answered();
      return;
    }
    this.#ticks++;
    if (this.#ticks < silentTicks || this.#told !== undefined) return;
    const sinceMs = this.#heardMs;
    this.#tell({ why: "no answer", sinceMs, untilMs: sinceMs + this.#longestSilenceMs });
  }

  #tell(silence: Silence): void {
    const { why, untilMs } = this.#told ?? {};
    this.#told = silence;
    if (why !== silence.why || untilMs !== silence.untilMs) this.#listener.onSilence(silence);
  }
}

function bytesReadOf({ stream }: Redis): number {
  return "bytesRead" in stream ? Number(stream.bytesRead) : 0;
}
