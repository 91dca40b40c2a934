import type { Redis } from "ioredis";
import { RedisError, RedisForgotError } from "../model/errors.js";
import { describeTarget, type RedisTarget, type ServerTarget } from "../model/redis-target.js";
import { type Connection, openConnection, openFirstConnection } from "./open-connection.js";
import { Outage } from "./outage.js";
import { pause } from "./pause.js";
import { briefly, endKind, isBug, isLoss, isReply, redisFault, replyText } from "./redis-fault.js";
import { type ConnectionListener, ReplyWatch } from "./reply-watch.js";
import { maxLosses, sendInParts } from "./send-in-parts.js";
import { MasterCheck } from "./sentinel/master-check.js";
import { announce } from "./server/peers.js";
import { askHistory, becameReplica, continues, type ServerHistory } from "./server/server-history.js";
import { askServerState, type ServerState } from "./server/server-state.js";
import { withinTime } from "./time-limit.js";

/** If a batch takes longer, the connection stalls. */
const maxBatchMs = 30_000;

/** The time limit for work that may be left undone. */
const attemptMs = 1000;

/** How often the server may be another one while its data is accepted. */
const maxForgotten = 10;
/** The first may be a failover. */
const maxRefusedWrites = 1;

/**
 * How long commands in flight may take when the run is to stop. spec.md allows 10 s until the run
 * has reported.
 */
export const shutdownGraceMs = 8000;

/** Work on items that may be sent in parts. */
export interface EachOf<Item, Result> {
  /** Returns one result per item, in order. `tries`: which try this is, from 1. */
  readonly work: (client: Redis, items: readonly Item[], tries: number) => Promise<readonly Result[]>;
  /** Identifies an item when it comes again. */
  readonly nameOf: (item: Item) => string;
  /** The result for an item that Redis never accepts. */
  readonly unaccepted: (item: Item) => Result;
}

export interface ResilienceOptions {
  readonly target: RedisTarget;
  /** How long to retry a lost Redis before the run ends. */
  readonly retryForMs: number;
  readonly onWarning: (message: string) => void;
  /** Told when Redis stops answering, and of what it says about itself. */
  readonly listener?: ConnectionListener;
  /** The name by which other clients see the connection. */
  readonly name?: string;
  /** Says where the server is now, before each new connection; absent if it stays where it is. */
  readonly locate?: () => Promise<RedisTarget>;
  /** Told of each connection, and where it leads: with a Sentinel that may change. */
  readonly onOpen?: (client: Redis, server: ServerTarget) => void;
  /** Aborted when the run is to stop, which ends a pause at once. */
  readonly stop: AbortSignal;
}

/**
 * A connection that reconnects when it is lost. It repeats the work from its start, so the work
 * must be safe to repeat. Each try has a time limit, because a command may never be answered.
 */
export class ResilientConnection {
  readonly #options: ResilienceOptions;
  readonly #watch: ReplyWatch | undefined;
  readonly #masterCheck: MasterCheck;
  #target: RedisTarget;
  #connection: Promise<Connection>;
  readonly #outage = new Outage();

  /** Identifies the data of the server that confirmed our writes; `undefined` if INFO is denied. */
  #dataId: string | undefined;
  /** How often Redis was found with other data. */
  #dataEpoch = 0;
  #name: string | undefined;
  #announced: boolean;
  #reconnects = 0;
  /** Why the connection was last lost. */
  #lastFault = "";
  /** How often Redis refused a write as a replica does, although INFO is denied. */
  #refusedWrites = 0;
  /** Settles when no work needs the connection for itself. */
  #freeAgain: Promise<unknown> = Promise.resolve();
  /** Names of items that Redis never accepts. */
  readonly #unaccepted = new Set<string>();

  private constructor(options: ResilienceOptions, first: Connection) {
    this.#options = options;
    this.#target = options.target;
    this.#masterCheck = new MasterCheck(options.target);
    this.#watch = options.listener && new ReplyWatch(options.listener, maxBatchMs + options.retryForMs);
    this.#name = options.name;
    this.#connection = Promise.resolve(first);
    this.#dataId = first.history?.id;
    this.#announced = first.announced;
    options.onOpen?.(first.client, first.server);
  }

  /** How often Redis was found with other data so far. */
  get dataEpoch(): number {
    return this.#dataEpoch;
  }

  /** How often the connection was lost so far. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Which data Redis holds. If it does not say, a lost connection may have lost the data too. */
  get dataId(): string | undefined {
    return this.#dataId;
  }

