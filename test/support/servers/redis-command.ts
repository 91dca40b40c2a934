import {
  connectRedis,
  type RedisAddress,
  type RedisArgument,
  type RedisReply,
  RedisReplyError,
} from "./redis-client.js";

/**
 * Sends one command over a connection of its own and gives the reply. Throws a `RedisReplyError`
 * where the server refuses it.
 */
export async function redisCommand(address: RedisAddress, ...args: readonly RedisArgument[]): Promise<RedisReply> {
  const [reply = null] = await redisPipeline(address, [args]);
  if (reply instanceof RedisReplyError) throw reply;
  return reply;
}

/** Sends any number of commands over a connection of its own; errors stand among the replies. */
export async function redisPipeline(
  address: RedisAddress,
  commands: readonly (readonly RedisArgument[])[],
): Promise<RedisReply[]> {
  const client = await connectRedis(address);
  try {
    return await client.pipeline(commands);
  } finally {
    client.close();
  }
}
