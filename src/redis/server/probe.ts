import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { allowed } from "./server-info.js";

const probeMs = 10_000;

/**
 * Writes a short-lived key, reads it back and deletes it. Returns whether Redis held the value.
 * Lets through the error of a Redis that takes no writes.
 */
export async function probeWrite(client: Redis): Promise<boolean> {
  const key = `tele-sessions:probe:${randomBytes(8).toString("hex")}`;
  const value = randomBytes(8).toString("hex");
  await client.set(key, value, "PX", probeMs, "NX");
  const held = await client.get(key);
  // If it may not be deleted, it expires.
  await allowed(() => client.del(key));
  return held === value;
}
