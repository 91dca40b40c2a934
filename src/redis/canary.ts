import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { RedisForgotError } from "../model/errors.js";
import { isReply, replyText } from "./redis-fault.js";
import type { ResilientConnection } from "./resilient-connection.js";
import type { PeerRuns } from "./server/peers.js";
import { allowed } from "./server/server-info.js";

/** The key that exists while runs write or remove. If it is gone, so may be the sessions. */
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
  readonly #connection: ResilientConnection;
  readonly #peers: PeerRuns;
  readonly #warn: (message: string) => void;
  #value: string | undefined;

  constructor(connection: ResilientConnection, peers: PeerRuns, warn: (message: string) => void) {
    this.#connection = connection;
    this.#peers = peers;
    this.#warn = warn;
  }

  /** The key's value while the run relies on it; `undefined` if it could not be written. */
  get value(): string | undefined {
    return this.#value;
  }

  /**
   * Makes sure that the key exists. If it cannot be written, warns, and the run leaves no marks.
   * Throws `RedisError`.
   */
  async begin(): Promise<void> {
    this.#value = await this.#connection.run(joinCanary);
    if (this.#value !== undefined) return;
    this.#warn(
      "the keys tele-sessions:* could not be written. This run cannot notice that Redis is emptied, " +
        "counts no missing key as a logout, and leaves no mark for later runs",
    );
  }

  /** Throws `RedisForgotError` if the key is gone, or `RedisError`. */
  async check(): Promise<void> {
    const value = this.#value;
    if (value === undefined) return;
    const now = await this.#connection.run((client) => client.get(canaryKey));
    if (now !== value) throw new RedisForgotError();
  }

  /** Deletes the key, unless another run may rely on it or Redis does not answer. */
  async end(): Promise<void> {
    const value = this.#value;
    // If other runs cannot see this one, this one may not see all of them.
    if (value === undefined || !this.#connection.announced) return;
    await this.#connection.attempt(async (client) => {
      // If two runs end at the same time, the second to ask sees no other.
      await this.#peers.withdraw(client);
      if ((await this.#peers.areThere(client)) === false) {
        await client.eval(remove, 1, canaryKey, value);
      }
    });
  }
}

/** Returns the key's value; `undefined` if a permission is missing or Redis is full. */
async function joinCanary(client: Redis): Promise<string | undefined> {
  const newValue = randomBytes(8).toString("hex");
  try {
    const value = await allowed(() => client.eval(join, 1, canaryKey, newValue, canaryMs));
    return value === undefined ? undefined : String(value);
  } catch (error) {
    if (isReply(error) && unwritable.test(replyText(error))) return undefined;
    throw error;
  }
}
