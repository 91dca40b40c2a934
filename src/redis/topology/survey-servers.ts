import { enoughKeys, type KeySurvey, surveyKeys } from "../survey-keys.js";
import { onEach, type RedisServers } from "./redis-servers.js";

/**
 * Reads up to 300 session keys with their values, from each server its share. `undefined` if a
 * command that it needs is denied.
 */
export async function surveyServers(
  servers: Pick<RedisServers, "all">,
  ownPrefix: string,
  clockLeadMs: number,
): Promise<KeySurvey | undefined> {
  const share = 1 / servers.all.length;
  const surveys = await onEach(servers, (client) => surveyKeys(client, ownPrefix, clockLeadMs, share));
  const known = surveys.filter((one) => one !== undefined);
  if (known.length < surveys.length) return undefined;
  const own = known.flatMap((one) => one.own);
  const isAll = known.every((one) => one.isAll);
  return {
    own,
    isAll,
    representative: isAll || own.length >= enoughKeys,
    others: known.flatMap(({ others }) => others),
  };
}
