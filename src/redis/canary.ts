import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { RedisForgotError } from "../model/errors.js";
import type { ResilientConnection } from "./resilient-connection.js";
import type { PeerRuns } from "./server/peers.js";
import { allowed } from "./server/server-info.js";

/** The key that exists while runs write or remove. If its value is gone, what was written beside it may be gone too. */
export const canaryKey = "tele-sessions:witness";

/** Longer than any run: an end for what a run that was killed left. */
const canaryMs = 30 * 24 * 60 * 60 * 1000;

/** Returns the value that is there, or sets a new one: never one that was there before, because other runs may rely on that. So it may be sent again. */
const join = `
local value = redis.call('GET', KEYS[1]) or ARGV[1]
redis.call('SET', KEYS[1], value, 'PX', ARGV[2])
return value`;

const remove = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

/** Redis is full, or holds something else under the key. */
const unwritable = /^(OOM|WRONGTYPE) /;

/**
 * Shows whether Redis was emptied since the run began: a server that was says so nowhere else. Only
 * a run that writes or removes has one, and all such runs share the key.
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

  /** Makes sure that the key exists. If it may not be written, the run goes on without marks. Throws `RedisError`. */
  async begin(): Promise<void> {
    this.#value = await this.#connection.run(joinCanary);
    if (this.#value !== undefined) return;
    this.#warn(
      "keys of our own (tele-sessions:*) could not be written: a Redis that is emptied meanwhile is not noticed, what is missing is not taken for ended, and nothing is left for later runs",
    );
  }

  /** Throws `RedisForgotError` if the key is gone, and `RedisError`. */
  async check(): Promise<void> {
    const value = this.#value;
    if (value === undefined) return;
    const now = await this.#connection.run((client) => client.get(canaryKey));
    if (now !== value) throw new RedisForgotError();
  }

  /** Deletes the key if Redis answers and no other run is seen that may rely on it. */
  async end(): Promise<void> {
    const value = this.#value;
    // If this run may not be seen, others may not either.
    if (value === undefined || !this.#connection.announced) return;
    await this.#connection.attempt(async (client) => {
      // Of two runs that end at once, the last to look sees nobody.
      await this.#peers.withdraw(client);
      if ((await this.#peers.areThere(client)) === false) {
        await client.eval(remove, 1, canaryKey, value);
      }
    });
  }
}

/** `undefined` if a permission is missing or Redis is full. Throws what `redisFault` sorts. */
async function joinCanary(client: Redis): Promise<string | undefined> {
  const newValue = randomBytes(8).toString("hex");
  try {
    const value = await allowed(() => client.eval(join, 1, canaryKey, newValue, canaryMs));
    return value === undefined ? undefined : String(value);
  } catch (error) {
    if (error instanceof Error && error.name === "ReplyError" && unwritable.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}
