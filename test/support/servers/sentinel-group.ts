import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import { findFreePort } from "./free-port.js";
import { type RedisAddress, RedisReplyError } from "./redis-client.js";
import { redisCommand, redisPipeline } from "./redis-command.js";
import { type RedisServer, type RedisServerOptions, startRedis } from "./redis-server.js";

/** One master, two replicas and three Sentinels, which a test started. */
export interface SentinelGroup {
  readonly masterName: string;
  /** Every server that can be the master; killed ones too. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** The flags that name the Sentinels and the master. */
  readonly flags: readonly string[];
  /** The master, as most of the Sentinels name it. */
  master(): Promise<RedisServer>;
  /** Kills the master, and returns the next one once the Sentinels name it and it takes writes. */
  killMaster(): Promise<RedisServer>;
  /** Has the Sentinels make a replica the master. Returns it once it takes writes. */
  failOver(): Promise<RedisServer>;
  /** Starts killed servers again, and waits until both replicas are in step. */
  heal(): Promise<void>;
  stop(): Promise<void>;
}

export interface SentinelGroupOptions {
  /** Further switches of every Redis server. */
  readonly args?: readonly string[];
  /** The switches that give every server its certificate; then each listens with TLS only. */
  readonly tls?: readonly string[];
  /** Further lines of each Sentinel's configuration. */
  readonly lines?: readonly string[];
  /** How the test itself logs in to the servers. */
  readonly login?: Omit<RedisAddress, "host" | "port" | "path">;
  /** How the test itself logs in to the Sentinels. */
  readonly sentinelLogin?: Omit<RedisAddress, "host" | "port" | "path">;
}

export const masterName = "sessions";
/** On a busy machine a server may not answer for a second, and that must not count as down. */
const downAfterMs = 3000;
/** A Sentinel that falls behind the clock only looks on for 30 s. */
const electionMs = 120_000;

/** Starts a Sentinel by itself, which names that master. */
export function startSentinelOf({ host, port }: RedisServer): Promise<RedisServer> {
  const file = join(makeTemporaryDirectory(), "sentinel.conf");
  writeFileSync(file, `sentinel monitor ${masterName} ${host} ${port} 1\n`);
  return startRedis({ sentinel: file });
}

