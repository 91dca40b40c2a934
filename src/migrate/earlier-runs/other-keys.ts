import { isSigned } from "../../convert/sign.js";
import type { Explanation } from "../../model/errors.js";
import type { RedisTarget } from "../../model/redis-target.js";
import { showable } from "../../model/showable.js";
import type { StoredText } from "../../model/stored-value.js";
import { type KeySurvey, surveyDatabase } from "../../redis/survey-keys.js";
import type { Run } from "../run-context.js";

/** More databases than this are rare, and each takes a connection. */
const maxDatabases = 4;
const minKeys = 5;

/** Whether these keys expire on whole seconds, as in some stores: no sign survives there. */
export function areWholeSeconds(keys: readonly StoredText[], clockLeadMs: number): boolean {
  const instants = keys.flatMap(({ expiresAtMs }) => (expiresAtMs === null ? [] : [expiresAtMs + clockLeadMs]));
  return instants.length >= minKeys && instants.every((instant) => instant % 1000 === 0);
}

/** A key that a server saved; `undefined` if there is none, or if no sign survives here. */
function serverSavedOf<Key extends StoredText>(keys: readonly Key[], clockLeadMs: number): Key | undefined {
  return areWholeSeconds(keys, clockLeadMs) ? undefined : keys.find((key) => !isSigned(key, clockLeadMs));
}

/** The first of these databases in which a server saves sessions; `undefined` if none is known. */
export async function findServerDatabase(
  target: RedisTarget,
  databases: readonly number[],
  clockLeadMs: number,
): Promise<number | undefined> {
  for (const db of databases.filter((one) => one !== target.db).slice(0, maxDatabases)) {
    const keys = await surveyDatabase({ ...target, db }, clockLeadMs);
    if (serverSavedOf(keys, clockLeadMs) !== undefined) return db;
  }
  return undefined;
}

/**
 * Where a server saves its sessions if not under the keys that this run writes: under other keys,
 * or in another database. `undefined` if that is not known.
 */
export function explainOtherKeys(
  { own, others }: KeySurvey,
  { options, files, redis }: Pick<Run, "options" | "files" | "redis">,
): Explanation | undefined {
  const { keyPrefix, clockLeadMs } = files.conversion;
  const { prefix, redis: target } = options.target;
  const { serverDatabase } = redis;
  const other = serverSavedOf(others, clockLeadMs);
  if (serverSavedOf(own, clockLeadMs) !== undefined) return undefined;
  if (other !== undefined) {
    return {
      found:
        `A server saves its sessions in this Redis under ${showable(other.keyPrefix)}<sid>, and this run ` +
        `uses ${showable(keyPrefix)}<sid>`,
      remedy: `If that is your server, ${adviceFor(other.keyPrefix, prefix)}: under other keys everybody is logged out`,
    };
  }
  if (serverDatabase === undefined) return undefined;
  return {
    found:
      `A server saves its sessions in database ${serverDatabase} of this Redis, and this run uses database ` +
      `${target.db}`,
    remedy: `If that is your server, use --db ${serverDatabase}: in another database everybody is logged out`,
  };
}

/** Which flag makes this run use keys that begin like a server's. */
function adviceFor(theirs: string, prefix: string | null): string {
  const [, colon = "", name = ""] = /^session:(:?)(.*?):?$/.exec(theirs) ?? [];
  if (name === "") return "leave --prefix out";
  if (name === prefix) return `use --key-layout ${colon === "" ? "documented" : "applet"}`;
  return `${prefix === null ? "add" : "use"} --prefix ${showable(name)}`;
}
