import { Redis } from "ioredis";
import { RedisError } from "../model/errors.js";
import { failureHint } from "./failure-hint.js";
import { mendTexts } from "./mend-texts.js";
import { announce } from "./presence.js";
import { redisFault } from "./redis-fault.js";
import { describeTarget, type RedisTarget, type RedisTls } from "./redis-target.js";
import { askHistory, type ServerHistory } from "./server-facts.js";
import { withinTime } from "./time-limit.js";

/** One connection to Redis, logged in and on its database. It never reconnects nor sends anything again by itself. */
export interface Connection {
  readonly client: Redis;
  /** Things that a person should know, such as a password that was not asked for. */
  readonly warnings: readonly string[];
  /** Which data Redis holds; absent where it may not be asked. */
  readonly history: ServerHistory | undefined;
  /** Whether it carries the name that was asked for. */
  readonly announced: boolean;
}

/** For connection, TLS, login and database together. */
const openWithinMs = 5000;

/** A server that does not answer is not waited for. */
const disconnectWithinMs = 100;

/**
 * Opens a connection, logs in and selects the database. Each step is a command of ours: the client would only emit an event where a
 * login or a database is refused, and go on without. `name` is how other clients see it, where this user may set it. Throws what `redisFault` sorts.
 */
export async function openConnection(target: RedisTarget, name?: string): Promise<Connection> {
  mendTexts();
  const client = new Redis({
    ...target.address,
    ...(target.tls === undefined ? {} : { tls: tlsOptions(target.tls) }),
    protocol: 2,
    lazyConnect: true,
    disconnectTimeout: disconnectWithinMs,
    connectTimeout: openWithinMs,
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
  });
  let lastError: unknown;
  client.on("error", (error) => {
    lastError = error;
  });
  try {
    return await withinTime(
      openWithinMs,
      () => client.disconnect(),
      async () => {
        await client.connect();
        const warnings = await logIn(client, target);
        if (target.db !== 0) await client.select(target.db);
        const announced = name !== undefined && (await announce(client, name));
        return { client, warnings, history: await askHistory(client), announced };
      },
    );
  } catch (error) {
    client.disconnect();
    // The client rejects with "Connection is closed."; what closed it was an event.
    throw isReply(error) || isTimeout(error) ? error : (lastError ?? error);
  }
}

/** The same, where a failure ends the run at once: one plain sentence. Throws `RedisError`. */
export async function openFirstConnection(target: RedisTarget, name?: string): Promise<Connection> {
  try {
    return await openConnection(target, name);
  } catch (error) {
    const fault = redisFault(error);
    const kind = fault.kind === "refused" ? "refused" : "unavailable";
    const tlsHint = target.tls !== undefined && isTimeout(error) ? " (is this a port for TLS?)" : "";
    const hint = `${tlsHint}${failureHint(target, error)}`;
    throw new RedisError(kind, `Redis at ${describeTarget(target)} cannot be used: ${fault.message}${hint}`);
  }
}

async function logIn(client: Redis, target: RedisTarget): Promise<string[]> {
  if (target.password === undefined && target.username === undefined) return [];
  const credentials = [...(target.username === undefined ? [] : [target.username]), target.password ?? ""];
  try {
    await client.call("AUTH", ...credentials);
    return [];
  } catch (error) {
    if (isReply(error) && /without any password configured|no password is set/.test(error.message)) {
      return ["a password was given, but Redis asks for none"];
    }
    throw error;
  }
}

function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ETIMEDOUT";
}

function tlsOptions(tls: RedisTls) {
  return {
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
    ...(tls.servername === undefined ? {} : { servername: tls.servername }),
    rejectUnauthorized: !tls.insecure,
    ...(tls.checkHostname ? {} : { checkServerIdentity: () => undefined }),
  };
}
