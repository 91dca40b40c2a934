import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../process/temporary-directory.js";
import type { FaultProxy } from "../proxies/fault-proxy.js";
import {
  type RedisAddress,
  type RedisArgument,
  type RedisClient,
  type RedisReply,
  RedisReplyError,
} from "../servers/redis-client.js";
import type { RedisCluster } from "../servers/redis-cluster.js";
import { redisCommand, redisPipeline } from "../servers/redis-command.js";
import { type RedisServer, startRedis } from "../servers/redis-server.js";
import { announcePorts, isOnCluster, startSweptCluster } from "./swept-cluster.js";
import { isBehindSentinel, type SweptSentinel, startSweptSentinel } from "./swept-sentinel.js";

/** The Redis of one run, and what can be done to it past the proxy. */
export class SweptRedis {
  /** What the run under test knows. */
  static readonly password = "NotToBeShown";
  readonly #args: readonly string[];
  /** Absent if it is one server; else the faults happen to its first node. */
  readonly #cluster: RedisCluster | undefined;
  readonly #sentinel: SweptSentinel | undefined;
  readonly #errors: unknown[] = [];
  readonly #background: Promise<void>[] = [];
  /** The one to which faults happen. */
  #server: RedisServer;
  /** Behind a Sentinel, the one that may take its place. */
  #replica: RedisServer | undefined;
  /** Those before its servers, in the order of `ports`. */
  #proxies: readonly FaultProxy[] = [];
  #isOver = false;
  #kills = 0;
  #isKilled = false;

  private constructor(
    server: RedisServer,
    args: readonly string[],
    { cluster, sentinel }: { readonly cluster?: RedisCluster; readonly sentinel?: SweptSentinel } = {},
  ) {
    this.#server = server;
    this.#args = args;
    this.#cluster = cluster;
    this.#sentinel = sentinel;
  }

  static async start(args: readonly string[] = []): Promise<SweptRedis> {
    if (isOnCluster) {
      const cluster = await startSweptCluster([...rights, ...args], administrator);
      const [first] = cluster.nodes;
      if (first === undefined) throw new Error("a Cluster has nodes");
      return new SweptRedis(first, args, { cluster });
    }
    const server = await startWithRights(makeTemporaryDirectory(), args);
    if (!isBehindSentinel) return new SweptRedis(server, args);
    const redis = new SweptRedis(server, args, { sentinel: await startSweptSentinel() });
    redis.#replica = await redis.#startReplica(makeTemporaryDirectory());
    redis.#sentinel?.name(server.port);
    return redis;
  }

