import type { Redis } from "ioredis";
import { RedisError, RedisForgotError } from "../model/errors.js";
import { describeTarget, type RedisTarget } from "../model/redis-target.js";
import { type Connection, openConnection, openFirstConnection } from "./open-connection.js";
import { pause } from "./pause.js";
import { isReply, redisFault } from "./redis-fault.js";
import { announce } from "./server/peers.js";
import { askHistory, continues, refuseReplica } from "./server/server-facts.js";
import { askServerState, type ServerState } from "./server/server-state.js";
import { withinTime } from "./time-limit.js";

const minPauseMs = 50;
const maxPauseMs = 5000;
/** A batch that takes longer has met a connection that stalls. */
const maxBatchMs = 30_000;

/** What may be left undone is not waited for longer. */
const attemptMs = 1000;

/** How often a batch may cost a connection before it is sent in parts, and a single item before it is given up. */
const maxLosses = 2;
const maxLossesOfOne = 3;
/** The first may be a failover. */
const maxRefusedWrites = 1;

/** What is in flight when a run is to stop has this long to finish: spec.md allows 10 s until the run has reported. */
export const shutdownGraceMs = 8000;

/** Work for items that may be sent in parts. */
export interface EachOf<Item, Result> {
  /** One result for each item, in their order; `tries` counts what was sent before. */
  readonly work: (client: Redis, items: readonly Item[], tries: number) => Promise<readonly Result[]>;
  /** What an item is known by when it comes again. */
  readonly nameOf: (item: Item) => string;
  readonly unaccepted: (item: Item) => Result;
}

/** What one try came to, on which connection, and whether that had been made. */
interface Attempt<T> {
  readonly attempt: Promise<Connection>;
  readonly wasOpen: boolean;
  readonly result?: { readonly value: T };
  readonly error?: unknown;
}

export interface ResilienceOptions {
  readonly target: RedisTarget;
  /** How long a lost Redis is tried for before the run ends. */
  readonly retryForMs: number;
  readonly onWarning: (message: string) => void;
  /** How other clients see the connection. */
  readonly name?: string;
  /** Aborted when the run is to stop: a pause then ends at once. */
  readonly stop: AbortSignal;
}

/**
 * A connection that is made again when it is lost. Work given to it is done again from its start, so it must be safe to repeat; a
 * watchdog bounds each try, for a command may stay unanswered for ever.
 */
export class ResilientConnection {
  readonly #options: ResilienceOptions;
  #connection: Promise<Connection>;
  /** When the first of an unbroken row of failures happened. */
  #failingSinceMs: number | undefined;
  /** Connections lost in that row. */
  #failures = 0;

  /** Names the data of the server that confirmed what was written. */
  #dataId: string | undefined;
  /** How often Redis was found to have forgotten. */
  #dataEpoch = 0;
  #name: string | undefined;
  #announced = false;
  #reconnects = 0;
  /** Why the connection was lost last. */
  #lastFault = "";
  /** Times that Redis refused a write as a replica does, while it does not say what it is. */
  #refusedWrites = 0;
  /** Settled when nobody needs the connection alone. */
  #freeAgain: Promise<unknown> = Promise.resolve();
  /** Names of items that Redis never accepts. */
  readonly #unaccepted = new Set<string>();

