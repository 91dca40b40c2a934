import type { Redis } from "ioredis";
import { allowed } from "../server/server-info.js";

/**
 * The names of the masters that a Sentinel watches; `undefined` if the server is no Sentinel, or
 * hides them.
 */
export async function masterNames(client: Redis): Promise<readonly string[] | undefined> {
  const masters = await allowed(() => client.call("SENTINEL", "MASTERS"));
  if (!Array.isArray(masters)) return undefined;
  return masters
    .filter(Array.isArray)
    .map((fields: readonly unknown[]) => String(fields[fields.indexOf("name") + 1] ?? ""));
}
