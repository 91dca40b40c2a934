import { countText } from "../model/number-text.js";
import type { Report } from "./schema/report-schema.js";

/** More are counted, not named. */
const maxNamed = 6;

/** The number of shards of a job; undefined if these, such as `1/4`, are not of one. */
function countOfJob(shards: readonly string[]): number | undefined {
  const counts = new Set(shards.map((shard) => Number(shard.split("/")[1])));
  const [count] = counts;
  return counts.size === 1 ? count : undefined;
}

/** `shard 2/4 of `, `shards 1/4 and 3/4 of `, `all 4 shards of `; empty if a run took everything. */
export function shardsText(shards: readonly string[]): string {
  const [first] = shards;
  if (first === undefined) return "";
  const count = countOfJob(shards);
  if (shards.length === 1) return `shard ${first} of `;
  if (count === shards.length) return `all ${countText(count)} shards of `;
  if (shards.length > maxNamed) {
    return `${countText(shards.length)}${count === undefined ? "" : ` of ${countText(count)}`} shards of `;
  }
  return `shards ${shards.slice(0, -1).join(", ")} and ${shards.at(-1)} of `;
}

/** `shard 2/4 of /srv/a`: where the session files of a run are. */
export function placeText({ directories, shards }: Report["source"]): string {
  return `${shardsText(shards)}${directories.join(", ") || "no directory"}`;
}

/** How many shards of the job, if it has several, these leave out; and the first of them. */
export function missingShards(
  shards: readonly string[],
): { readonly count: number; readonly first: string } | undefined {
  const count = countOfJob(shards);
  if (count === undefined || shards.length >= count) return undefined;
  const known = new Set(shards);
  for (let number = 1; number <= count; number++) {
    const shard = `${number}/${count}`;
    if (!known.has(shard)) return { count: count - shards.length, first: shard };
  }
  return undefined;
}
