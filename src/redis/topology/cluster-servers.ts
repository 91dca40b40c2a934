import { RedisError, RedisForgotError } from "../../model/errors.js";
import { describeAddress, type HostAndPort, type RedisTarget } from "../../model/redis-target.js";
import { encodeCommand } from "../encode-command.js";
import { openConnection, openFirstConnection } from "../open-connection.js";
import { pause } from "../pause.js";
import { redisFault } from "../redis-fault.js";
import { type ResilienceOptions, ResilientConnection } from "../resilient-connection.js";
import { sendDirectly } from "../send-batch.js";
import { hasFollowed } from "../server/server-history.js";
import { allowed } from "../server/server-info.js";
import { hashSlot, slotCount } from "./hash-slot.js";
import { followRedirectionsOf } from "./redirections.js";
import { type RedisServer, RedisServers, type StateOfServer } from "./redis-servers.js";
import { askSlotRanges, type Redirection, redirectionOf, type SlotRange } from "./slot-ranges.js";

/** How often a command is sent on before the batch that it belongs to is sent again. */
const maxHops = 10;
const hopPauseMs = 20;
const asking = Buffer.from(encodeCommand("ASKING"), "latin1");

/** A master of the Cluster. After a failover it is the node that took its place. */
class Master implements RedisServer {
  address: HostAndPort;
  readonly connection: ResilientConnection;
  readonly #holds: (slot: number) => boolean;

  constructor(address: HostAndPort, connection: ResilientConnection, holds: (slot: number) => boolean) {
    this.address = address;
    this.connection = connection;
    this.#holds = holds;
  }

  get name(): string {
    return describeAddress(this.address);
  }

  keyHere(start: string): string {
    for (let suffix = 0; suffix < 100 * slotCount; suffix++) {
      const key = `${start}:${suffix}`;
      if (this.#holds(hashSlot(key))) return key;
    }
    throw new Error("a master without hash slots holds no key");
  }
}

/** A command of a batch, and the master that answered it last. */
interface Sent {
  readonly index: number;
  readonly from: Master;
}

/**
 * The masters of a Cluster, with a connection to each. The table of hash slots only says where a
 * command goes first: a master that does not hold its slot redirects it, and it is sent again.
 *
 * Slots that move between masters keep their keys. If a master is lost, restarted or replaced by its
 * replica, its last writes may be lost, and the run starts over (`RedisForgotError`).
 */
export class ClusterServers extends RedisServers {
  readonly #options: ResilienceOptions;
  /** The master of each slot; a slot that no master holds keeps its last one. */
  readonly #slots: (Master | undefined)[] = Array.from({ length: slotCount });
  /** The masters of all slots; `undefined` if that may have changed. */
  #holders: readonly Master[] | undefined;
  /** The masters by name. One whose slots have moved away stays, and may get others. */
  readonly #masters = new Map<string, Master>();
  protected readonly connections: ResilientConnection[] = [];
  /** Nodes that know the slots: the next one to ask comes first. */
  #nodes: readonly HostAndPort[] = [];
  #name: string | undefined;
  /** Masters that had followed another one before they were seen. */
  #strangers = 0;
  #acceptedStrangers = 0;
  #refreshing: Promise<void> | undefined;
  #isOpen = false;

  private constructor(options: ResilienceOptions) {
    super();
    this.#options = options;
    this.#name = options.name;
  }

  /** Throws `RedisError` at once if the Cluster cannot be reached or refuses us. */
  static async open(options: ResilienceOptions): Promise<ClusterServers> {
    const { target, onWarning } = options;
    const { client, warnings } = await openFirstConnection(target);
    for (const warning of warnings) onWarning(warning);
    const cluster = new ClusterServers(options);
    try {
      await cluster.#apply(await askSlotRanges(client, addressOf(target)));
    } catch (error) {
      await cluster.close();
      throw error;
    } finally {
      client.disconnect();
    }
    cluster.#acceptedStrangers = cluster.#strangers;
    cluster.#isOpen = true;
    return cluster;
  }

