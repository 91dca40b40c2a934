import { rm } from "node:fs/promises";
import { connectRedis } from "../servers/redis-client.js";
import { redisCommand } from "../servers/redis-command.js";
import type { MadeSession } from "../sessions/make-sessions.js";
import { type ExitCodes, goesOn, impatience, type NamedFault, staysAway } from "./named-fault.js";
import { isOnCluster } from "./swept-cluster.js";
import type { SweptRedis } from "./swept-redis.js";
import { isBehindSentinel } from "./swept-sentinel.js";

/**
 * What forgot the sessions is given them again by a copy; a purge and a verification say what is
 * missing.
 */
const forgets: ExitCodes = (occasion) => {
  if (occasion.isOpening) return [3];
  if (occasion.swept.phases.includes("SET")) return [0];
  return occasion.swept.removes ? [4] : [3, 4];
};

/** A verification does not begin again: it says that what it saw counts for nothing. */
const restarts: ExitCodes = (occasion) => {
  const { phases, removes } = occasion.swept;
  return phases.includes("SET") || removes ? goesOn(occasion) : [0, 3];
};

/** Certain where sessions are being written; a verification does not notice. */
const refusesWrites: ExitCodes = ({ on, isBatch, swept }) => {
  // A second copy may find that every key of the lost reply exists, and go on.
  if (isBatch && on === "SET") return swept.afterCopy === undefined ? [5] : [0, 5];
  // A purge writes its canary key.
  const writes = swept.phases.includes("SET") || swept.removes || swept.afterCopy !== undefined;
  return writes ? [0, 5] : [0];
};

/** Certain in the middle of sessions; behind them nothing may be asked any more. */
const refusesAll: ExitCodes = ({ isBatch }) => (isBatch ? [5] : [0, 5]);

/** A replica may lack the last writes, and may be taken for the same Redis. */
const failsOver: ExitCodes = (occasion) => [...restarts(occasion), ...forgets(occasion)];
const failover = { forgets: true, changesHistory: true } as const;

const hashes = 3;
const longestFollowingMs = 1000;
const nothing = (): undefined => undefined;

