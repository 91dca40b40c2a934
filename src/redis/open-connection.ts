import { Redis } from "ioredis";
import { type Explanation, RedisError } from "../model/errors.js";
import { describeTarget, type RedisTarget, type RedisTls } from "../model/redis-target.js";
import { commandOf, isReply, type RedisFault, redisFault, shortCode } from "./redis-fault.js";
import { restoreFastStrings } from "./restore-fast-strings.js";
import { diagnosePort } from "./server/diagnose-port.js";
import { announce } from "./server/peers.js";
import { historyOf, type ServerHistory } from "./server/server-facts.js";
import { allowed } from "./server/server-info.js";
import { askRole, refuseOtherKinds, replicaRefusal, roleOf, type ServerRole } from "./server/server-role.js";
import { withinTime } from "./time-limit.js";

/** A connection to Redis, logged in, with its database selected. It never reconnects or resends. */
export interface Connection {
  readonly client: Redis;
  /** What the operator should know, such as that Redis did not ask for the password. */
  readonly warnings: readonly string[];
  /** Which data Redis holds; `undefined` if it does not say. */
  readonly history: ServerHistory | undefined;
  /** The server's role, found out in another way if INFO is denied. */
  readonly role: ServerRole;
  /** Whether other clients see the connection under its name. */
  readonly announced: boolean;
}

/** For connection, TLS, login and database together. */
const openWithinMs = 5000;

/** Waits no longer for a server that does not answer. */
const disconnectWithinMs = 100;

/**
 * Opens a connection, logs in and selects the database. Sends each command itself, because ioredis
 * would only emit an event if the login or the database is refused, and go on without. `name`: how
 * other clients see the connection, if this user may set it.
 */
export async function openConnection(target: RedisTarget, name?: string): Promise<Connection> {
  restoreFastStrings();
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
    return await withinTime(openWithinMs, client, async () => {
      await client.connect();
      const warnings = await logIn(client, target);
      const info = await allowed(() => client.info());
      const role = info === undefined ? await askRole(client) : roleOf(info);
      await refuseOtherKinds(client, role, target.isCluster === true);
      if (target.db !== 0) await client.select(target.db);
      const announced = name !== undefined && (await announce(client, name));
      return { client, warnings, history: historyOf(info), role, announced };
    });
  } catch (error) {
    client.disconnect();
    // ioredis rejects with "Connection is closed." and emits the cause as an event.
    throw isReply(error) || isTimeout(error) || error instanceof RedisError ? error : (lastError ?? error);
  }
}

/**
 * Opens a run's first connection. Throws `RedisError` if that fails or if Redis is a replica: on a
 * Cluster, a replica tells who its masters are.
 */
export async function openFirstConnection(target: RedisTarget, name?: string): Promise<Connection> {
  let connection: Connection;
  try {
    connection = await openConnection(target, name);
  } catch (error) {
    const fault = redisFault(error);
    const kind = fault.kind === "refused" ? "refused" : "unavailable";
    const hint = failureHint(target, error);
    const isLogin = isReply(error) && /^(?:NOAUTH|WRONGPASS|ERR invalid password)/.test(error.message);
    const diagnosis =
      kind === "unavailable" && mayBeAnotherServer(error) ? await diagnosePort(target) : undefined;
    if (diagnosis === undefined) throw unusable(target, kind, { ...explanationOf(fault), isLogin }, hint);
    const code = codeOf(error);
    const bracket = code === undefined ? "" : ` (${shortCode(code)})`;
    const { found, remedy } = diagnosis;
    const isCertificate = /certificate/.test(found);
    const explanation = { found, remedy: remedy + bracket };
    throw unusable(target, isCertificate ? "refused" : kind, explanation, hint);
  }
  if (connection.role.kind !== "replica" || target.isCluster === true) return connection;
  connection.client.disconnect();
  throw unusable(target, "refused", replicaRefusal(connection.role.master));
}

/** `hint`: what the settings may have to do with it, with `. ` before it; may be empty. */
function unusable(
  target: RedisTarget,
  kind: RedisError["kind"],
  explanation: Explanation,
  hint = "",
): RedisError {
  const { found, remedy } = explanation;
  const why = `${remedy === "" ? found : `${found}: ${remedy}`}${hint}`;
  const message = `Redis at ${describeTarget(target)} cannot be used: ${why}`;
  return new RedisError(kind, message, { ...explanation, remedy: remedy + hint });
}

/** The remedy is empty if there is none. */
function explanationOf({ message, explanation }: RedisFault): Explanation {
  return explanation ?? { found: message, remedy: "" };
}

/** Error codes that mean that no server was reached. */
const notReached: ReadonlySet<string | undefined> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);

function mayBeAnotherServer(error: unknown): boolean {
  return !isReply(error) && !(error instanceof RedisError) && !notReached.has(codeOf(error));
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

async function logIn(client: Redis, target: RedisTarget): Promise<string[]> {
  if (target.password === undefined && target.username === undefined) return [];
  const credentials = [...(target.username === undefined ? [] : [target.username]), target.password ?? ""];
  try {
    await client.call("AUTH", ...credentials);
    return [];
  } catch (error) {
    if (isReply(error) && /without any password configured|no password is set/.test(error.message)) {
      return ["a password was given, but Redis does not ask for one"];
    }
    throw error;
  }
}

/** What the settings may have to do with a failed connection, with `. ` before it; may be empty. */
function failureHint({ hints = {} }: RedisTarget, error: unknown): string {
  const loginHint = isReply(error) && commandOf(error) === "AUTH" ? hints.login : undefined;
  const hint = isReply(error) ? loginHint : hints.connection;
  return hint === undefined ? "" : `. ${hint}`;
}

function isTimeout(error: unknown): boolean {
  return codeOf(error) === "ETIMEDOUT";
}

function tlsOptions({ insecure, checkHostname, ...given }: RedisTls) {
  return {
    ...given,
    rejectUnauthorized: !insecure,
    ...(checkHostname ? {} : { checkServerIdentity: () => undefined }),
  };
}
