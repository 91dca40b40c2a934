import type { Redis } from "ioredis";
import { encodeCommand, protocolText, sendBatch } from "./send-batch.js";

/** Which keys exist, in one batch. Throws what `redisFault` sorts. */
export async function existingKeys(client: Redis, keys: readonly string[]): Promise<boolean[]> {
  const commands = keys.map((key) => encodeCommand("EXISTS", protocolText(key)));
  return (await sendBatch(client, commands)).map((reply) => {
    if (reply instanceof Error) throw reply;
    return reply === 1;
  });
}