/** What happens to Redis itself. */
export const redisFaults: readonly NamedFault[] = [
  ...(isBehindSentinel
    ? [
        act("is killed, and a replica takes its place", failsOver, (redis) => redis.failOver(true), failover),
        act("gives way to a replica", failsOver, (redis) => redis.failOver(false), failover),
      ]
    : []),
  act("is killed and forgets everything", forgets, killAndStart, { forgets: true, changesHistory: true }),
  act("is killed and has kept everything", restarts, killAndStart, {
    redisArgs: ["--appendonly", "yes", "--appendfsync", "always"],
    changesHistory: true,
  }),
  act("is killed for good", staysAway, (redis) => redis.kill(), {
    args: impatience,
    forgets: true,
  }),
  act("kills every client", goesOn, async (redis) => {
    await redis.command("CLIENT", "KILL", "USER", "default");
  }),
  act("pauses", goesOn, async (redis) => {
    await redis.command("CLIENT", "PAUSE", 300, "ALL");
  }),
  act(
    "is a replica for a while",
    restarts,
    async (redis) => {
      await redis.command("CONFIG", "SET", "replica-serve-stale-data", "no");
      await redis.command("REPLICAOF", "127.0.0.1", 1);
      redis.meanwhile(async () => {
        const refusals = /errorstat_(READONLY|MASTERDOWN)/;
        const giveUpAtMs = Date.now() + longestFollowingMs;
        // Who sees what it is may ask for nothing that it refuses.
        await redis.until(async () => Date.now() >= giveUpAtMs || refusals.test(await redis.info("errorstats")));
        await redis.command("REPLICAOF", "NO", "ONE");
      });
    },
    { changesHistory: true, needsSingleServer: true },
  ),
  act("takes no more clients for a while", goesOn, async (redis) => {
    const administrator = await connectRedis(redis.address);
    await administrator.pipeline([["CONFIG", "SET", "maxclients", 1]]);
    redis.meanwhile(async () => {
      const before = redis.connections();
      await redis.until(() => redis.connections() > before + 2);
      const restore = ["CONFIG", "SET", "maxclients", 1000];
      await administrator.pipeline([restore]).catch(() => redis.command(...restore));
      administrator.close();
    });
  }),
  act("is busy with a script for a while", goesOn, async (redis) => {
    await redis.command("CONFIG", "SET", "busy-reply-threshold", 1);
    const script = redisCommand(redis.address, "EVAL", "while true do end", 0).catch(nothing);
    redis.meanwhile(async () => {
      const before = redis.connections();
      await redis.until(() => redis.connections() > before + 1);
      await redis.command("SCRIPT", "KILL").catch(nothing);
      await script;
    });
  }),
  act(
    "loads its data again",
    goesOn,
    async (redis) => {
      await redis.command("DEBUG", "POPULATE", 200, "filler", 200);
      // One that cannot save to its disk has nothing to load.
      redis.meanwhile(() => redis.command("DEBUG", "RELOAD").then(nothing, nothing));
    },
    {
      redisArgs: [
        ...["--enable-debug-command", "yes", "--key-load-delay", "1000"],
        ...["--loading-process-events-interval-bytes", "1024"],
      ],
    },
  ),
  act("allows no output buffer for a while", goesOn, async (redis) => {
    await redis.command("CONFIG", "SET", "client-output-buffer-limit", "normal 1 1 0");
    redis.meanwhile(async () => {
      const before = redis.connections();
      await redis.until(() => redis.connections() > before + 1);
      await redis.command("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    });
  }),
  act("is out of memory", refusesWrites, async (redis) => {
    await redis.command("CONFIG", "SET", "maxmemory", 1_000_000);
  }),
  act(
    "evicts keys",
    // Where there is nothing yet that could be evicted, Redis has no room.
    ({ on, isBatch }) => (isBatch ? (on === "SET" ? [4, 5] : [4]) : [0, 4, 5]),
    async (redis) => {
      const used = Number(/used_memory:(\d+)/.exec(await redis.info("memory"))?.[1]);
      await redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-random");
      await redis.command("CONFIG", "SET", "maxmemory", used - 50_000);
    },
    { forgets: true },
  ),
  act(
    "cannot save to its disk",
    refusesWrites,
    async (redis) => {
      await rm(redis.directory, { recursive: true });
      await redis.command("CONFIG", "SET", "save", "3600 1");
      await redis.command("BGSAVE");
      await redis.until(async () => /rdb_last_bgsave_status:err/.test(await redis.info("persistence")));
    },
    { needsSingleServer: true },
  ),
  act("wants replicas", refusesWrites, async (redis) => {
    await redis.command("CONFIG", "SET", "min-replicas-to-write", 9);
  }),
  act("takes the right to write and read away", refusesAll, async (redis) => {
    await redis.command("ACL", "SETUSER", "default", "-@write", "-@read");
  }),
  act("takes the right to its keys away", refusesAll, async (redis) => {
    await redis.command("ACL", "SETUSER", "default", "resetkeys", "~other:*");
  }),
  act("has another password", refusesAll, async (redis) => {
    await redis.command("ACL", "SETUSER", "default", "resetpass", ">other");
  }),
  {
    name: "holds keys of another type",
    faults: (at, redis, { sessions }) => [
      { kind: "act", at: 1, reply: "forwarded", act: () => holdHashes(redis, sessions.slice(0, hashes)) },
      { kind: "cut-before", at },
    ],
    exitCodes: ({ isOpening }) => (isOpening ? [1, 3] : [1]),
    replacesKeys: true,
  },
];

/**
 * Something done to Redis; the reply on which it falls is lost, so that what was in flight is sent
 * again.
 */
function act(
  name: string,
  exitCodes: ExitCodes,
  action: (redis: SweptRedis) => Promise<void>,
  more: Partial<NamedFault> = {},
): NamedFault {
  return {
    ...more,
    name,
    exitCodes: (occasion) => [
      ...exitCodes(occasion),
      ...(occasion.isOpening ? [3] : []),
      // It happens to one node, and the reply may be another one's: the run may end well without it.
      ...(isOnCluster ? [0] : []),
    ],
    faults: (at, redis) => [{ kind: "act", at, act: () => redis.untilKilled(() => action(redis)), reply: "lost" }],
  };
}

async function killAndStart(redis: SweptRedis): Promise<void> {
  await redis.kill();
  await redis.startAgain();
}

async function holdHashes(redis: SweptRedis, sessions: readonly MadeSession[]): Promise<void> {
  for (const { sid } of sessions) {
    const key = `session:${sid}`;
    await redis.client.pipeline([
      ["DEL", key],
      ["HSET", key, "a", "hash"],
    ]);
  }
}
