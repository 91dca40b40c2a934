import type { Redis } from "ioredis";
import type { HostAndPort } from "../../model/redis-target.js";
import { isReply } from "../redis-fault.js";
import { refusalOfNoCluster } from "../server/server-role.js";

/** Neighbouring hash slots, and the nodes that hold them. */
export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly master: HostAndPort;
  readonly replicas: readonly HostAndPort[];
}

/**
 * Asks a node which nodes hold which slots; `asked`: its own address, by which it may leave its
 * host out. Throws `RedisError` if it is no node of a Cluster.
 */
export async function askSlotRanges(client: Redis, asked: HostAndPort): Promise<readonly SlotRange[]> {
  const reply = await client.call("CLUSTER", "SLOTS").catch((error: unknown) => {
    throw refusalOfNoCluster(error) ?? error;
  });
  return (Array.isArray(reply) ? reply : []).flatMap((range: unknown): SlotRange[] => {
    if (!Array.isArray(range)) return [];
    const [first, last, ...nodes] = range;
    const [master, ...replicas] = nodes.flatMap((node) => addressOf(node, asked) ?? []);
    return master === undefined ? [] : [{ first: Number(first), last: Number(last), master, replicas }];
  });
}

/** A node is listed as host, port, id and other names; `undefined` if it does not know its host. */
function addressOf(node: unknown, asked: HostAndPort): HostAndPort | undefined {
  if (!Array.isArray(node)) return undefined;
  const [host, port, , others] = node;
  if (host === null || host === "") return { host: asked.host, port: Number(port) };
  if (host !== "?") return { host: String(host), port: Number(port) };
  const at = Array.isArray(others) ? others.indexOf("ip") : -1;
  return at === -1 ? undefined : { host: String(others[at + 1]), port: Number(port) };
}

/** Where a redirection leads; `undefined` if the error is none. */
export interface Redirection {
  readonly kind: "MOVED" | "ASK";
  readonly slot: number;
  readonly to: HostAndPort;
}

/** Reads `MOVED 3999 127.0.0.1:6381`. The host may be missing: then it is that of the node itself. */
export function redirectionOf(reply: unknown, asked: HostAndPort): Redirection | undefined {
  if (!isReply(reply)) return undefined;
  const [, kind, slot, host, port] = /^(MOVED|ASK) (\d+) (.*):(\d+)$/.exec(reply.message) ?? [];
  if (kind !== "MOVED" && kind !== "ASK") return undefined;
  return { kind, slot: Number(slot), to: { host: host || asked.host, port: Number(port) } };
}