  /** Starts one that follows the server, and waits until it is in step. */
  async #startReplica(directory: string): Promise<RedisServer> {
    const replica = await startWithRights(directory, [...this.#args, "--repl-diskless-sync-delay", "0"]);
    await follow(replica, this.#server);
    const isInStep = async () =>
      String(await redisCommand({ ...replica, ...administrator }, "INFO", "replication")).includes(
        "master_link_status:up",
      );
    while (!(await isInStep())) await sleep(20);
    return replica;
  }

  /** Where its servers listen; the first one is that to which faults happen. */
  get ports(): readonly number[] {
    const others = this.#replica === undefined ? [] : [this.#replica.port];
    return this.#cluster?.nodes.map(({ port }) => port) ?? [this.port, ...others];
  }

  /** The flags by which a run finds it: through the proxies, if they stand before it. */
  get flags(): readonly string[] {
    if (this.#sentinel !== undefined) return this.#sentinel.flags;
    const [{ port } = this.#server] = this.#proxies;
    return ["--port", String(port), ...(this.#cluster === undefined ? [] : ["--cluster"])];
  }

  /** Reaches every key with every right. */
  get client(): RedisClient {
    if (this.#cluster !== undefined) return this.#cluster.client;
    return { pipeline: (commands) => redisPipeline(this.address, commands), close: () => undefined };
  }

  get directory(): string {
    return this.#server.directory;
  }

  get port(): number {
    return this.#server.port;
  }

  /** How to reach it with every right, whatever became of the right of others. */
  get address(): RedisAddress {
    return { port: this.port, ...administrator };
  }

  /** The proxies that stand before its servers. */
  async standBehind(proxies: readonly FaultProxy[]): Promise<void> {
    this.#proxies = proxies;
    this.#sentinel?.name(proxies[0]?.port ?? this.port);
    if (this.#cluster === undefined) return;
    await announcePorts(
      this.#cluster,
      proxies.map(({ port }) => port),
    );
  }

  /** No proxy stands before it any more. */
  standAlone(): Promise<void> {
    return this.standBehind([]);
  }

  /**
   * Sends a command, again and again while the server is not ready for it. Throws what it replies
   * else, and where it was killed.
   */
  async command(...args: readonly RedisArgument[]): Promise<RedisReply> {
    for (;;) {
      try {
        return await redisCommand(this.address, ...args);
      } catch (error) {
        if (this.#isKilled || (error instanceof RedisReplyError && !notReady.test(error.message))) throw error;
        await sleep(5);
      }
    }
  }

  async info(section: string): Promise<string> {
    return String(await this.command("INFO", section));
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#kills += 1;
    this.#isKilled = true;
    this.#proxies[0]?.expectNobody();
    process.kill(this.#server.pid, "SIGKILL");
    await this.#server.waitForEnd();
  }

  /** Whether none was started in the place of a killed one. */
  get isKilled(): boolean {
    return this.#isKilled;
  }

  /** Starts one in the place of a killed one: empty, where that one did not persist. */
  async startAgain(): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    this.#isKilled = false;
    const [proxy] = this.#proxies;
    const more = ["--cluster-announce-port", String(proxy?.port ?? 0)];
    this.#server =
      (await this.#cluster?.restart(this.#server, more)) ?? (await startWithRights(this.directory, this.#args));
    await this.untilLoaded();
    proxy?.redirect(this.port);
    if (this.#replica !== undefined) await follow(this.#replica, this.#server);
  }

  /**
   * Has the replica take the master's place. The old master, which may be killed first, becomes its
   * replica.
   */
  async failOver(isKilled: boolean): Promise<void> {
    const [old, next] = [this.#server, this.#replica];
    if (next === undefined) throw new Error("there is no replica");
    if (isKilled) await this.kill();
    await redisCommand({ ...next, ...administrator }, "REPLICAOF", "NO", "ONE");
    this.#server = next;
    this.#isKilled = false;
    this.#proxies = this.#proxies.toReversed();
    this.#sentinel?.name(this.#proxies[0]?.port ?? next.port);
    if (isKilled) {
      await mkdir(old.directory, { recursive: true });
      this.#replica = await this.#startReplica(old.directory);
      this.#proxies[1]?.redirect(this.#replica.port);
    } else {
      this.#replica = old;
      await follow(old, next);
      await redisCommand({ ...old, ...administrator }, "CLIENT", "KILL", "TYPE", "normal");
    }
  }

  /** Takes back whatever was configured, so that it works again. */
  async restore(): Promise<void> {
    await this.command("ACL", "SETUSER", "default", "resetkeys", "~*", "+@all", `>${SweptRedis.password}`);
    if (this.#cluster === undefined) await this.command("REPLICAOF", "NO", "ONE");
    for (const [name, value] of Object.entries(settings)) await this.command("CONFIG", "SET", name, value);
    for (const server of this.#cluster?.nodes ?? [this.address]) {
      const [, hashes] = [await redisCommand(server, "SCAN", 0, "COUNT", 10_000, "TYPE", "hash")].flat();
      for (const key of [hashes ?? []].flat()) await redisCommand(server, "DEL", String(key));
    }
  }

  /** Does something beside the run, which a kill may end; `finish` waits for it. */
  meanwhile(action: () => Promise<void>): void {
    const note = (error: unknown): void => {
      this.#errors.push(error);
    };
    this.#background.push(this.untilKilled(action).catch(note));
  }

  /**
   * Does something that a kill may end: what another connection came to may be one. Throws what
   * else goes wrong.
   */
  async untilKilled(action: () => Promise<void>): Promise<void> {
    const kills = this.#kills;
    try {
      await action();
    } catch (error) {
      if (this.#kills === kills && !this.#isKilled) throw error;
    }
  }

  /** Waits for a state, or for the end of the run. */
  async until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!this.#isOver && !(await isSo())) await sleep(5);
  }

  /** How many connections were made to the proxy so far. */
  connections(): number {
    return this.#proxies[0]?.connections() ?? 0;
  }

  /** Ends what is done beside the run, which has ended. Rejects with what went wrong in it. */
  async finish(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#background);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /** Waits until it has loaded what it saved. */
  async untilLoaded(): Promise<void> {
    try {
      await this.command("PING");
    } catch (error) {
      // One that refuses even that is as ready as it will be.
      if (!(error instanceof RedisReplyError)) throw error;
    }
  }

  async stop(): Promise<void> {
    this.#sentinel?.stop();
    await this.#replica?.stop();
    await (this.#cluster ?? this.#server).stop();
    for (const one of [this.#server, this.#replica]) if (one) removeTemporaryDirectory(one.directory);
  }
}

const notReady = /^(LOADING|BUSY|ERR max number of clients)/;

/** What faults change, as it was. */
const settings = {
  maxmemory: 0,
  "replica-serve-stale-data": "yes",
  "maxmemory-policy": "noeviction",
  maxclients: 1000,
  "min-replicas-to-write": 0,
  save: "",
  "client-output-buffer-limit": "normal 0 0 0",
};

const administrator = { username: "administrator", password: "administrator" };

const rights = [
  ...["--requirepass", SweptRedis.password, "--user", administrator.username, "on"],
  ...[`>${administrator.password}`, "~*", "&*", "+@all"],
];

/** A replica shows its master these. Only some have a master that asks. */
const asReplica = { masteruser: administrator.username, masterauth: administrator.password };

async function follow(replica: RedisServer, { port }: RedisServer): Promise<void> {
  const address = { ...replica, ...administrator };
  await redisCommand(address, "CONFIG", "SET", ...Object.entries(asReplica).flat());
  await redisCommand(address, "REPLICAOF", "127.0.0.1", port);
}

function startWithRights(directory: string, args: readonly string[]): Promise<RedisServer> {
  return startRedis({ directory, args: [...rights, ...args] });
}
