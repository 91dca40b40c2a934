import type { CommandHead } from "./resp-messages.js";

/**
 * Something that goes wrong between a client and Redis, at the `at`-th reply: counted from 1, over
 * every connection, as replies are due to a client; a `CommandFault` at the command whose reply
 * that would be. Where two are due at once, the second happens one later.
 */
export type Fault = CommandFault | ReplyFault;

export type CommandFault =
  /**
   * The command does not reach Redis: the client gets this error, `OOM command not allowed`. With
   * `connections` so does every further command until so many new connections were made.
   */
  | { readonly kind: "answer"; readonly at: number; readonly error: string; readonly connections?: number }
  /**
   * Neither the command nor what is behind it reaches Redis; the connection ends once those before
   * are answered.
   */
  | { readonly kind: "cut-command"; readonly at: number }
  /**
   * The connection stalls, and the command and what is behind it reach Redis once the client has
   * given up.
   */
  | { readonly kind: "late"; readonly at: number };

export type ReplyFault =
  /** Redis did it, and the client does not know: the connection ends without the reply. */
  | { readonly kind: "cut-before"; readonly at: number }
  /** The connection ends behind the reply. */
  | { readonly kind: "cut-after"; readonly at: number }
  /** Like `cut-before`, by a reset: replies that the client has not read yet are lost with it. */
  | { readonly kind: "reset"; readonly at: number }
  /** Half of the reply's bytes, and the connection ends. */
  | { readonly kind: "truncate"; readonly at: number }
  /**
   * The reply and everything behind it, in both directions, is lost, and the connection stays open.
   */
  | { readonly kind: "stall"; readonly at: number }
  | { readonly kind: "delay"; readonly at: number; readonly milliseconds: number }
  /**
   * Every connection ends, and so many new ones are reset; `Infinity`: every one. The port stays
   * taken, because another run's Redis could get it.
   */
  | { readonly kind: "refuse"; readonly at: number; readonly connections: number }
  /**
   * Something is done while the reply waits, which is then forwarded, or lost with its connection.
   */
  | {
      readonly kind: "act";
      readonly at: number;
      readonly act: () => Promise<void>;
      readonly reply: "forwarded" | "lost";
    };

/** A fault that was carried out. */
export interface HappenedFault {
  readonly fault: Fault;
  /** The command that it fell on. */
  readonly command: CommandHead;
  /** The number of the reply. */
  readonly number: number;
  /**
   * Whether its connection had been answered in Redis's place before: the client may have left it
   * by then.
   */
  readonly isBehindAnswer: boolean;
}

/** Counts replies, and says which fault is due. */
export class FaultSchedule {
  readonly #commandFaults: CommandFault[];
  readonly #replyFaults: ReplyFault[];
  readonly #happened: HappenedFault[] = [];
  readonly #onFault: (happened: HappenedFault) => void;
  readonly #replies: CommandHead[] = [];
  #connections = 0;
  /** What answers every command, and for how many new connections yet. */
  #answering: { readonly fault: CommandFault; connections: number } | undefined;

  /** `onFault` is told of each as it happens. */
  constructor(faults: readonly Fault[], onFault: (happened: HappenedFault) => void) {
    this.#onFault = onFault;
    const ordered = faults.toSorted((one, other) => one.at - other.at);
    this.#commandFaults = ordered.filter(isCommandFault);
    this.#replyFaults = ordered.filter((fault) => !isCommandFault(fault));
  }

  /** For each reply so far, the command that it belongs to. */
  get replies(): readonly CommandHead[] {
    return this.#replies;
  }

  /** How many connections clients have made. */
  get connections(): number {
    return this.#connections;
  }

  get happened(): readonly HappenedFault[] {
    return this.#happened;
  }

  /** Counts a connection. */
  takeConnection(): void {
    this.#connections += 1;
    if (this.#answering === undefined) return;
    this.#answering.connections -= 1;
    if (this.#answering.connections === 0) this.#answering = undefined;
  }

  /**
   * Gives the fault that is to be carried out on a command, before which so many await their
   * replies on its connection. An `answer` has happened once it is handed on.
   */
  takeCommand(command: CommandHead, awaited: number): CommandFault | undefined {
    if (this.#answering !== undefined) return this.#answering.fault;
    const number = this.#replies.length + awaited + 1;
    const fault = takeDue(this.#commandFaults, number);
    if (fault?.kind === "answer") {
      if (fault.connections !== undefined) this.#answering = { fault, connections: fault.connections };
    } else if (fault !== undefined) this.#note({ fault, command, number, isBehindAnswer: false });
    return fault;
  }

  /**
   * Counts a reply; gives the fault that is to be carried out on it. `isBehindAnswer`: its
   * connection had been answered before.
   */
  takeReply(command: CommandHead, isBehindAnswer = false): ReplyFault | undefined {
    this.#replies.push(command);
    const fault = takeDue(this.#replyFaults, this.#replies.length);
    if (fault !== undefined) this.#note({ fault, command, number: this.#replies.length, isBehindAnswer });
    return fault;
  }

  /** Takes an answer back that was not handed on: it is due again. */
  giveBack(fault: CommandFault): void {
    if (this.#happened.some((happened) => happened.fault === fault)) return;
    if (this.#answering?.fault === fault) this.#answering = undefined;
    if (!this.#commandFaults.includes(fault)) this.#commandFaults.push(fault);
    this.#commandFaults.sort((one, other) => one.at - other.at);
  }

  /** Notes that the latest reply, an answer in Redis's place, was handed on. */
  noteAnswer(fault: CommandFault, command: CommandHead): void {
    if (this.#happened.some((happened) => happened.fault === fault)) return;
    this.#note({ fault, command, number: this.#replies.length, isBehindAnswer: false });
  }

  #note(happened: HappenedFault): void {
    this.#happened.push(happened);
    this.#onFault(happened);
  }
}

function takeDue<T extends Fault>(faults: T[], number: number): T | undefined {
  return (faults[0]?.at ?? Number.POSITIVE_INFINITY) <= number ? faults.shift() : undefined;
}

function isCommandFault(fault: Fault): fault is CommandFault {
  return fault.kind === "answer" || fault.kind === "cut-command" || fault.kind === "late";
}
