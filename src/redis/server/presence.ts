import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { allowed } from "./server-info.js";

/** What a run is at, as other runs on the same Redis see it by the name of its connection. */
export type Phase = "copying" | "removing";

/** Who a run is to others. */
export interface Presence {
  /** What its session directories may be known by. */
  readonly places: readonly string[];
  /** Drawn at the start of the run. */
  readonly token: string;
}

/** The name that a connection carries: `tele-sessions:copying:<places>:<token>`. */
export function presenceName(phase: Phase, { places, token }: Presence): string {
  return `tele-sessions:${phase}:${scopesOf(places).join()}:${token}`;
}

/** Gives the connection its name; tells whether this user may. Throws what `redisFault` sorts. */
export async function announce(client: Redis, name: string): Promise<boolean> {
  return (await allowed(() => client.client("SETNAME", name))) !== undefined;
}

/** The run is over: others no longer count it, and it still finds itself in the list. Throws what `redisFault` sorts. */
export async function withdraw(client: Redis, { token }: Pick<Presence, "token">): Promise<void> {
  await announce(client, `tele-sessions:ended:${token}`);
}

/**
 * How many other connections copy what is known by one of these places, to whichever keys; `undefined` where the connections may not be looked at.
 * Throws what `redisFault` sorts.
 */
export async function countOthersCopying(
  client: Redis,
  { places, token }: Presence,
): Promise<number | undefined> {
  const scopes = new Set(scopesOf(places));
  return (await namesOfOthers(client, token))?.filter(
    (other) => other.phase === "copying" && other.scopes.some((scope) => scopes.has(scope)),
  ).length;
}

/**
 * Whether any other run writes or removes, in whichever directories and database; `undefined` where the connections may not be looked at. Throws what
 * `redisFault` sorts.
 */
export async function othersArePresent(
  client: Redis,
  { token }: Pick<Presence, "token">,
): Promise<boolean | undefined> {
  const others = await namesOfOthers(client, token);
  return others && others.length > 0;
}

/** What the name of another run's connection says. */
interface NameOfOther {
  readonly phase: string;
  /** Of its places, as names carry them. */
  readonly scopes: readonly string[];
}

/** `undefined` if the list is denied, or lacks our own connection: then a proxy or another server answered, and others may be missing too. */
async function namesOfOthers(client: Redis, token: string): Promise<readonly NameOfOther[] | undefined> {
  const list = await allowed(() => client.client("LIST"));
  if (typeof list !== "string" || !(await listsUs(client, list, token))) return undefined;
  const names = [...list.matchAll(/ name=tele-sessions:(copying|removing):([0-9a-f,]+):([0-9a-f]+) /g)];
  return names
    .filter(([, , , theirToken]) => theirToken !== token)
    .map(([, phase = "", scopes = ""]) => ({ phase, scopes: scopes.split(",") }));
}

/** Our connection is known by the token in its name; if it has no name, by its id. */
async function listsUs(client: Redis, list: string, token: string): Promise<boolean> {
  if (list.includes(`:${token} `)) return true;
  const id = await allowed(() => client.client("ID"));
  return id !== undefined && new RegExp(`^id=${id} .* name= `, "m").test(list);
}

function scopesOf(places: readonly string[]): string[] {
  return places.map((place) => createHash("sha256").update(place).digest("hex").slice(0, 16));
}