  private constructor(options: ResilienceOptions, first: Promise<Connection>) {
    this.#options = options;
    this.#name = options.name;
    this.#connection = first.then((connection) => {
      this.#dataId = connection.history?.id;
      this.#announced = connection.announced;
      return connection;
    });
    // Whoever awaits it is told.
    this.#connection.catch(redisFault);
  }

  /** How often Redis was found to have forgotten, by now. */
  get dataEpoch(): number {
    return this.#dataEpoch;
  }

  /** How often the connection was lost, by now. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Whether other clients see the connection under its name. */
  get announced(): boolean {
    return this.#announced;
  }

  /** What was confirmed until now counts for nothing: whatever server answers is the one from here on. Throws what `run` throws. */
  async acceptCurrentData(): Promise<void> {
    for (;;) {
      try {
        this.#dataId = (await this.run(askHistory))?.id;
        return;
      } catch (error) {
        if (!(error instanceof RedisForgotError)) throw error;
      }
    }
  }

  /**
   * Asks Redis for its state, and whether it holds the data that it confirmed; if INFO is denied,
   * that is not known. Throws `RedisForgotError` if it has followed another server meanwhile, and
   * what `run` throws.
   */
  async checkData(): Promise<ServerState> {
    const state = await this.run(async (client) => {
      const asked = await askServerState(client);
      refuseReplica(asked.history?.isReplica);
      return asked;
    });
    const { history } = state;
    if (history === undefined) return state;
    const isKept = continues(history, this.#dataId);
    this.#dataId = history.id;
    if (isKept) return state;
    this.#dataEpoch++;
    throw new RedisForgotError();
  }

  /** Gives the connection, and those that take its place, another name. Throws what `run` throws. */
  async rename(name: string): Promise<void> {
    this.#name = name;
    this.#announced = await this.run((client) => announce(client, name));
  }

  /** Throws `RedisError` at once where Redis cannot be reached or refuses us. */
  static async open(options: ResilienceOptions): Promise<ResilientConnection> {
    const connection = await openFirstConnection(options.target, options.name);
    for (const warning of connection.warnings) options.onWarning(warning);
    const made = new ResilientConnection(options, Promise.resolve(connection));
    await made.#connection;
    return made;
  }

  /**
   * Does the work, which is told how often it was tried, again and again over new connections until it succeeds. Throws `RedisError` where Redis refuses, stays away
   * for longer than allowed, or the run is to stop while it is away; `RedisForgotError` where another Redis answers than the one that
   * the work was begun with.
   */
  async run<T>(work: (client: Redis, tries: number) => Promise<T>): Promise<T> {
    const dataEpoch = this.#dataEpoch;
    for (let tries = 1; ; tries++) {
      await this.#untilFree();
      const { result, error, attempt } = await this.#tryOnce((client) => {
        if (this.#dataEpoch !== dataEpoch) throw this.#forgot();
        return work(client, tries);
      });
      if (result !== undefined) return result.value;
      await this.#recover(error, attempt);
    }
  }

  /**
   * Does work for items, all at once, and again as `run` does. If that costs the connection again and again while Redis is there otherwise, the
   * items are sent in parts, until the one is found that Redis never accepts: `unaccepted` gives its result. One result for each item, in order.
   */
  async runEach<Item, Result>(
    items: readonly Item[],
    { work, nameOf, unaccepted }: EachOf<Item, Result>,
  ): Promise<Result[]> {
    const dataEpoch = this.#dataEpoch;
    const fits = items.filter((item) => !this.#unaccepted.has(nameOf(item)));
    const tries = { made: 0 };
    const send = (part: readonly Item[]) => (client: Redis) => work(client, part, ++tries.made);
    const inParts = async (part: readonly Item[]): Promise<readonly Result[]> => {
      const [item] = part;
      const isAlone = part.length === 1;
      const results = await this.#runUntilLost(send(part), isAlone ? maxLossesOfOne : maxLosses, dataEpoch);
      if (results !== undefined || item === undefined) return results ?? [];
      if (isAlone) {
        this.#unaccepted.add(nameOf(item));
        return [unaccepted(item)];
      }
      const half = Math.ceil(part.length / 2);
      return [...(await inParts(part.slice(0, half))), ...(await inParts(part.slice(half)))];
    };
    await this.#untilFree();
    const results =
      (await this.#runUntilLost(send(fits), maxLosses, dataEpoch)) ??
      // What costs the connection must not cost it for others.
      (await this.#alone(() => inParts(fits)));
    if (this.#dataEpoch !== dataEpoch) throw this.#forgot();
    const inOrder = results.values();
    const fitting = new Set(fits);
    return items.map((item) => (fitting.has(item) ? inOrder.next().value : undefined) ?? unaccepted(item));
  }

  /** Does the work until it succeeds; `undefined` if it cost so many connections that Redis had made. Throws what `run` throws. */
  async #runUntilLost<T>(
    work: (client: Redis) => Promise<T>,
    maxLost: number,
    dataEpoch: number,
  ): Promise<T | undefined> {
    for (let lost = 0; ; ) {
      const { result, error, attempt, wasOpen } = await this.#tryOnce((client) => {
        // If Redis does not say what it holds, it is asked all the same: what it never accepts would end the run else.
        if (this.#dataEpoch !== dataEpoch && this.#dataId !== undefined) throw this.#forgot();
        return work(client);
      });
      if (result !== undefined) return result.value;
      if (wasOpen && isLoss(error)) lost++;
      await this.#recover(error, attempt);
      if (lost < maxLost) continue;
      // It is there: each of these connections was logged in.
      this.#failingSinceMs = undefined;
      this.#failures = 0;
      return undefined;
    }
  }

  async #tryOnce<T>(work: (client: Redis) => Promise<T>): Promise<Attempt<T>> {
    const attempt = this.#connection;
    let wasOpen = false;
    try {
      const { client } = await attempt;
      wasOpen = true;
      const value = await withinTime(
        maxBatchMs,
        () => client.disconnect(),
        () => work(client),
      );
      this.#failingSinceMs = undefined;
      this.#failures = 0;
      return { attempt, wasOpen, result: { value } };
    } catch (error) {
      return { attempt, wasOpen, error };
    }
  }

  /** Keeps others off the connection while an action goes on. */
  #alone<T>(action: () => Promise<T>): Promise<T> {
    const turn = this.#freeAgain.then(action);
    this.#freeAgain = turn.catch(redisFault);
    return turn;
  }

  async #untilFree(): Promise<void> {
    for (let waitedFor: unknown; waitedFor !== this.#freeAgain; ) {
      waitedFor = this.#freeAgain;
      await waitedFor;
    }
  }

  /** Claims a restart only if Redis told of one. */
  #forgot(): RedisForgotError {
    if (this.#dataId !== undefined) return new RedisForgotError();
    return new RedisForgotError(
      `Redis was lost (${this.#lastFault}), and does not allow INFO, so it is not known whether it still holds what it confirmed`,
    );
  }

  /** Does work once, on the connection as it stands: for what may be left undone where Redis does not answer. */
  async attempt(work: (client: Redis) => Promise<void>): Promise<void> {
    try {
      const { client } = await this.#connection;
      await withinTime(
        attemptMs,
        () => client.disconnect(),
        () => work(client),
      );
    } catch (error) {
      if (isBug(error)) throw error;
      redisFault(error);
    }
  }

  async close(): Promise<void> {
    try {
      (await this.#connection).client.disconnect();
    } catch (error) {
      // A connection that could not be made again needs no closing; whoever waited for it was told.
      redisFault(error);
    }
  }

  /** Makes a new connection after a pause, once for all who lost the same one; rethrows what no new connection mends. */
  async #recover(error: unknown, attempt: Promise<Connection>): Promise<void> {
    if (error instanceof RedisForgotError || isBug(error)) throw error;
    const { target, retryForMs, stop } = this.#options;
    const fault = redisFault(error);
    this.#lastFault = fault.message;
    if (this.#dataId === undefined && isReply(error) && error.message.startsWith("READONLY")) {
      this.#refusedWrites++;
      if (this.#refusedWrites > maxRefusedWrites) throw new RedisError("refused", fault.message);
    }
    if (fault.kind !== "transient")
      throw error instanceof RedisError ? error : new RedisError(kindOf(fault.kind), fault.message);
    this.#failingSinceMs ??= Date.now();
    if (Date.now() - this.#failingSinceMs >= retryForMs || stop.aborted) {
      throw new RedisError("unavailable", `Redis at ${describeTarget(target)} was lost: ${fault.message}`);
    }
    await pause(Math.min(minPauseMs * 2 ** this.#failures, maxPauseMs), stop);
    if (this.#connection !== attempt) return;
    this.#failures++;
    this.#connection = this.#reopen(attempt, target);
    // Whoever awaits it next is told; nobody may be waiting yet.
    this.#connection.catch(redisFault);
  }

  async #reopen(lost: Promise<Connection>, target: RedisTarget): Promise<Connection> {
    await lost.then(({ client }) => client.disconnect(), redisFault);
    this.#reconnects++;
    const connection = await openConnection(target, this.#name);
    const { client, history, role, announced } = connection;
    try {
      refuseReplica(role.kind === "replica");
    } catch (error) {
      client.disconnect();
      throw error;
    }
    this.#announced = announced;
    if (history === undefined || !continues(history, this.#dataId)) this.#dataEpoch++;
    this.#dataId = history?.id;
    return connection;
  }
}

/** An error of the program itself: no new connection mends it. */
function isBug(error: unknown): boolean {
  return [TypeError, RangeError, ReferenceError].some((type) => error instanceof type);
}

/** Whether the connection went, and not an answer came that says why. */
function isLoss(error: unknown): boolean {
  return error instanceof Error && !isReply(error) && !(error instanceof RedisError);
}

/** What Redis answers to a command as it is will be no other later. */
function kindOf(kind: "refused" | "unavailable" | "single"): "refused" | "unavailable" {
  return kind === "unavailable" ? kind : "refused";
}
