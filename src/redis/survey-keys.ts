import type { Redis } from "ioredis";
import type { RedisTarget } from "../model/redis-target.js";
import { isSid } from "../model/session-file.js";
import type { StoredText } from "../model/stored-value.js";
import { encodeCommand, protocolText } from "./encode-command.js";
import { openConnection } from "./open-connection.js";
import { readSizedKeys, type SizedKey } from "./read-keys.js";
import { redisFault } from "./redis-fault.js";
import { sendBatch } from "./send-batch.js";
import { allowed } from "./server/server-info.js";
import { onEach, type RedisServers } from "./topology/redis-servers.js";

/** What a sample of the session keys shows. */
export interface KeySurvey {
  /** Keys of this run's prefix and layout. */
  readonly own: readonly StoredText[];
  /** Whether `own` is complete. */
  readonly isAll: boolean;
  /** Whether `own` is complete, or large enough to say that no server saves here. */
  readonly representative: boolean;
  /** Keys of other prefixes; `keyPrefix` is the start of the key, before the sid. */
  readonly others: readonly (StoredText & { readonly keyPrefix: string })[];
}

const maxKeys = 300;
/** Other prefixes matter for one warning only. */
const maxOthers = 100;
const enoughKeys = 100;
const maxScanMs = 1000;
const maxBytes = 4 * 1024 * 1024;
const keysPerScan = 1000;
const keysAtATime = 100;

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

/**
 * A sample of the session keys in a database, of any prefix, over a connection of its own. None if
 * this user may not look there.
 */
export async function surveyDatabase(target: RedisTarget, clockLeadMs: number): Promise<KeySurvey["others"]> {
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

/**
 * Reads up to 300 session keys with their values, for up to a second. `share`: of the keys and bytes
 * that are read. `undefined` if a command that it needs is denied.
 */
export function surveyKeys(
  client: Redis,
  ownPrefix: string,
  clockLeadMs: number,
  share = 1,
): Promise<KeySurvey | undefined> {
  return allowed(() => readSample(client, ownPrefix, clockLeadMs, share));
}

async function readSample(client: Redis, ownPrefix: string, clockLeadMs: number, share: number): Promise<KeySurvey> {
  const endMs = Date.now() + maxScanMs;
  const own: StoredText[] = [];
  const others: KeySurvey["others"][number][] = [];
  let bytes = 0;
  let isWhole = true;
  let cursor = "0";
  const room = Math.ceil(share * maxKeys);
  const roomForOthers = share * maxOthers;
  const bytesAllowed = share * maxBytes;
  const left = () => room - own.length - others.length;
  const hasRoom = () => left() > 0 && bytes < bytesAllowed && Date.now() < endMs;
  do {
    const [next, found] = await client.scan(cursor, "MATCH", "session:*", "COUNT", keysPerScan);
    cursor = next;
    const keys = found.filter((key) => isSid(sidOf(key)));
    for (let at = 0; at < keys.length && hasRoom(); at += keysAtATime) {
      const some = keys
        .slice(at, at + keysAtATime)
        .filter((key) => isOwn(key) || others.length < roomForOthers)
        .slice(0, left());
      const { fitting, tooLong } = await keysByLength(client, some, bytesAllowed - bytes);
      isWhole &&= !tooLong.some(isOwn);
      const stored = await readSizedKeys(client, fitting, clockLeadMs);
      for (const [index, one] of stored.entries()) {
        const key = fitting[index]?.key;
        if (key === undefined) continue;
        if (one.kind === "unreadable" && isOwn(key)) isWhole = false;
        if (one.kind !== "text") continue;
        bytes += one.value.length;
        if (isOwn(key)) own.push(one);
        else others.push({ ...one, keyPrefix: key.slice(0, -sidOf(key).length) });
      }
    }
  } while (cursor !== "0" && hasRoom());
  const isAll = cursor === "0" && hasRoom() && isWhole;
  return { own, isAll, others, representative: isAll || own.length >= enoughKeys };

  function isOwn(key: string): boolean {
    return key.startsWith(ownPrefix) && isSid(key.slice(ownPrefix.length));
  }
}

function sidOf(key: string): string {
  return key.slice(key.lastIndexOf(":") + 1);
}

/**
 * Divides keys into those whose values fit into this many bytes together, and the others. Keys that
 * hold no string are in neither list.
 */
async function keysByLength(
  client: Redis,
  keys: readonly string[],
  bytes: number,
): Promise<{ readonly fitting: readonly SizedKey[]; readonly tooLong: readonly string[] }> {
  const lengths = await sendBatch(
    client,
    keys.map((key) => encodeCommand("STRLEN", protocolText(key))),
  );
  const fitting: SizedKey[] = [];
  const tooLong: string[] = [];
  let left = bytes;
  for (const [index, key] of keys.entries()) {
    const length = lengths[index];
    if (length instanceof Error && !length.message.startsWith("WRONGTYPE")) throw length;
    if (typeof length !== "number") continue;
    if (length > left) tooLong.push(key);
    else {
      fitting.push({ key, length });
      left -= length;
    }
  }
  return { fitting, tooLong };
}
