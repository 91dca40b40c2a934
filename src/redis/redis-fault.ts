import { RedisError } from "../model/errors.js";

/**
 * What an error of the client or of Redis comes to: `transient` passes by itself and the work is sent again, `refused` and `unavailable`
 * end the run, `single` concerns one command only. `message` is our own sentence: errors of the client carry commands with
 * passwords and values, and are never shown.
 */
export interface RedisFault {
  readonly kind: "transient" | "refused" | "unavailable" | "single";
  readonly message: string;
}

/** By the first word of an error reply. */
const replyFaults: Readonly<Record<string, RedisFault>> = {
  NOAUTH: {
    kind: "refused",
    message: "Redis asks for a password (TELE_SESSION_REDIS_PASSWORD or --password-file)",
  },
  WRONGPASS: { kind: "refused", message: "Redis refused the user name or password" },
  DENIED: { kind: "refused", message: "Redis runs in protected mode and refuses connections from elsewhere" },
  OOM: { kind: "refused", message: "Redis is out of memory (maxmemory reached)" },
  MISCONF: { kind: "refused", message: "Redis refuses writes because it cannot save to its disk (MISCONF)" },
  NOREPLICAS: {
    kind: "refused",
    message: "Redis refuses writes because too few replicas are connected (NOREPLICAS)",
  },
  MOVED: { kind: "refused", message: "Redis is a cluster, which this version does not write to" },
  ASK: { kind: "refused", message: "Redis is a cluster, which this version does not write to" },
  CROSSSLOT: { kind: "refused", message: "Redis is a cluster, which this version does not write to" },
  LOADING: { kind: "transient", message: "Redis is still loading its data" },
  READONLY: { kind: "transient", message: "Redis is a read-only replica" },
  MASTERDOWN: { kind: "transient", message: "Redis has lost its master" },
  BUSY: { kind: "transient", message: "Redis is busy with a script" },
  TRYAGAIN: { kind: "transient", message: "Redis is moving keys" },
  CLUSTERDOWN: { kind: "transient", message: "the Redis cluster is down" },
  UNBLOCKED: { kind: "transient", message: "Redis changed its role" },
};

/** By the text behind `ERR`, which is Redis's own and holds no argument. */
const errorTexts: readonly (readonly [RegExp, RedisFault])[] = [
  [/^DB index is out of range/, { kind: "refused", message: "Redis has no database of that number" }],
  [/^invalid password/, { kind: "refused", message: "Redis refused the password" }],
  [/^unknown command/, { kind: "refused", message: "Redis does not know a command that is needed" }],
  [
    /^(The user executing the script can't run this command|ACL failure in script)/,
    { kind: "refused", message: "Redis does not allow this user a command that a script needs" },
  ],
  [/^max number of clients reached/, { kind: "transient", message: "Redis takes no more clients" }],
  [/^Cannot select another database/i, { kind: "refused", message: "Redis allows no database but 0" }],
  [
    /^SELECT is not allowed in cluster mode/,
    { kind: "refused", message: "a Redis cluster has database 0 only" },
  ],
];

/** By the code of a system or TLS error, or of ours. */
const systemFaults: Readonly<Record<string, RedisFault>> = {
  ECONNREFUSED: { kind: "transient", message: "the connection was refused" },
  ENOTFOUND: { kind: "transient", message: "the host is unknown" },
  EAI_AGAIN: { kind: "transient", message: "the host's name could not be looked up" },
  ETIMEDOUT: { kind: "transient", message: "no answer in time" },
  EHOSTUNREACH: { kind: "transient", message: "the host cannot be reached" },
  ENETUNREACH: { kind: "transient", message: "the network cannot be reached" },
  ECONNRESET: { kind: "transient", message: "the connection was reset" },
  EPIPE: { kind: "transient", message: "the connection was closed" },
  ENOENT: { kind: "transient", message: "the socket does not exist" },
  EACCES: { kind: "refused", message: "the socket may not be opened by this user" },
  EREPLICA: { kind: "transient", message: "Redis has become a read-only replica" },
  EPROTO: { kind: "transient", message: "TLS failed: is this a port for TLS?" },
};

const certificateCodes = /CERT|SIGNATURE|ALTNAME|CRL/;

/** Sorts an error that the client raised or that Redis replied. */
export function redisFault(error: unknown): RedisFault {
  if (!(error instanceof Error)) return { kind: "unavailable", message: "an unknown error" };
  if (error instanceof RedisError) return { kind: error.kind, message: error.message };
  if (error.name === "ReplyError") return replyFault(error.message);
  const code = "code" in error ? String(error.code) : "";
  if (certificateCodes.test(code)) {
    return { kind: "refused", message: `the server's certificate was not accepted (${code})` };
  }
  return (
    systemFaults[code] ?? {
      kind: "transient",
      message: code === "" ? "the connection was closed" : `the connection failed (${code})`,
    }
  );
}

function replyFault(reply: string): RedisFault {
  const code = /^[A-Z]+(?= |$)/.exec(reply)?.[0] ?? "ERR";
  if (code === "NOPERM")
    return { kind: "refused", message: `Redis does not allow this user ${missingRight(reply)}` };
  const known = replyFaults[code];
  if (known !== undefined) return known;
  const text = reply.slice(code.length + 1);
  const match = errorTexts.find(([pattern]) => pattern.test(text));
  return match?.[1] ?? { kind: "single", message: `Redis answered ${code}` };
}

/** The right that a NOPERM names: `the 'set' command`. Keys in the reply are left out. */
function missingRight(reply: string): string {
  const command = /'([a-z|]+)'/.exec(reply)?.[1];
  if (command !== undefined) return `the command ${command.toUpperCase()}`;
  return /key/.test(reply) ? "the keys of sessions (session:*)" : "a command that is needed";
}
