import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { RedisForgotError } from "../model/errors.js";
import type { CanaryAsSet } from "./marks.js";
import { isReply, replyText } from "./redis-fault.js";
import { sendOne } from "./send-batch.js";
import type { PeerRuns } from "./server/peers.js";
import { allowed } from "./server/server-info.js";
import { allDone, onEach, type RedisServer, type RedisServers } from "./topology/redis-servers.js";

/**
 * The key that exists while runs write or remove, on a Cluster with a suffix for each master. If it
 * is gone, so may be the sessions.
 */
export const canaryKey = "tele-sessions:witness";

/** Longer than any run; after this, Redis deletes what a killed run left. */
const canaryMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Returns the key's value, setting it if there is none. Never replaces a value, because other runs
 * may rely on it, so this may be sent again.
 */
const join = `
local value = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return value`;

const remove = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** Replies of a Redis that is full, or that holds another type under the key. */
const unwritable = /^(OOM|WRONGTYPE) /;

/**
 * Shows whether Redis was emptied since the run began, which Redis itself does not report. Only
 * runs that write or remove have a canary, and they all share the key.
 */
export class Canary {
  readonly #servers: RedisServers;
  readonly #peers: PeerRuns;
  readonly #warn: (message: string) => void;
  /** The keys that the run relies on, and their values; none if one could not be written. */
  #values: ReadonlyMap<string, string> = new Map();
  #wasLost = false;

  constructor(servers: RedisServers, peers: PeerRuns, warn: (message: string) => void) {
    this.#servers = servers;
    this.#peers = peers;
    this.#warn = warn;
  }

  /** Whether the run relies on it: not if it could not be written. */
  get isSet(): boolean {
    return this.#values.size > 0;
  }

  /**
   * The canary, if a script can check it in the same step in which it changes another key. On a
   * Cluster it cannot: they may lie on different masters.
   */
  get beside(): CanaryAsSet | undefined {
    const value = this.#values.get(canaryKey);
    return value === undefined ? undefined : { key: canaryKey, value };
  }

  /**
   * Makes sure that the key exists on every server. If it cannot be written, warns, and the run
   * leaves no marks. Throws `RedisError`.
   */
  async begin(): Promise<void> {
    const values = await this.#join(this.#servers.all);
    this.#wasLost ||= [...this.#values].some(([key, value]) => values?.get(key) !== value);
    this.#values = values ?? new Map();
    if (values !== undefined) return;
    this.#warn(
      "the keys tele-sessions:* could not be written. This run cannot notice that Redis is emptied, " +
        "counts no missing key as a logout, and leaves no mark for later runs",
    );
  }

  /**
   * Whether, since the last call, the run started over and a key was gone: then keys of earlier runs
   * may be too. A server that kept the key kept what was written before it.
   */
  takeLoss(): boolean {
    const wasLost = this.#wasLost;
    this.#wasLost = false;
    return wasLost;
  }

  /** Throws `RedisForgotError` if a key is gone, or `RedisError`. */
  async check(): Promise<void> {
    if (!this.isSet) return;
    await allDone(
      [...this.#values].map(async ([key, value]) => {
        const { connection } = this.#servers.serverOf(key);
        if ((await connection.run((client) => sendOne(client, "GET", key))) !== value) {
          throw new RedisForgotError();
        }
      }),
    );
    // A key moves with its hash slot, and leaves its master without one.
    const served = new Set([...this.#values.keys()].map((key) => this.#servers.serverOf(key)));
    const unserved = this.#servers.all.filter((server) => !served.has(server));
    if (unserved.length === 0) return;
    this.#values = new Map([...this.#values, ...((await this.#join(unserved)) ?? [])]);
  }

  /** Deletes the keys, unless another run may rely on them or Redis does not answer. */
  async end(): Promise<void> {
    // If other runs cannot see this one, this one may not see all of them.
    if (!this.isSet || !this.#servers.announced) return;
    const { all } = this.#servers;
    // If two runs end at the same time, the second to ask sees no other.
    await allDone(all.map(({ connection }) => connection.attempt((client) => this.#peers.withdraw(client))));
    const areOthersThere = all.map(({ connection }) => connection.attempt((client) => this.#peers.areThere(client)));
    if ((await allDone(areOthersThere)).some((areThere) => areThere !== false)) return;
    await allDone(
      [...this.#values].map(([key, value]) =>
        this.#servers.serverOf(key).connection.attempt((client) => sendOne(client, "EVAL", remove, "1", key, value)),
      ),
    );
  }

  /** The keys of these servers, and their values; `undefined` if one could not be written. */
  async #join(servers: readonly RedisServer[]): Promise<ReadonlyMap<string, string> | undefined> {
    const values = await onEach({ all: servers }, async (client, server) => {
      const key = server.keyHere(canaryKey);
      return [key, await joinCanary(client, key)] as const;
    });
    const written = values.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
    return written.length < values.length ? undefined : new Map(written);
  }
}

/** Returns the key's value; `undefined` if a permission is missing or Redis is full. */
async function joinCanary(client: Redis, key: string): Promise<string | undefined> {
  const newValue = randomBytes(8).toString("hex");
  try {
    const value = await allowed(() => sendOne(client, "EVAL", join, "1", key, newValue, String(canaryMs)));
    return value === undefined ? undefined : String(value);
  } catch (error) {
    if (isReply(error) && unwritable.test(replyText(error))) return undefined;
    throw error;
  }
}
