import { type Check, passed } from "../../model/check.js";
import { askServerState, type ServerState } from "../../redis/server/server-state.js";
import { onEach } from "../../redis/topology/redis-servers.js";
import type { Run } from "../run-context.js";

/** Whether Redis drops sessions when it is full. `memory`: what the copy needs, and what is free. */
export async function checkEviction({ redis }: Run, memory: Check | undefined): Promise<Check> {
  const states = await onEach(redis.servers, askServerState);
  const evicts = ({ evictionPolicy: policy, maxMemory: limit }: ServerState) =>
    policy !== undefined && policy !== "noeviction" && limit !== 0;
  const unknown = ({ evictionPolicy: policy }: ServerState) => policy === undefined;
  const [worst] = [...states.filter(evicts), ...states.filter(unknown), ...states];
  const { evictionPolicy, maxMemory } = worst ?? {};
  if (evictionPolicy === undefined) return passed("eviction", "Redis does not say what it evicts");
  if (evictionPolicy === "noeviction") return passed("eviction", evictionPolicy);
  if (maxMemory === 0) return passed("eviction", `${evictionPolicy}, but Redis has no memory limit`);
  const found = `Redis evicts keys when it is full (maxmemory-policy ${evictionPolicy})`;
  const remedy = "That logs their owners out. To be safe: CONFIG SET maxmemory-policy noeviction";
  const need = memory === undefined ? "" : `: ${memory.found}`;
  const message = `${found}, which logs their owners out${need}`;
  return { name: "eviction", verdict: "warn", found, remedy, message };
}