  get all(): readonly Master[] {
    this.#holders ??= [...new Set(this.#slots)].filter((one) => one !== undefined);
    return this.#holders;
  }

  override get dataEpoch(): number {
    return super.dataEpoch + this.#strangers;
  }

  serverOf(key: string): Master {
    // Any node says who holds a slot that nobody held when it was asked.
    const master = this.#slots[hashSlot(key)] ?? this.all[0];
    if (master === undefined) throw clusterDown();
    return master;
  }

  override async acceptCurrentData(): Promise<void> {
    this.#acceptedStrangers = this.#strangers;
    await super.acceptCurrentData();
  }

  override async checkData(): Promise<readonly StateOfServer[]> {
    this.#refuseStrangers();
    return super.checkData();
  }

  override async rename(name: string): Promise<void> {
    this.#name = name;
    await super.rename(name);
  }

  /** What a master that was never seen before holds may lack what the one before it confirmed. */
  #refuseStrangers(): void {
    if (this.#strangers === this.#acceptedStrangers) return;
    this.#acceptedStrangers = this.#strangers;
    throw new RedisForgotError();
  }

  /** Asks the nodes for the table of slots, one after the other until one answers. */
  #refresh(lost?: Master): Promise<void> {
    this.#refreshing ??= this.#askNodes(lost).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #askNodes(lost: Master | undefined): Promise<void> {
    const isLost = (node: HostAndPort) => describeAddress(node) === lost?.name;
    const nodes = [...this.#nodes.filter((one) => !isLost(one)), ...this.#nodes.filter(isLost)];
    const failures: unknown[] = [];
    for (const node of nodes) {
      // A node may be cut off from the others and know only what was: the next time, ask another.
      this.#nodes = [...this.#nodes.filter((one) => one !== node), node];
      try {
        const { client } = await openConnection({ ...this.#options.target, address: node });
        try {
          return await this.#apply(await askSlotRanges(client, node));
        } finally {
          client.disconnect();
        }
      } catch (error) {
        if (error instanceof RedisForgotError) throw error;
        failures.push(error);
      }
    }
    // As long as one node may come back, so may the Cluster.
    throw failures.find((error) => redisFault(error).kind === "transient") ?? failures[0] ?? clusterDown();
  }

  /** Takes over a table of slots. */
  async #apply(ranges: readonly SlotRange[]): Promise<void> {
    if (ranges.length === 0) throw clusterDown();
    const nodes = ranges.flatMap(({ master, replicas }) => [master, ...replicas]);
    const known = new Map([...this.#nodes, ...nodes].map((node) => [describeAddress(node), node]));
    this.#nodes = [...known.values()];
    const holders = new Set(ranges.map(({ master }) => describeAddress(master)));
    for (const { first, last, master: address } of ranges) {
      const before = this.#slots.slice(first, last + 1);
      const replaced = before.find((one) => one !== undefined && !holders.has(one.name));
      const master = this.#masters.get(describeAddress(address)) ?? (await this.#addMaster(address, replaced));
      this.#slots.fill(master, first, last + 1);
      this.#holders = undefined;
    }
  }

  /** `replaced`: the master whose place it takes; `undefined` if it takes none. */
  async #addMaster(address: HostAndPort, replaced: Master | undefined): Promise<Master> {
    if (replaced !== undefined) {
      // Its connection shows whether the data is the same once it leads here.
      this.#masters.delete(replaced.name);
      replaced.address = address;
      this.#masters.set(replaced.name, replaced);
      return replaced;
    }
    const master = await this.#connect(address);
    this.#masters.set(master.name, master);
    if (hasFollowed(master.connection.dataId)) this.#strangers++;
    return master;
  }

  async #connect(address: HostAndPort): Promise<Master> {
    const { listener, ...options } = this.#options;
    const targetAt = (node: HostAndPort): RedisTarget => ({ ...options.target, address: node });
    const connection = await ResilientConnection.open({
      ...options,
      target: targetAt(address),
      ...(this.#name === undefined ? {} : { name: this.#name }),
      ...(listener === undefined
        ? {}
        : { listener: { ...listener, onState: (state) => listener.onState(state, master.name) } }),
      onWarning: () => undefined,
      onOpen: (client) =>
        followRedirectionsOf(client, (replies, commandAt) => this.#follow(master, replies, commandAt)),
      locate: async () => {
        await this.#refresh(master);
        if (this.#masters.get(master.name) !== master || !this.all.includes(master)) {
          // Others took its slots, and perhaps not its keys.
          this.#masters.delete(master.name);
          throw new RedisForgotError();
        }
        return targetAt(master.address);
      },
    }).catch((error: unknown) => {
      // A master that cannot be reached during the run may come back, or be replaced.
      throw this.#isOpen && error instanceof RedisError && error.kind === "unavailable" ? clusterDown() : error;
    });
    this.connections.push(connection);
    const master: Master = new Master(address, connection, (slot) => this.#slots[slot] === master);
    return master;
  }

  /** Sends commands that a master redirected to where they belong, until none is redirected. */
  async #follow(
    master: Master,
    first: readonly unknown[],
    commandAt: (index: number) => Buffer,
  ): Promise<readonly unknown[]> {
    if (!first.some((reply) => redirectionOf(reply, master.address))) return first;
    const replies = [...first];
    let open: readonly Sent[] = [...replies.keys()].map((index) => ({ index, from: master }));
    for (let hop = 0; ; hop++) {
      const sent: Sent[] = [];
      const groups = new Map<string, { readonly to: Redirection; readonly some: number[] }>();
      for (const { index, from } of open) {
        const to = redirectionOf(replies[index], from.address);
        if (to === undefined) continue;
        const name = `${to.kind} ${describeAddress(to.to)}`;
        const group = groups.get(name) ?? { to, some: [] };
        groups.set(name, group);
        group.some.push(index);
        if (to.kind === "MOVED") this.#moved(to);
      }
      if (groups.size === 0) return replies;
      if (hop === maxHops) throw Object.assign(new Error("redirected too often"), { code: "EMOVING" });
      if (hop > 1) await pause(hopPauseMs * hop, this.#options.stop);
      for (const { to, some } of groups.values()) {
        const next = await this.#masterAt(to.to);
        const commands = some.map(commandAt);
        const isAsk = to.kind === "ASK";
        const answers = await sendTo(next, isAsk ? commands.flatMap((one) => [asking, one]) : commands);
        for (const [at, index] of some.entries()) {
          replies[index] = answers[isAsk ? 2 * at + 1 : at];
          sent.push({ index, from: next });
        }
      }
      open = sent;
    }
  }

  #moved({ slot, to }: Redirection): void {
    const master = this.#masters.get(describeAddress(to));
    if (master === undefined || this.#slots[slot] === master) return;
    this.#slots[slot] = master;
    this.#holders = undefined;
  }

  /** The master at an address. A node that gets its first slot is not in the table yet. */
  async #masterAt(address: HostAndPort): Promise<Master> {
    const known = this.#masters.get(describeAddress(address));
    if (known !== undefined) return known;
    await this.#refresh();
    const master = this.#masters.get(describeAddress(address)) ?? (await this.#addMaster(address, undefined));
    this.#refuseStrangers();
    return master;
  }
}

/** Sends commands to a master once it answers. Their errors come as values. */
async function sendTo({ connection }: Master, commands: readonly Buffer[]): Promise<unknown[]> {
  const client = await connection.run(async (open) => {
    await allowed(() => open.ping());
    return open;
  });
  return sendDirectly(client, Buffer.concat(commands), commands.length);
}

function addressOf({ address }: RedisTarget): HostAndPort {
  if (!("host" in address)) throw new Error("a Cluster has neither a Unix socket nor a Sentinel");
  return address;
}

function clusterDown(): Error {
  return Object.assign(new Error("no node knows the slots"), { code: "ECLUSTERDOWN" });
}
