import { randomBytes } from "node:crypto";
import type { Redis } from "ioredis";
import { sendOne } from "../send-batch.js";
import type { RedisServer } from "../topology/redis-servers.js";
import { allowed } from "./server-info.js";

const probeMs = 10_000;

/**
 * Writes a short-lived key, reads it back and deletes it. Returns whether Redis held the value.
 * Lets through the error of a Redis that takes no writes.
 */
export async function probeWrite(client: Redis, server: Pick<RedisServer, "keyHere">): Promise<boolean> {
  const key = server.keyHere(`tele-sessions:probe:${randomBytes(8).toString("hex")}`);
  const value = randomBytes(8).toString("hex");
  await sendOne(client, "SET", key, value, "PX", String(probeMs), "NX");
  const held = await sendOne(client, "GET", key);
  // If it may not be deleted, it expires.
  await allowed(() => sendOne(client, "DEL", key));
  return held === value;
}
