import { isSigned } from "../../convert/sign.js";
import { showable } from "../../model/showable.js";
import type { StoredText } from "../../model/stored-value.js";
import { surveyDatabase } from "../../redis/other-databases.js";
import { askOtherDatabases } from "../../redis/server/server-state.js";
import { surveyKeys } from "../../redis/survey-keys.js";
import type { Run } from "../run-context.js";
import { areWholeSeconds } from "./survey.js";

/** More databases than this are rare, and each takes a connection. */
const maxDatabases = 4;

/**
 * Warns if a server saves its sessions under other keys than this run writes, or in another
 * database, but none under these. Throws `RedisError`.
 */
export async function warnOfOtherKeys(run: Run): Promise<void> {
  const { options, out, files, redis, stop } = run;
  const { keyPrefix, clockLeadMs } = files.conversion;
  const savedByServer = (keys: readonly (StoredText & { readonly keyPrefix: string })[]) =>
    areWholeSeconds(keys, clockLeadMs) ? undefined : keys.find((key) => !isSigned(key, clockLeadMs));
  const found = await redis.connection.run((client) => surveyKeys(client, keyPrefix, clockLeadMs));
  if (found === undefined || found.own.some((key) => !isSigned(key, clockLeadMs))) return;
  const other = savedByServer(found.others);
  if (other !== undefined) {
    out.warn(
      `A server saves its sessions in this Redis under ${showable(other.keyPrefix)}<sid>, and this run ` +
        `uses ${showable(keyPrefix)}<sid>. If that is your server, ${adviceFor(other.keyPrefix, options.target)}: ` +
        "under other keys everybody is logged out",
      { evenIfQuiet: true },
    );
    return;
  }
  const { redis: target } = options.target;
  const databases = await redis.connection.run((client) => askOtherDatabases(client, target.db));
  for (const db of databases.slice(0, maxDatabases)) {
    if (stop.aborted) return;
    const keys = await surveyDatabase({ ...target, db }, clockLeadMs);
    if (savedByServer(keys) === undefined) continue;
    out.warn(
      `A server saves its sessions in database ${db} of this Redis, and this run uses database ${target.db}. ` +
        `If that is your server, use --db ${db}: in another database everybody is logged out`,
      { evenIfQuiet: true },
    );
    return;
  }
}

/** Which flag makes this run use keys that begin like a server's. */
function adviceFor(theirs: string, { prefix }: Pick<Run["options"]["target"], "prefix">): string {
  const [, colon = "", name = ""] = /^session:(:?)(.*?):?$/.exec(theirs) ?? [];
  if (name === "") return "leave --prefix out";
  if (name === prefix) return `use --key-layout ${colon === "" ? "documented" : "applet"}`;
  return `${prefix === null ? "add" : "use"} --prefix ${showable(name)}`;
}