  /** Whether other clients see the connection under its name. */
  get announced(): boolean {
    return this.#announced;
  }

  /**
   * Takes the data of whichever server answers now as the run's own: nothing confirmed before
   * counts any more. Throws what `run` throws, except `RedisForgotError`.
   */
  async acceptCurrentData(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        this.#dataId = (await this.run(askHistory))?.id;
        return;
      } catch (error) {
        if (!(error instanceof RedisForgotError) || tries === maxForgotten) throw error;
      }
    }
  }

  /**
   * Asks Redis for its state, and checks that it holds the data that it confirmed, unless INFO is
   * denied, and is still the master of its Sentinels. Throws `RedisForgotError` if it has followed
   * another server since, or what `run` throws.
   */
  async checkData(): Promise<ServerState> {
    const state = await this.run(async (client) => {
      const { server } = await this.#connection;
      const [asked] = await Promise.all([askServerState(client), this.#masterCheck.check(server.address)]);
      if (asked.history?.isReplica === true) throw becameReplica();
      return asked;
    });
    this.#options.listener?.onState(state);
    if (state.history !== undefined && !this.#noteData(state.history)) throw new RedisForgotError();
    return state;
  }

  /** Notes which data Redis holds now. Returns whether that is what it confirmed. */
  #noteData(history: ServerHistory | undefined): boolean {
    const isKept = history !== undefined && continues(history, this.#dataId);
    this.#dataId = history?.id;
    if (!isKept) this.#dataEpoch++;
    return isKept;
  }

  /** Renames this connection and those that replace it. Throws what `run` throws. */
  async rename(name: string): Promise<void> {
    this.#name = name;
    this.#announced = await this.run((client) => announce(client, name));
  }

  /** Throws `RedisError` at once if Redis cannot be reached or refuses us. */
  static async open(options: ResilienceOptions): Promise<ResilientConnection> {
    const connection = await openFirstConnection(options.target, options.name);
    for (const warning of connection.warnings) options.onWarning(warning);
    return new ResilientConnection(options, connection);
  }

  /**
   * Repeats the work over new connections until it succeeds; `tries` counts from 1. Throws
   * `RedisError` if Redis refuses, stays away for too long, or is away when the run is to stop, and
   * `RedisForgotError` if Redis no longer has the data with which the work began.
   */
  async run<T>(work: (client: Redis, tries: number) => Promise<T>): Promise<T> {
    const dataEpoch = this.#dataEpoch;
    for (let tries = 1; ; tries++) {
      await this.#untilFree();
      const tried = await this.#tryOnce((client) => {
        if (this.#dataEpoch !== dataEpoch) throw this.#forgot();
        return work(client, tries);
      });
      if ("value" in tried) return tried.value;
    }
  }

  /**
   * Does the work for all items at once, and repeats it as `run` does. If that keeps losing the
   * connection although Redis is there, it sends the items in ever smaller parts, to find the one
   * that Redis never accepts. Returns one result per item, in order. Throws what `run` throws.
   */
  async runEach<Item, Result>(
    items: readonly Item[],
    { work, nameOf, unaccepted }: EachOf<Item, Result>,
  ): Promise<Result[]> {
    const dataEpoch = this.#dataEpoch;
    const fits = items.filter((item) => !this.#unaccepted.has(nameOf(item)));
    let tries = 0;
    const send = (part: readonly Item[], maxLost: number) =>
      this.#runUntilLost((client) => work(client, part, ++tries), maxLost, dataEpoch);
    const giveUp = (item: Item) => {
      this.#unaccepted.add(nameOf(item));
      return unaccepted(item);
    };
    await this.#untilFree();
    const results =
      (await send(fits, maxLosses)) ??
      // Work that loses the connection must not lose it for other work.
      (await this.#alone(() => sendInParts(fits, send, giveUp)));
    if (this.#dataEpoch !== dataEpoch) throw this.#forgot();
    const inOrder = results.values();
    const fitting = new Set(fits);
    return items.map((item) => (fitting.has(item) ? inOrder.next().value : undefined) ?? unaccepted(item));
  }

  /**
   * Repeats the work until it succeeds; `undefined` if it lost `maxLost` connections that were
   * open. Throws what `run` throws.
   */
  async #runUntilLost<T>(
    work: (client: Redis) => Promise<T>,
    maxLost: number,
    dataEpoch: number,
  ): Promise<T | undefined> {
    for (let lost = 0; lost < maxLost; ) {
      const tried = await this.#tryOnce((client) => {
        // Without INFO every reconnect counts as other data. The work goes on even so, because an
        // item that Redis never accepts would otherwise end the run.
        if (this.#dataEpoch !== dataEpoch && this.#dataId !== undefined) throw this.#forgot();
        return work(client);
      });
      if ("value" in tried) return tried.value;
      if (tried.wasLost) lost++;
    }
    // Redis is there: each of these connections was logged in.
    this.#outage.end();
    return undefined;
  }

  /**
   * Tries the work once, within the time limit, and reconnects if it fails. `wasLost`: whether it
   * lost a connection that was open. Rethrows errors that no new connection would fix.
   */
  async #tryOnce<T>(
    work: (client: Redis) => Promise<T>,
  ): Promise<{ readonly value: T } | { readonly wasLost: boolean }> {
    const attempt = this.#connection;
    let wasOpen = false;
    try {
      const { client } = await attempt;
      wasOpen = true;
      const inTime = () => withinTime(maxBatchMs, client, () => work(client));
      const value = await (this.#watch === undefined ? inTime() : this.#watch.during(client, inTime));
      this.#outage.end();
      this.#watch?.answered();
      return { value };
    } catch (error) {
      if (error instanceof RedisForgotError) this.#watch?.answered();
      await this.#recover(error, attempt);
      return { wasLost: wasOpen && isLoss(error) };
    }
  }

  /** Keeps other work off the connection during an action. */
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

  /** Speaks of a restart only if Redis showed one. */
  #forgot(): RedisForgotError {
    if (this.#dataId !== undefined) return new RedisForgotError();
    return new RedisForgotError(
      `Redis was lost (${this.#lastFault}), and does not allow INFO, ` +
        "so it is not known whether it still holds what it confirmed",
    );
  }

  /** Tries work once, on the present connection. Returns `undefined` if it fails or takes long. */
  attempt<T>(work: (client: Redis) => Promise<T>): Promise<T | undefined> {
    return this.glance((client) => withinTime(attemptMs, client, () => work(client)));
  }

  /**
   * Asks something over the present connection that nobody waits for: no time limit, no second try.
   * Returns `undefined` if it fails.
   */
  async glance<T>(ask: (client: Redis) => Promise<T>): Promise<T | undefined> {
    try {
      return await ask((await this.#connection).client);
    } catch (error) {
      if (isBug(error)) throw error;
      redisFault(error);
      return undefined;
    }
  }

  async close(): Promise<void> {
    this.#watch?.end();
    // A connection that was not made needs no closing, and who awaited it saw the error.
    await this.#connection.then(({ client }) => client.disconnect(), redisFault);
  }

  /**
   * Reconnects after a pause, once for all work that lost the same connection. Rethrows errors that
   * no new connection would fix.
   */
  async #recover(error: unknown, attempt: Promise<Connection>): Promise<void> {
    if (error instanceof RedisForgotError || isBug(error)) throw error;
    const { retryForMs, stop } = this.#options;
    const fault = redisFault(error);
    this.#lastFault = fault.message;
    const isReplica = isReply(error) && replyText(error).startsWith("READONLY");
    if (isReplica && this.#dataId === undefined && !("sentinels" in this.#target.address)) {
      this.#refusedWrites++;
      if (this.#refusedWrites > maxRefusedWrites) throw new RedisError("refused", fault.message);
    }
    if (fault.kind !== "transient")
      throw error instanceof RedisError ? error : new RedisError(endKind(fault.kind), fault.message, fault.explanation);
    const endMs = this.#outage.began() + retryForMs;
    if (Date.now() >= endMs || stop.aborted) {
      throw new RedisError("unavailable", `Redis at ${describeTarget(this.#target)} was lost: ${fault.message}`);
    }
    this.#watch?.lost(briefly(fault), endMs);
    await pause(this.#outage.pauseMs, stop);
    if (this.#connection !== attempt) return;
    this.#outage.loseConnection();
    this.#connection = this.#reopen(attempt);
    // Work that awaits the connection sees the error; there may be none yet.
    this.#connection.catch(redisFault);
  }

  async #reopen(lost: Promise<Connection>): Promise<Connection> {
    await lost.then(({ client }) => client.disconnect(), redisFault);
    this.#reconnects++;
    const { locate, onOpen } = this.#options;
    if (locate !== undefined) this.#target = await locate();
    const connection = await openConnection(this.#target, this.#name);
    const { client, server, history, role, announced } = connection;
    if (role.kind === "replica") {
      client.disconnect();
      throw becameReplica();
    }
    this.#announced = announced;
    this.#noteData(history);
    onOpen?.(client, server);
    return connection;
  }
}
