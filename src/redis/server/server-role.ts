import type { Redis } from "ioredis";
import { type Explanation, RedisError } from "../../model/errors.js";
import type { ServerTarget } from "../../model/redis-target.js";
import { showable } from "../../model/showable.js";
import { isReply, useCluster } from "../redis-fault.js";
import { masterNames } from "../sentinel/master-names.js";
import { allowed, fieldOf } from "./server-info.js";

/**
 * A server's role. `master`: the address that a replica follows; absent if it does not say.
 * `isNode`: whether it is a node of a Cluster; absent if that is not known.
 */
export type ServerRole = { readonly isNode?: boolean } & (
  | { readonly kind: "master" | "sentinel" | "unknown" }
  | { readonly kind: "replica"; readonly master?: string }
);

/** The role that a reply to INFO shows. */
export function roleOf(info: string): ServerRole {
  const mode = fieldOf(info, "redis_mode");
  if (mode === "sentinel") return { kind: mode };
  const isNode = mode === "cluster";
  if (fieldOf(info, "role") !== "slave") return { isNode, kind: "master" };
  return { isNode, ...replicaOf(fieldOf(info, "master_host"), fieldOf(info, "master_port")) };
}

function replicaOf(host: unknown, port: unknown): ServerRole {
  return typeof host === "string" && /^[\w.:-]+$/.test(host)
    ? { kind: "replica", master: `${host}:${port}` }
    : { kind: "replica" };
}

/** Why a server cannot be the target of a run on a Cluster. */
const noCluster: Explanation = { found: "it is no node of a Redis Cluster", remedy: "leave out --cluster" };

/** Does nothing, but a replica refuses it, because it does not declare `no-writes`. */
const emptyScript = "#!lua\nreturn 1";

/** Finds out the role if INFO is denied. */
export async function askRole(client: Redis): Promise<ServerRole> {
  const role = await allowed(() => client.call("ROLE"));
  if (Array.isArray(role)) {
    if (role[0] === "sentinel") return { kind: "sentinel" };
    return role[0] === "slave" ? replicaOf(role[1], role[2]) : { kind: "master" };
  }
  if ((await masterNames(client)) !== undefined) return { kind: "sentinel" };
  return (await isReadOnly(client)) ? { kind: "replica" } : { kind: "unknown" };
}

async function isReadOnly(client: Redis): Promise<boolean> {
  try {
    await client.eval(emptyScript, 0);
  } catch (error) {
    // Any other reply, such as OOM, ends the run when it matters.
    if (!isReply(error)) throw error;
    return error.message.startsWith("READONLY");
  }
  return false;
}

/**
 * Throws `RedisError` for a Sentinel, which cannot hold the sessions, and for a server that is, or is
 * not, a node of a Cluster as it should be.
 */
export async function refuseOtherKinds(
  client: Redis,
  { kind, isNode }: ServerRole,
  { address, isCluster }: Pick<ServerTarget, "address" | "isCluster">,
): Promise<void> {
  if (isNode === true && isCluster !== true) {
    throw refusal({ found: "it is a node of a Redis Cluster", remedy: useCluster });
  }
  if (isNode === false && isCluster === true) throw refusal(noCluster);
  if (kind !== "sentinel") return;
  const [name = "NAME", ...more] = ((await masterNames(client)) ?? []).map((one) => showable(one));
  const others = more.length > 0 ? ` (it also knows ${more.join(", ")})` : "";
  const sentinel = "path" in address ? "HOST:PORT" : `${address.host}:${address.port}`;
  const remedy = `in place of host and port, give --sentinel ${sentinel} --sentinel-master ${name}${others}`;
  throw refusal({ found: "it is a Sentinel, which keeps no sessions", remedy });
}

/** Whether the error says that the server is no node of a Cluster. */
export function refusalOfNoCluster(error: unknown): RedisError | undefined {
  return isReply(error) && /cluster support disabled/.test(error.message) ? refusal(noCluster) : undefined;
}

function refusal(explanation: Explanation): RedisError {
  return new RedisError("refused", `${explanation.found}: ${explanation.remedy}`, explanation);
}

/** Why a replica cannot be the target. `master`: `host:port`; absent if the replica does not say. */
export function replicaRefusal(master: string | undefined): Explanation {
  const [, host, port] = /^(.*):(\d+)$/.exec(master ?? "") ?? [];
  const named = host === undefined ? "its master with --host and --port" : `its master: --host ${host} --port ${port}`;
  return { found: "it is a read-only replica", remedy: `name ${named}` };
}
