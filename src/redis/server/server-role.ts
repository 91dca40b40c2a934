import type { Redis } from "ioredis";
import { type Explanation, RedisError } from "../../model/errors.js";
import type { ServerAddress } from "../../model/redis-target.js";
import { showable } from "../../model/showable.js";
import { isReply } from "../redis-fault.js";
import { sentinelMasters } from "../sentinel/sentinel-masters.js";
import { allowed, fieldOf } from "./server-info.js";

/** A server's role. `master`: the address that a replica follows; absent if it does not say. */
export type ServerRole =
  | { readonly kind: "master" | "sentinel" | "cluster" | "unknown" }
  | { readonly kind: "replica"; readonly master?: string };

/** The role that a reply to INFO shows. */
export function roleOf(info: string): ServerRole {
  const mode = fieldOf(info, "redis_mode");
  if (mode === "sentinel" || mode === "cluster") return { kind: mode };
  if (fieldOf(info, "role") !== "slave") return { kind: "master" };
  return replicaOf(fieldOf(info, "master_host"), fieldOf(info, "master_port"));
}

function replicaOf(host: unknown, port: unknown): ServerRole {
  return typeof host === "string" && /^[\w.:-]+$/.test(host)
    ? { kind: "replica", master: `${host}:${port}` }
    : { kind: "replica" };
}

/** Does nothing, but a replica refuses it, because it does not declare `no-writes`. */
const emptyScript = "#!lua\nreturn 1";

/** Finds out the role if INFO is denied. */
export async function askRole(client: Redis): Promise<ServerRole> {
  const role = await allowed(() => client.call("ROLE"));
  if (Array.isArray(role)) {
    if (role[0] === "sentinel") return { kind: "sentinel" };
    return role[0] === "slave" ? replicaOf(role[1], role[2]) : { kind: "master" };
  }
  if ((await sentinelMasters(client)) !== undefined) return { kind: "sentinel" };
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

/** Throws `RedisError` for a Sentinel or a node of a Cluster, which cannot hold the sessions. */
export async function refuseOtherKinds(
  client: Redis,
  { kind }: ServerRole,
  address: ServerAddress,
): Promise<void> {
  if (kind === "cluster") {
    const found = "it is a node of a Redis Cluster, and writing to one is not built yet";
    throw refusal({ found, remedy: "name a Redis that is no Cluster" });
  }
  if (kind !== "sentinel") return;
  const names = ((await sentinelMasters(client)) ?? []).map(({ name }) => showable(name));
  const [name = "NAME"] = names;
  const others = names.length > 1 ? ` (it also knows ${names.slice(1).join(", ")})` : "";
  const sentinel = "path" in address ? "HOST:PORT" : `${address.host}:${address.port}`;
  const remedy = `in place of host and port, give --sentinel ${sentinel} --sentinel-master ${name}${others}`;
  throw refusal({ found: "it is a Sentinel, which keeps no sessions", remedy });
}

function refusal(explanation: Explanation): RedisError {
  return new RedisError("refused", `${explanation.found}: ${explanation.remedy}`, explanation);
}

/** Why a replica cannot be the target. `master`: `host:port`; absent if the replica does not say. */
export function replicaRefusal(master: string | undefined): Explanation {
  const [, host, port] = /^(.*):(\d+)$/.exec(master ?? "") ?? [];
  const named =
    host === undefined ? "its master with --host and --port" : `its master: --host ${host} --port ${port}`;
  return { found: "it is a read-only replica", remedy: `name ${named}` };
}
