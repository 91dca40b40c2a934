import { setTimeout as sleep } from "node:timers/promises";
import { hashSlot, slotCount } from "../../../src/redis/topology/hash-slot.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../process/temporary-directory.js";
import { findFreePort } from "./free-port.js";
import type { RedisAddress, RedisArgument, RedisClient, RedisReply } from "./redis-client.js";
import { redisCommand, redisPipeline } from "./redis-command.js";
import { type RedisServer, startRedis } from "./redis-server.js";

/** A Redis Cluster of real servers that a test started. */
export interface RedisCluster {
  /** The masters it began with, and after them their replicas in the same order. */
  readonly nodes: readonly RedisServer[];
  /** Sends each command to the master of its second word. */
  readonly client: RedisClient;
  /** The masters as they are now. */
  masters(): Promise<readonly RedisServer[]>;
  /** The master of a slot. */
  masterOf(slot: number): Promise<RedisServer>;
  /** Sends a command to every master, and gives their replies. */
  onEach(...args: readonly RedisArgument[]): Promise<readonly RedisReply[]>;
  /** Moves a slot with its keys, as `redis-cli --cluster reshard` does. */
  moveSlot(slot: number, to: RedisServer): Promise<void>;
  /** Begins to move a slot, and ends it later: meanwhile both masters redirect. */
  beginMove(slot: number, to: RedisServer): Promise<{ end(): Promise<void> }>;
  /** Starts a killed node again, empty unless it persisted, with further switches. */
  restart(node: RedisServer, args?: readonly string[]): Promise<RedisServer>;
  /** Kills a master and waits until its replica took its place. */
  killMaster(master: RedisServer): Promise<void>;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  readonly masters?: number;
  readonly replicas?: number;
  /** Further switches of every redis-server. */
  readonly args?: readonly string[];
  /** Further switches of one of them. */
  readonly argsOfNode?: () => Promise<readonly string[]>;
  /** Who may do everything, if not everybody. */
  readonly login?: Pick<RedisAddress, "username" | "password">;
}

/** A node, and what it is started again with. */
interface Node {
  readonly server: RedisServer & RedisAddress;
  readonly busPort: number;
  readonly args: readonly string[];
  readonly id: string;
}

const nodeTimeoutMs = 1500;
const waitMs = 60_000;

/** Starts a Cluster on free ports, and waits until it serves every slot. */
export async function startCluster(options: ClusterOptions = {}): Promise<RedisCluster> {
  const { masters: masterCount = 3, replicas = masterCount, login = {} } = options;
  const nodes = await Promise.all(
    Array.from({ length: masterCount + replicas }, async (): Promise<Node> => {
      const busPort = await findFreePort();
      const args = [
        ...["--cluster-enabled", "yes", "--cluster-port", String(busPort)],
        ...["--cluster-node-timeout", String(nodeTimeoutMs), "--repl-diskless-sync-delay", "0"],
        ...["--cluster-allow-replica-migration", "no", ...(options.args ?? [])],
        ...((await options.argsOfNode?.()) ?? []),
      ];
      const server = await startRedis({ args, directory: makeTemporaryDirectory() });
      const address = { ...server, ...login };
      return { server: address, busPort, args, id: await idOf(address) };
    }),
  );
  try {
    await join(nodes, masterCount);
  } catch (error) {
    await Promise.all(nodes.map(({ server }) => server.stop()));
    throw error;
  }
  return new Cluster(nodes, login);
}

async function join(nodes: readonly Node[], masterCount: number): Promise<void> {
  const [first] = nodes;
  if (first === undefined) throw new Error("a Cluster has nodes");
  for (const [index, { server, busPort }] of nodes.entries()) {
    await redisCommand(server, "CLUSTER", "SET-CONFIG-EPOCH", index + 1);
    if (index < masterCount) {
      const [from, to] = [index, index + 1].map((at) => Math.floor((at * slotCount) / masterCount));
      await redisCommand(server, "CLUSTER", "ADDSLOTSRANGE", from ?? 0, (to ?? 0) - 1);
    }
    if (index > 0) await redisCommand(first.server, "CLUSTER", "MEET", server.host, server.port, busPort);
  }
  await until(async () => {
    const known = await Promise.all(nodes.map(({ server }) => nodesOf(server)));
    return known.every((some) => some.length === nodes.length);
  });
  for (const [index, { server }] of nodes.slice(masterCount).entries()) {
    const master = nodes[index % masterCount];
    if (master === undefined) throw new Error("no master");
    await redisCommand(server, "CLUSTER", "REPLICATE", await idOf(master.server));
  }
  await until(async () => {
    const infos = await Promise.all(nodes.map(({ server }) => redisCommand(server, "CLUSTER", "INFO")));
    const links = await Promise.all(
      nodes.slice(masterCount).map(({ server }) => redisCommand(server, "INFO", "replication")),
    );
    return (
      infos.every((info) => String(info).includes("cluster_state:ok")) &&
      links.every((info) => String(info).includes("master_link_status:up"))
    );
  });
}

