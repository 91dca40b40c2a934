import { setTimeout as wait } from "node:timers/promises";
import type { Redis } from "ioredis";
import { type Explanation, RedisError } from "../model/errors.js";
import { describeTarget, type RedisTarget, type ServerTarget } from "../model/redis-target.js";
import { logIn } from "./client/log-in.js";
import { newClient } from "./client/new-client.js";
import { codeOf, commandOf, explanationOf, isReply, redisFault, shortCode } from "./redis-fault.js";
import { explainFirst } from "./sentinel/explain-no-master.js";
import { findMaster } from "./sentinel/find-master.js";
import { NoMasterError } from "./sentinel/no-master-error.js";
import { diagnosePort, isUnreached, mayBeAnotherServer } from "./server/diagnose-port.js";
import { announce } from "./server/peers.js";
import { historyOf, type ServerHistory } from "./server/server-history.js";
import { allowed } from "./server/server-info.js";
import { askRole, refuseOtherKinds, replicaRefusal, roleOf, type ServerRole } from "./server/server-role.js";
import { withinTime } from "./time-limit.js";

/** A connection to Redis, logged in, with its database selected. It never reconnects or resends. */
export interface Connection {
  readonly client: Redis;
  /** Where it leads: with a Sentinel, to the master that it names. */
  readonly server: ServerTarget;
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

/** How long a run waits at its start for Sentinels that name a replica as the master. */
const failoverMs = 5000;
const pauseMs = 500;

/**
 * Opens a connection, logs in and selects the database. Sends each command itself, because ioredis
 * would only emit an event if the login or the database is refused, and go on without. With a
 * Sentinel it asks anew where the master is. `name`: how other clients see the connection, if this
 * user may set it.
 */
export async function openConnection(target: RedisTarget, name?: string): Promise<Connection> {
  return openAt(await locateServer(target), name);
}

/** A server's address, and what the operator should know of those who named it. */
interface LocatedServer extends ServerTarget {
  readonly warnings: readonly string[];
  readonly isNamedBySentinels: boolean;
}

/** Throws `NoMasterError` if it is not known where the server is. */
async function locateServer(target: RedisTarget): Promise<LocatedServer> {
  const { address } = target;
  if (!("sentinels" in address)) return { ...target, address, warnings: [], isNamedBySentinels: false };
  return { ...target, ...(await findMaster(address)), isNamedBySentinels: true };
}

async function openAt(server: LocatedServer, name: string | undefined): Promise<Connection> {
  const { client, causeOf } = newClient(server.address, server.tls, openWithinMs);
  try {
    return await withinTime(openWithinMs, client, async () => {
      await client.connect();
      const loggedIn = await logIn(client, server);
      const warnings = loggedIn === "done" ? [] : ["a password was given, but Redis does not ask for one"];
      const info = await allowed(() => client.info());
      const role = info === undefined ? await askRole(client) : roleOf(info);
      await refuseOtherKinds(client, role, server);
      if (server.db !== 0) await client.select(server.db);
      const announced = name !== undefined && (await announce(client, name));
      const history = historyOf(info);
      return { client, server, warnings: [...server.warnings, ...warnings], history, role, announced };
    });
  } catch (error) {
    client.disconnect();
    throw causeOf(error);
  }
}

/**
 * Opens a run's first connection. Throws `RedisError` if that fails or if Redis is a replica: on a
 * Cluster, a replica tells who its masters are.
 */
export async function openFirstConnection(target: RedisTarget, name?: string): Promise<Connection> {
  const endMs = Date.now() + failoverMs;
  for (;;) {
    const server = await locateFirst(target);
    const label = labelOf(server, target);
    const connection = await openFirst(server, label, name);
    if (connection.role.kind !== "replica" || target.isCluster === true) return connection;
    connection.client.disconnect();
    if (!("sentinels" in target.address)) {
      throw unusable(label, "refused", replicaRefusal(connection.role.master));
    }
    if (Date.now() > endMs) throw unusable(label, "unavailable", unfinishedFailover);
    await wait(pauseMs);
  }
}

/** With a Sentinel: `redis-1:6379/0, which is mymaster/0 of Sentinel s-1:26379,`. */
function labelOf(server: ServerTarget, target: RedisTarget): string {
  const where = describeTarget(server);
  return "sentinels" in target.address ? `${where}, which is ${describeTarget(target)},` : where;
}

const unfinishedFailover: Explanation = {
  found: "the Sentinels name it as the master, but it is a read-only replica",
  remedy: "a failover may be under way: run this again",
};

async function locateFirst(target: RedisTarget): Promise<LocatedServer> {
  try {
    return await locateServer(target);
  } catch (error) {
    if (!(error instanceof NoMasterError) || !("sentinels" in target.address)) throw error;
    const kind = error.isUnknown || error.fault.kind === "refused" ? "refused" : "unavailable";
    throw unusable(describeTarget(target), kind, await explainFirst(error, target.address));
  }
}

async function openFirst(server: LocatedServer, label: string, name: string | undefined): Promise<Connection> {
  try {
    return await openAt(server, name);
  } catch (error) {
    const fault = redisFault(error);
    const kind = fault.kind === "refused" ? "refused" : "unavailable";
    const hint = failureHint(server, error);
    const isLogin = isReply(error) && /^(?:NOAUTH|WRONGPASS|ERR invalid password)/.test(error.message);
    const diagnosis = kind === "unavailable" && mayBeAnotherServer(error) ? await diagnosePort(server) : undefined;
    if (diagnosis === undefined) throw unusable(label, kind, { ...explanationOf(fault), isLogin }, hint);
    const code = codeOf(error);
    const bracket = code === undefined ? "" : ` (${shortCode(code)})`;
    const { found, remedy } = diagnosis;
    const isCertificate = /certificate/.test(found);
    const explanation = { found, remedy: remedy + bracket };
    throw unusable(label, isCertificate ? "refused" : kind, explanation, hint);
  }
}

/** `hint`: what the settings may have to do with it, with `. ` before it; may be empty. */
function unusable(server: string, kind: RedisError["kind"], explanation: Explanation, hint = ""): RedisError {
  const { found, remedy } = explanation;
  const why = `${remedy === "" ? found : `${found}: ${remedy}`}${hint}`;
  const message = `Redis at ${server} cannot be used: ${why}`;
  return new RedisError(kind, message, { ...explanation, remedy: remedy + hint });
}

/** What the settings may have to do with a failed connection, with `. ` before it; may be empty. */
function failureHint({ hints = {}, isNamedBySentinels }: LocatedServer, error: unknown): string {
  const loginHint = isReply(error) && commandOf(error) === "AUTH" ? hints.login : undefined;
  const hint = isReply(error) ? loginHint : isNamedBySentinels && isUnreached(error) ? unreachedHint : hints.connection;
  return hint === undefined ? "" : `. ${hint}`;
}

const unreachedHint =
  "The Sentinels name this address: wait until they name another, or see sentinel announce-ip if it " +
  "cannot be reached from here";
