import { RedisError, RedisForgotError } from "../../model/errors.js";
import { pause } from "../../redis/pause.js";
import { askReplicationOffset, replicasAreInStep } from "../../redis/server/server-state.js";
import { onEach } from "../../redis/topology/redis-servers.js";
import { countCopying } from "../other-runs.js";
import type { Run } from "../run-context.js";

const checkEveryMs = 250;

/**
 * What stands between the proof and the removal: nobody else copies the directories, the replicas
 * have everything, and Redis still holds what it confirmed. Serves one attempt at a purge.
 */
export class RemovalGate {
  readonly #run: Run;
  readonly #dataEpoch: number;
  #isFirst = true;

  constructor(run: Run) {
    this.#run = run;
    this.#dataEpoch = run.redis.servers.dataEpoch;
  }

  /**
   * Waits until nobody else copies the directories; `false` if that takes too long. Throws
   * `RedisError`.
   */
  async open(): Promise<boolean> {
    const { servers, peers } = this.#run.redis;
    if (this.#run.options.run.dryRun) {
      // What would stop the purge is no success of its dry run either.
      if ((await countOtherCopies(this.#run)) > 0) this.#run.record.partial = true;
      return true;
    }
    await servers.rename(peers.ownName("removing"));
    if (!servers.announced) {
      this.#run.out.warn("CLIENT SETNAME is denied: other runs cannot see this purge, so start none before it is over");
    }
    return this.#waitForOtherCopies();
  }

  /** Whether files may be removed now. Throws `RedisForgotError` and `RedisError`. */
  async confirmBeforeBatch(): Promise<boolean> {
    // A copy may have begun after the proof.
    if (!(await this.#waitForOtherCopies())) return false;
    if (this.#isFirst) await this.#run.redis.marks.noteRemoval();
    this.#isFirst = false;
    await this.#waitForReplicas();
    return (await this.checkRedisIntact()) && !this.#run.stop.aborted;
  }

  /**
   * Whether Redis evicted nothing. Throws `RedisForgotError` if it may have lost more, and
   * `RedisError`.
   */
  async checkRedisIntact(): Promise<boolean> {
    const { servers, continuity } = this.#run.redis;
    const continued = await continuity.check();
    if (servers.dataEpoch !== this.#dataEpoch) throw new RedisForgotError();
    return continued === "intact";
  }

  /** A copy under way would take our removal for a logout, and delete its key. */
  async #waitForOtherCopies(): Promise<boolean> {
    const { options, out, stop } = this.#run;
    const sinceMs = Date.now();
    const untilMs = sinceMs + options.run.retryForMs;
    for (let told = false; !stop.aborted; told = true) {
      const others = await countOtherCopies(this.#run);
      if (others === 0) {
        out.progress.goOn("other-run");
        return true;
      }
      if (Date.now() >= untilMs) {
        out.warn("another run still copies this directory: nothing was removed", { evenIfQuiet: true });
        return false;
      }
      if (!told) out.warn("another run copies this directory: nothing is removed until it has ended");
      out.progress.wait({ target: "other-run", why: "it copies this directory", sinceMs, untilMs });
      await pause(checkEveryMs, stop);
    }
    return false;
  }

  async #waitForReplicas(): Promise<void> {
    const { redis, options, out, stop } = this.#run;
    const { waitReplicas } = options.removal;
    if (waitReplicas === 0) return;
    const sinceMs = Date.now();
    const untilMs = sinceMs + options.run.retryForMs;
    const offsets = new Map(
      await onEach(redis.servers, async (client, server) => [server, await askReplicationOffset(client)]),
    );
    const areInStep = () =>
      onEach(redis.servers, (client, server) =>
        replicasAreInStep(client, waitReplicas, offsets.get(server) ?? Number.POSITIVE_INFINITY),
      );
    while ((await areInStep()).includes(false)) {
      out.progress.wait({ target: "replicas", why: `fewer than ${waitReplicas} are in step`, sinceMs, untilMs });
      if (Date.now() >= untilMs || stop.aborted) {
        throw new RedisError(
          "unavailable",
          `fewer than ${waitReplicas} replicas have what was written: nothing was removed`,
        );
      }
      await pause(checkEveryMs, stop);
    }
    out.progress.goOn("replicas");
  }
}

/**
 * Counts other runs that copy these directories. Throws `RedisError` if they cannot be seen and
 * `--alone` is not given.
 */
export async function countOtherCopies({ redis, options }: Run): Promise<number> {
  const others = await countCopying(redis);
  if (others !== undefined) return others;
  if (options.removal.alone) return 0;
  throw new RedisError(
    "refused",
    "Redis does not show other connections to this user (CLIENT LIST is denied, or does not list our " +
      "own connection), so a purge cannot see whether a copy is still under way: nothing was removed. " +
      "Allow CLIENT LIST, or give --alone if no other run is copying this directory",
  );
}