class Cluster implements RedisCluster {
  readonly client = {
    pipeline: (commands: readonly (readonly RedisArgument[])[]) => this.#send(commands),
    close: () => undefined,
  };
  readonly #nodes: Node[];
  readonly #login: ClusterOptions["login"];

  constructor(nodes: readonly Node[], login: ClusterOptions["login"]) {
    this.#nodes = [...nodes];
    this.#login = login;
  }

  get nodes(): readonly (RedisServer & RedisAddress)[] {
    return this.#nodes.map(({ server }) => server);
  }

  async restart(node: RedisServer, more: readonly string[] = []): Promise<RedisServer> {
    const place = this.#nodes.findIndex(({ server }) => server === node);
    const known = this.#nodes[place];
    if (known === undefined) throw new Error("no node of this Cluster");
    const { port, directory } = known.server;
    const started = await startRedis({ port, directory, args: [...known.args, ...more] });
    const server = { ...started, ...this.#login };
    this.#nodes[place] = { ...known, server };
    return server;
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.nodes.map(async (server) => {
        await server.stop();
        removeTemporaryDirectory(server.directory);
      }),
    );
  }

  async masters(): Promise<readonly RedisServer[]> {
    return [...new Set(await this.#owners())].filter((one) => one !== undefined);
  }

  async masterOf(slot: number): Promise<RedisServer> {
    const master = (await this.#owners())[slot];
    if (master === undefined) throw new Error("a slot has no master");
    return master;
  }

  async onEach(...args: readonly RedisArgument[]): Promise<readonly RedisReply[]> {
    return Promise.all((await this.masters()).map((master) => redisCommand(master, ...args)));
  }

  async #send(commands: readonly (readonly RedisArgument[])[]): Promise<RedisReply[]> {
    const owners = await this.#owners();
    const replies: RedisReply[] = [];
    const places = [...commands.keys()];
    const ownerAt = (place: number) => owners[hashSlot(String(commands[place]?.[1]))];
    for (const owner of new Set(places.map(ownerAt))) {
      if (owner === undefined) throw new Error("a slot has no master");
      const own = places.filter((place) => ownerAt(place) === owner);
      const answers = await redisPipeline(
        owner,
        own.map((place) => commands[place] ?? []),
      );
      for (const [index, place] of own.entries()) replies[place] = answers[index] ?? null;
    }
    return replies;
  }

  async moveSlot(slot: number, to: RedisServer): Promise<void> {
    await (await this.beginMove(slot, to)).end();
  }

  async beginMove(slot: number, to: RedisServer) {
    const from = await this.masterOf(slot);
    const target = await idOf(to);
    await redisCommand(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", await idOf(from));
    await redisCommand(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", target);
    return {
      end: async () => {
        for (;;) {
          const keys = await redisCommand(from, "CLUSTER", "GETKEYSINSLOT", slot, 100);
          if (!Array.isArray(keys) || keys.length === 0) break;
          await redisCommand(from, "MIGRATE", to.host, to.port, "", 0, 5000, "KEYS", ...keys.map(String));
        }
        const others = (await this.masters()).filter((one) => one !== to && one !== from);
        for (const node of [to, from, ...others]) {
          await redisCommand(node, "CLUSTER", "SETSLOT", slot, "NODE", target);
        }
      },
    };
  }

  async killMaster(master: RedisServer): Promise<void> {
    process.kill(master.pid, "SIGKILL");
    await master.waitForEnd();
    await until(async () => !(await this.#owners()).includes(undefined));
    await until(async () => {
      const infos = await this.onEach("CLUSTER", "INFO");
      return infos.every((info) => String(info).includes("cluster_state:ok"));
    });
  }

  /**
   * The master of each slot, as it says itself. If slots move often, others may name the last one
   * for good.
   */
  async #owners(): Promise<readonly (RedisServer | undefined)[]> {
    const owners: (RedisServer | undefined)[] = Array.from({ length: slotCount });
    for (const { server, id } of this.#nodes) {
      for (const range of await slotsBy(server)) {
        const [first, last, master] = [range].flat();
        const [, , masterId] = [master ?? []].flat();
        if (String(masterId) === id) owners.fill(server, Number(first), Number(last) + 1);
      }
    }
    return owners;
  }
}

/** What a node says of the slots; nothing if it is not there. */
async function slotsBy(node: RedisServer): Promise<readonly RedisReply[]> {
  try {
    const ranges = await redisCommand(node, "CLUSTER", "SLOTS");
    return Array.isArray(ranges) ? ranges : [];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ECONNREFUSED") return [];
    throw error;
  }
}

async function nodesOf(server: RedisAddress): Promise<readonly string[]> {
  return String(await redisCommand(server, "CLUSTER", "NODES"))
    .trim()
    .split("\n");
}

async function idOf(server: RedisAddress): Promise<string> {
  return String(await redisCommand(server, "CLUSTER", "MYID"));
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + waitMs;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error("the Cluster does not get ready");
    await sleep(20);
  }
}
