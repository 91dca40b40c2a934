import { type Check, passed } from "../../model/check.js";
import { countOf } from "../../model/number-text.js";
import { askPersistence, askServerState } from "../../redis/server/server-state.js";
import { onEach } from "../../redis/topology/redis-servers.js";
import { countCopying } from "../other-runs.js";
import type { Run, RunRedis } from "../run-context.js";

/** Whether every server saves to its disk; `undefined` if one that may not does not say. */
export async function askWhetherSaved({ servers }: Pick<RunRedis, "servers">): Promise<boolean | undefined> {
  const saved = await onEach(servers, askPersistence);
  return saved.includes(false) ? false : saved.includes(undefined) ? undefined : true;
}

/** Whether the sessions survive a restart of Redis. */
export async function checkPersistence({ redis }: Run): Promise<Check> {
  const persists = await askWhetherSaved(redis);
  if (persists === true) return passed("persistence", "Redis saves to its disk");
  const warning = { name: "persistence", verdict: "warn", evenIfQuiet: true } as const;
  if (persists === undefined) {
    const found = "Redis does not say whether it saves to disk";
    const message =
      `${found}. If it does not, a restart of it after the removal logs everyone out; ` +
      "allow INFO and CONFIG GET to be sure";
    return { ...warning, found, remedy: "Allow INFO and CONFIG GET to be sure", message };
  }
  const found = "none: a Redis restart would log everyone out";
  const message =
    "Redis has no persistence (RDB or AOF). Once the files are removed, a Redis restart logs everyone out";
  return { ...warning, found, remedy: "Before a purge: CONFIG SET appendonly yes", message };
}

/** Whether as many replicas are in step as `--wait-replicas` asks for. */
export async function checkReplicas({ redis, options }: Run): Promise<Check> {
  const { waitReplicas } = options.removal;
  const states = await onEach(redis.servers, askServerState);
  const replicas = leastOf(states.map((state) => state.replicas));
  if (replicas === undefined) {
    return {
      name: "replicas",
      verdict: "fail",
      found: "Redis does not allow this user the command INFO, by which --wait-replicas sees what the replicas have",
      remedy: "Allow INFO, or leave out --wait-replicas",
      exitCode: 5,
    };
  }
  const who = states.length === 1 ? "Redis" : "a master";
  const found = `${who} has ${countOf(replicas, "replica")} in step with it`;
  if (replicas >= waitReplicas) return passed("replicas", found);
  return {
    name: "replicas",
    verdict: "fail",
    found: `${found}, and --wait-replicas asks for ${waitReplicas}`,
    remedy: "Start a replica, or ask for fewer",
    exitCode: 3,
  };
}

/** The smallest number; `undefined` if one is not known. */
export function leastOf(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((one) => one !== undefined);
  return known.length < numbers.length ? undefined : Math.min(...known);
}

/** Whether other runs can be seen, and copy the same directories. */
export async function checkOtherRuns({ redis, options }: Run): Promise<Check> {
  const others = await countCopying(redis);
  const name = "other runs";
  if (others === 0) return passed(name, "none");
  if (others !== undefined) {
    return {
      name,
      verdict: "fail",
      found: "another run copies this directory",
      remedy: "Nothing is removed meanwhile: wait until it has ended",
      evenIfQuiet: true,
      exitCode: 4,
      stopsLate: true,
    };
  }
  if (options.removal.alone) return passed(name, "cannot be seen; --alone promises that there is none");
  const found =
    "Redis does not show other connections to this user (CLIENT LIST is denied, or does not list our " +
    "own connection), so a purge cannot see whether a copy is still under way";
  const remedy = "Allow CLIENT LIST and CLIENT ID, or give --alone if no other run is copying this directory";
  const message = `${found}: nothing was removed. ${remedy}`;
  return { name, verdict: "fail", found, remedy, message, evenIfQuiet: true, exitCode: 5 };
}
