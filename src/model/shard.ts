/** Part `index` (from 0) of `count`: the names whose hash, divided by `count`, leaves `index`. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/**
 * A hash of a name, an integer below 2**32: FNV-1a over its UTF-16 units, then mixed, so that names
 * that are alike differ in every bit. Marks in Redis and the shards of one job rely on it, so it
 * stays as it is.
 */
export function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) {
    hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Whether a shard takes a name: a sid, or the name of a file that holds no session. */
export function isInShard(name: string, { index, count }: Shard): boolean {
  return hashName(name) % count === index;
}

/** Whether a sid is in a sample of this percentage. Every run picks the same sids. */
export function isInSample(sid: string, percent: number): boolean {
  return hashName(sid) / 2 ** 32 < percent / 100;
}

/** `2/4` for part 1 of 4. */
export function shardText({ index, count }: Shard): string {
  return `${index + 1}/${count}`;
}

/** The shard that a text such as `2/4` names; `undefined` if it names none. */
export function parseShard(text: string): Shard | undefined {
  const [, part, count] = /^([0-9]{1,9})\/([0-9]{1,9})$/.exec(text) ?? [];
  const shard = { index: Number(part) - 1, count: Number(count) };
  return shard.index >= 0 && shard.index < shard.count ? shard : undefined;
}

/** Everything, as a shard. */
export const wholeShard: Shard = { index: 0, count: 1 };

/** Whether two shards may have a sid in common. */
export function overlap(one: Shard, other: Shard): boolean {
  const divisor = greatestDivisor(one.count, other.count);
  return one.index % divisor === other.index % divisor;
}

/** Whether every sid of one shard is in another. */
export function isPartOf(part: Shard, whole: Shard): boolean {
  return part.count % whole.count === 0 && part.index % whole.count === whole.index;
}

/** The greatest common divisor. */
export function greatestDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestDivisor(other, one % other);
}
