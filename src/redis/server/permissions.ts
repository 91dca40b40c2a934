import type { Redis } from "ioredis";
import { isDenied, isReply } from "../redis-fault.js";
import { onEach, type RedisServers } from "../topology/redis-servers.js";
import { allowed } from "./server-info.js";

/** A command with its arguments, as it would be sent. */
export interface CommandUse {
  readonly words: readonly string[];
  /** Whether it may be sent to find out: it changes nothing. */
  readonly isHarmless: boolean;
}

/**
 * `key`: the key is denied, and perhaps the command. `absent`: the server does not know the
 * command, or hides it. `unknown`: it cannot be asked.
 */
export type Permission = "allowed" | "denied" | "key" | "absent" | "unknown";

/** What Redis says about the permissions of its user. */
export interface Permissions {
  /** One for each command, in order. */
  readonly all: readonly Permission[];
  /** Whether the user may run scripts. */
  readonly scripts: boolean;
}

/** Asks for each command without running it. Redis before 7.0 cannot compile or answer it. */
const askEach = `#!lua flags=no-writes
if not redis.acl_check_cmd then return false end
local answers = {}
for place, words in ipairs(cjson.decode(ARGV[1])) do
  local known, answer = pcall(redis.acl_check_cmd, unpack(words))
  answers[place] = not known and 'absent' or answer and 'allowed' or 'denied'
end
return answers`;

/** The worst comes first. */
const order: readonly Permission[] = ["denied", "key", "absent", "unknown", "allowed"];

/**
 * Asks every server what this user may do: what one of them denies counts as denied. Sends no
 * command that writes.
 */
export async function askPermissions(
  servers: Pick<RedisServers, "all">,
  uses: readonly CommandUse[],
): Promise<Permissions> {
  const answers = await onEach(servers, (client) => permissionsOn(client, uses));
  return {
    all: uses.map((_, use) => order.find((one) => answers.some(({ all }) => all[use] === one)) ?? "unknown"),
    scripts: answers.every(({ scripts }) => scripts),
  };
}

async function permissionsOn(client: Redis, uses: readonly CommandUse[]): Promise<Permissions> {
  const words = JSON.stringify(uses.map((use) => use.words));
  const answers = await allowed(() => client.eval(askEach, 0, words).catch(noAnswer));
  if (Array.isArray(answers)) return { all: answers.map(permissionOf), scripts: true };
  const all: Permission[] = [];
  for (const { words, isHarmless } of uses) {
    all.push(isHarmless ? await tryCommand(client, words) : "unknown");
  }
  return { all, scripts: answers !== undefined };
}

/** Returns null, as a server does that may not be asked, if the script is too new for the server. */
function noAnswer(error: unknown): null {
  if (isReply(error) && /compil/i.test(error.message)) return null;
  throw error;
}

function permissionOf(answer: unknown): Permission {
  return answer === "allowed" || answer === "absent" ? answer : "denied";
}

async function tryCommand(client: Redis, [name = "", ...args]: readonly string[]): Promise<Permission> {
  try {
    await client.call(name, ...args);
    return "allowed";
  } catch (error) {
    // A master of a Cluster checks permissions before it looks for the key.
    if (isReply(error) && /^(MOVED|ASK) /.test(error.message)) return "allowed";
    if (!isDenied(error) || !(error instanceof Error)) throw error;
    if (!error.message.startsWith("NOPERM")) return "absent";
    return /\bkeys?\b/.test(error.message) ? "key" : "denied";
  }
}

/** Whom Redis takes us for; `undefined` if it does not say. */
export async function askUserName(client: Redis): Promise<string | undefined> {
  const name = await allowed(() => client.call("ACL", "WHOAMI"));
  return typeof name === "string" ? name : undefined;
}
