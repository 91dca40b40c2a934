import type { DirectoryFacts } from "../../model/mark.js";
import type { SessionFile } from "../../model/session-file.js";
import { isInShard, type Shard, wholeShard } from "../../model/shard.js";

/** What is known of the sessions of a shard. */
interface ShardFacts {
  readonly shard: Shard;
  readonly facts: DirectoryFacts;
}

/** What a run knows about the directory of a session, with the mark that counts for the session. */
export class FactsBySession {
  /** By directory, the latest mark first; last what holds for sessions without a mark. */
  readonly #known: ReadonlyMap<string, readonly ShardFacts[]>;

  constructor(directories: readonly DirectoryFacts[]) {
    this.#known = new Map(directories.map((facts) => [facts.directory, byShard(facts)]));
  }

  /** `undefined` if nothing is known of the directory. */
  of({ directory, sid }: Pick<SessionFile, "directory" | "sid">): DirectoryFacts | undefined {
    const known = this.#known.get(directory);
    if (known === undefined || known.length === 1) return known?.[0]?.facts;
    return known.find(({ shard }) => isInShard(sid, shard))?.facts;
  }
}

function byShard({ shardMarks, ...facts }: DirectoryFacts): readonly ShardFacts[] {
  if (shardMarks === undefined) return [{ shard: wholeShard, facts }];
  const { mark: _, ...withoutMark } = facts;
  const marked = shardMarks.map(({ shard, mark, changeTimesCount }) => ({
    shard,
    facts: { ...facts, mark, changeTimesCount },
  }));
  return [...marked, { shard: wholeShard, facts: withoutMark }];
}
