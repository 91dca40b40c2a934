import { join } from "node:path";
import { hashSlot } from "../../../src/redis/topology/hash-slot.js";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import type { RedisCluster } from "../../support/servers/redis-cluster.js";
import { makeSessions, readManifest } from "../../support/sessions/make-sessions.js";

/** Made sessions, and the flags of a run from their directory to a Cluster. */
export interface ClusterGround {
  readonly directory: string;
  readonly manifest: string;
  readonly sessions: number;
  readonly flags: readonly string[];
  /** The hash slots of their keys. */
  readonly slots: readonly number[];
}

/** Makes sessions, and empties the Cluster. */
export async function clusterGround(cluster: RedisCluster, count: number): Promise<ClusterGround> {
  await cluster.onEach("FLUSHALL");
  const top = makeTemporaryDirectory();
  const [directory, manifest] = [join(top, "s"), join(top, "manifest")];
  // A file modified less than 2 s ago is not removed.
  await makeSessions(directory, { count, manifest, mtimes: "spread" });
  const slots: number[] = [];
  for await (const { sid } of readManifest(manifest)) slots.push(hashSlot(`session:${sid}`));
  return { directory, manifest, sessions: count, flags: flagsOf(directory, cluster), slots };
}

/** The flags of a run from a directory to a Cluster. */
export function flagsOf(directory: string, cluster: Pick<RedisCluster, "nodes">): string[] {
  // Any node leads to all, also a replica.
  const seed = cluster.nodes.at(-1);
  if (seed === undefined) throw new Error("a Cluster has nodes");
  return [...between(directory, seed), "--cluster", "--json"];
}

/** Moves slots to other masters until it is stopped. Settles once the last move has ended. */
export function keepMoving(cluster: RedisCluster, slots: readonly number[]): () => Promise<number> {
  let isOver = false;
  const moving = (async () => {
    let moved = 0;
    while (!isOver) {
      const masters = await cluster.masters();
      const to = masters[moved % masters.length];
      const slot = slots[moved % slots.length];
      if (to === undefined || slot === undefined) throw new Error("nothing to move");
      if ((await cluster.masterOf(slot)) !== to) await cluster.moveSlot(slot, to);
      moved++;
    }
    return moved;
  })();
  return () => {
    isOver = true;
    return moving;
  };
}
