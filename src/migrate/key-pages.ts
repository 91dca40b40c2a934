import { isInSample, isInShard } from "../model/shard.js";
import { type SessionKeys, sessionKeys } from "../redis/session-keys.js";
import type { Run } from "./run-context.js";

/**
 * The session keys of the run on every master, page by page, as SCAN finds them: a key may come
 * twice. Throws `RedisError`.
 */
export async function* keyPages({ redis, files, options, stop }: Run): AsyncGenerator<Omit<SessionKeys, "cursor">> {
  const { shard, sample } = options.source;
  const isTaken = (sid: string) =>
    (shard === null || isInShard(sid, shard)) && (sample === null || isInSample(sid, sample));
  for (const { connection } of redis.servers.all) {
    let cursor = "0";
    do {
      const from = cursor;
      const page = await connection.run((client) => sessionKeys(client, from, files.conversion.keyPrefix));
      cursor = page.cursor;
      yield { sids: page.sids.filter(isTaken), invalid: page.invalid.filter(isTaken) };
    } while (cursor !== "0" && !stop.aborted);
  }
}

/** How many keys there are, and some of their sids. */
export interface KeyCount {
  readonly count: number;
  readonly sample: readonly string[];
}

/** Sids that are sampled. */
const maxSampled = 500;

/** Counts the session keys of the run, which takes a hundredth of the time of reading them. */
export async function countKeys(run: Run): Promise<KeyCount> {
  const sample: string[] = [];
  let count = 0;
  for await (const { sids, invalid } of keyPages(run)) {
    count += sids.length + invalid.length;
    // Of each page a few: SCAN gives the keys in no order that means anything.
    sample.push(...sids.slice(0, sample.length < maxSampled / 2 ? maxSampled / 2 : 2));
    while (sample.length > maxSampled) sample.splice(Math.floor(Math.random() * sample.length), 1);
  }
  return { count, sample };
}