/** Starts them on free ports of 127.0.0.1, and waits until all know each other. */
export async function startSentinelGroup(options: SentinelGroupOptions = {}): Promise<SentinelGroup> {
  const { args = [], lines = [], login = {}, sentinelLogin = {}, tls } = options;
  const top = makeTemporaryDirectory();
  const fast = ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", ...args];
  const start = async (more: RedisServerOptions, given?: number): Promise<RedisServer> => {
    const port = given ?? (await findFreePort());
    const withTls =
      tls === undefined ? [] : ["--tls-port", String(port), "--port", "0", "--tls-replication", "yes", ...tls];
    return startRedis({ ...more, port, args: [...withTls, ...(more.args ?? [])] });
  };
  const first = await start({ args: fast });
  const following = [...fast, "--replicaof", `127.0.0.1 ${first.port}`];
  const servers = [first, await start({ args: following }), await start({ args: following })];
  const killed = new Set<RedisServer>();
  const configuration = [
    `sentinel monitor ${masterName} 127.0.0.1 ${first.port} 2`,
    `sentinel down-after-milliseconds ${masterName} ${downAfterMs}`,
    `sentinel failover-timeout ${masterName} 3000`,
    `sentinel parallel-syncs ${masterName} 2`,
    ...lines,
  ];
  const sentinels = await Promise.all(
    [1, 2, 3].map((number) => {
      const directory = join(top, `sentinel-${number}`);
      mkdirSync(directory);
      const file = join(directory, "sentinel.conf");
      writeFileSync(file, `${configuration.join("\n")}\n`);
      return start({ sentinel: file, directory });
    }),
  );
  const ask = (sentinel: RedisServer, ...words: readonly string[]) =>
    redisCommand({ path: sentinel.socketPath, ...sentinelLogin }, "SENTINEL", ...words);
  const tell = (server: RedisServer, ...words: readonly (string | number)[]) =>
    redisCommand({ path: server.socketPath, ...login }, ...words);
  const fieldOf = async (sentinel: RedisServer, name: string): Promise<string> => {
    const fields = ((await ask(sentinel, "MASTER", masterName)) as readonly Buffer[]).map(String);
    return fields[fields.indexOf(name) + 1] ?? "";
  };
  const living = () => servers.filter((server) => !killed.has(server));
  const named = async (sentinel: RedisServer): Promise<number> =>
    Number(((await ask(sentinel, "GET-MASTER-ADDR-BY-NAME", masterName)) as readonly Buffer[])[1]);
  const isMaster = async (server: RedisServer): Promise<boolean> =>
    String(await tell(server, "INFO", "replication")).includes("role:master");
  const agreed = async (except?: RedisServer): Promise<RedisServer | undefined> => {
    const ports = await Promise.all(sentinels.map(named));
    const server = living().find(({ port }) => ports.every((one) => one === port));
    return server !== undefined && server !== except && (await isMaster(server)) ? server : undefined;
  };
  const untilAgreed = async (except?: RedisServer): Promise<RedisServer> => {
    let found: RedisServer | undefined;
    await waitUntil("the Sentinels name one master", async () => {
      found = await agreed(except);
      return found !== undefined;
    });
    if (found === undefined) throw new Error("unreachable");
    return found;
  };
  const group: SentinelGroup = {
    masterName,
    servers,
    sentinels,
    flags: [
      ...sentinels.flatMap(({ host, port }) => ["--sentinel", `${host}:${port}`]),
      ...["--sentinel-master", masterName],
    ],
    master: () => untilAgreed(),
    killMaster: async () => {
      const master = await untilAgreed();
      killed.add(master);
      process.kill(master.pid, "SIGKILL");
      await master.waitForEnd();
      return untilAgreed(master);
    },
    failOver: async () => {
      const master = await untilAgreed();
      const [sentinel] = sentinels;
      if (sentinel === undefined) throw new Error("There is no Sentinel.");
      // It refuses while it knows of no good replica or the last failover is not over yet, and gives
      // up one that takes too long.
      const hasBegun = async () => {
        if ((await named(sentinel)) !== master.port) return true;
        await ask(sentinel, "FAILOVER", masterName).catch((error) => {
          if (!(error instanceof RedisReplyError)) throw error;
        });
        await sleep(500);
        return false;
      };
      await waitUntil("a Sentinel names another master", hasBegun);
      return untilAgreed(master);
    },
    heal: async () => {
      const master = await untilAgreed();
      for (const server of killed) {
        const args = [...fast, "--replicaof", `127.0.0.1 ${master.port}`];
        servers[servers.indexOf(server)] = await start({ args }, server.port);
      }
      killed.clear();
      // The Sentinels would do that too, but take ten seconds.
      for (const server of servers) {
        const info = String(await tell(server, "INFO", "replication"));
        if (server !== master && !info.includes(`master_port:${master.port}\r`)) {
          await tell(server, "REPLICAOF", "127.0.0.1", master.port);
        }
      }
      await untilInStep(master);
    },
    stop: async () => {
      await Promise.all([...sentinels, ...servers].map((server) => server.stop()));
    },
  };
  const untilInStep = async (master: RedisServer): Promise<void> => {
    // Offsets in INFO are never equal for long: Sentinels publish through the master.
    const inStep = async () => {
      const commands = [
        ["SET", "heal", "1"],
        ["DEL", "heal"],
        ["WAIT", 2, 1000],
      ];
      return (await redisPipeline({ path: master.socketPath, ...login }, commands)).at(-1) === 2;
    };
    await waitUntil("both replicas are in step", inStep);
    const allKnow = async () =>
      (await Promise.all(sentinels.map((one) => fieldOf(one, "num-slaves")))).every((n) => Number(n) >= 2) &&
      (await Promise.all(sentinels.map((one) => fieldOf(one, "num-other-sentinels")))).every((n) => n === "2");
    await waitUntil("all Sentinels know each other", allKnow);
  };
  try {
    await untilInStep(first);
    return group;
  } catch (error) {
    await group.stop();
    throw error;
  }
}

async function waitUntil(state: string, isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAtMs = Date.now() + electionMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAtMs) throw new Error(`It did not come to this: ${state}.`);
    await sleep(20);
  }
}
