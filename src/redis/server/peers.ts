import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { overlap, type Shard, wholeShard } from "../../model/shard.js";
import { allowed } from "./server-info.js";

/** What a run is doing, as other runs see it in the name of its connection. */
export type Phase = "copying" | "removing";

/** How other runs recognise a run. */
export interface PeerIdentity {
  /** What its session directories may be known by. */
  readonly places: readonly string[];
  /** The part of the sessions that it takes; null for all. */
  readonly shard: Shard | null;
  /** Hexadecimal, drawn at the start of the run. */
  readonly token: string;
}

/** Names the connection. Returns whether this user may. */
export async function announce(client: Redis, name: string): Promise<boolean> {
  return (await allowed(() => client.client("SETNAME", name))) !== undefined;
}

/** The other runs on this Redis. Runs see each other by the names of their connections. */
export class PeerRuns {
  /** The places of this run, as names carry them. */
  readonly #scopes: readonly string[];
  readonly #shard: Shard | null;
  readonly #token: string;

  constructor({ places, shard, token }: PeerIdentity) {
    this.#scopes = places.map(scopeOf);
    this.#shard = shard;
    this.#token = token;
  }

  /**
   * The name of this run's connection: `tele-sessions:copying:<scopes>:<token>`. The shard stands
   * among the scopes, so that versions without shards take the run for one over everything.
   */
  ownName(phase: Phase): string {
    const shard = this.#shard === null ? [] : [scopeOfShard(this.#shard)];
    return `tele-sessions:${phase}:${[...this.#scopes, ...shard].join()}:${this.#token}`;
  }

  /** Says that this run is over: others stop counting it, but it still finds itself in the list. */
  async withdraw(client: Redis): Promise<void> {
    await announce(client, `tele-sessions:ended:${this.#token}`);
  }

  /**
   * How many other runs copy sessions of this run's shard from one of the same places, to any keys.
   * Runs over other shards are in nobody's way: they share no sid. `undefined` if the connections
   * may not be listed.
   */
  async countCopying(client: Redis): Promise<number | undefined> {
    return (await this.#others(client))?.filter(
      ({ phase, scopes, shard }) =>
        phase === "copying" &&
        scopes.some((scope) => this.#scopes.includes(scope)) &&
        overlap(shard, this.#shard ?? wholeShard),
    ).length;
  }

  /**
   * Whether any other run writes or removes, in any directory and database. `undefined` if the
   * connections may not be listed.
   */
  async areThere(client: Redis): Promise<boolean | undefined> {
    const others = await this.#others(client);
    return others && others.length > 0;
  }

  /**
   * `undefined` if the list is denied, or lacks our own connection: then a proxy or another server
   * answered, and other runs may be missing too.
   */
  async #others(client: Redis): Promise<readonly Peer[] | undefined> {
    const list = await allowed(() => client.client("LIST"));
    if (typeof list !== "string" || !(await this.#isIn(list, client))) return undefined;
    const names = [...list.matchAll(/ name=tele-sessions:(copying|removing):([0-9a-f,]+):([0-9a-f]+) /g)];
    return names
      .filter(([, , , token]) => token !== this.#token)
      .map(([, phase = "", scopes = ""]) => {
        const all = scopes.split(",");
        const shard = all.map(shardOfScope).find((one) => one !== undefined) ?? wholeShard;
        return { phase, scopes: all, shard };
      });
  }

  /** Our connection is known by the token in its name; without a name, by its id. */
  async #isIn(list: string, client: Redis): Promise<boolean> {
    if (list.includes(`:${this.#token} `)) return true;
    const id = await allowed(() => client.client("ID"));
    return id !== undefined && new RegExp(`^id=${id} .* name= `, "m").test(list);
  }
}

/** What the name of another run's connection says. */
interface Peer {
  readonly phase: string;
  readonly scopes: readonly string[];
  readonly shard: Shard;
}

/** Index and count, 12 hexadecimal digits each: the scope of a place has 16. */
function scopeOfShard({ index, count }: Shard): string {
  return [index, count].map((number) => number.toString(16).padStart(12, "0")).join("");
}

function shardOfScope(scope: string): Shard | undefined {
  const [, index, count] = /^([0-9a-f]{12})([0-9a-f]{12})$/.exec(scope) ?? [];
  if (index === undefined || count === undefined) return undefined;
  const shard = { index: Number.parseInt(index, 16), count: Number.parseInt(count, 16) };
  return shard.index < shard.count ? shard : undefined;
}

function scopeOf(place: string): string {
  return createHash("sha256").update(place).digest("hex").slice(0, 16);
}
