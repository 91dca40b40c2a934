import type { RedisTarget } from "../model/redis-target.js";
import type { StoredText } from "../model/stored-value.js";
import { openConnection } from "./open-connection.js";
import { redisFault } from "./redis-fault.js";
import { surveyKeys } from "./survey-keys.js";

/**
 * A sample of the session keys in a database, of any prefix, over a connection of its own. None if
 * this user may not look there.
 */
export async function surveyDatabase(
  target: RedisTarget,
  clockLeadMs: number,
): Promise<readonly (StoredText & { readonly keyPrefix: string })[]> {
  try {
    const { client } = await openConnection(target);
    try {
      // No key begins like this, so all count as others.
      return (await surveyKeys(client, "\0", clockLeadMs))?.others ?? [];
    } finally {
      client.disconnect();
    }
  } catch (error) {
    // The look is for a warning only: a run does not fail because of it.
    redisFault(error);
    return [];
  }
}
