import type { Redis } from "ioredis";

/**
 * Sends again, to other masters of a Cluster, the commands that a master redirected. Returns all
 * replies, with their own in their places.
 */
export type FollowRedirections = (
  replies: readonly unknown[],
  commandAt: (index: number) => Buffer,
) => Promise<readonly unknown[]>;

const followers = new WeakMap<Redis, FollowRedirections>();

/** Has the redirections of a client's commands followed. */
export function followRedirectionsOf(client: Redis, follow: FollowRedirections): void {
  followers.set(client, follow);
}

/** The replies to commands of a client, once each command was sent to where it belongs. */
export async function withoutRedirections(
  client: Redis,
  replies: readonly unknown[],
  commandAt: (index: number) => Buffer,
): Promise<readonly unknown[]> {
  const follow = followers.get(client);
  return follow === undefined ? replies : follow(replies, commandAt);
}
