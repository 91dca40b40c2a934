import type { Redis } from "ioredis";
import { allowed } from "../server/server-info.js";

interface NamedMaster {
  readonly name: string;
  readonly host: string;
  readonly port: string;
}

/** The masters that a Sentinel watches; `undefined` if it is not a Sentinel, or does not say. */
export async function sentinelMasters(client: Redis): Promise<readonly NamedMaster[] | undefined> {
  const masters = await allowed(() => client.call("SENTINEL", "MASTERS"));
  if (!Array.isArray(masters)) return undefined;
  return masters.filter(Array.isArray).map((fields: readonly unknown[]) => {
    const fieldNamed = (name: string) => String(fields[fields.indexOf(name) + 1] ?? "");
    return { name: fieldNamed("name"), host: fieldNamed("ip"), port: fieldNamed("port") };
  });
}
