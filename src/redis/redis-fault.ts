import { type Explanation, RedisError } from "../model/errors.js";
import { needOf, scriptCommands } from "./server/command-needs.js";

/**
 * What an error of ioredis or of Redis means. `transient`: it passes, and the work is sent again.
 * `refused` and `unavailable` end the run. `single` concerns one command only. `message` is our own
 * sentence: ioredis's errors carry commands with passwords and values, and are never shown.
 */
export interface RedisFault {
  readonly kind: "transient" | "refused" | "unavailable" | "single";
  readonly message: string;
  /** The two halves of the message; absent if there is nothing to do about it. */
  readonly explanation?: Explanation;
}

/** An error of ours that knows what it means. */
export class FaultError extends Error {
  readonly fault: RedisFault;

  constructor(fault: RedisFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** The start of a fault's message, up to its advice or code: `connection refused`. */
export function briefly({ message }: RedisFault): string {
  return /^[^:(]*[^:( ]/.exec(message)?.[0] ?? message;
}

/** A fault's message in two halves: what was found, and the remedy, which may be empty. */
export function explanationOf({ message, explanation }: RedisFault): Explanation {
  return explanation ?? { found: message, remedy: "" };
}

/** `remedy`: absent if there is nothing to do about it. */
export function fault(kind: RedisFault["kind"], found: string, remedy?: string): RedisFault {
  if (remedy === undefined) return { kind, message: found };
  return { kind, message: `${found}: ${remedy}`, explanation: { found, remedy } };
}

function refused(found: string, remedy?: string): RedisFault {
  return fault("refused", found, remedy);
}

function transient(found: string, remedy?: string): RedisFault {
  return fault("transient", found, remedy);
}

/** What to do about a node of a Cluster that a run takes for a single server. */
export const useCluster = "add --cluster, or set TELE_SESSION_REDIS_CLUSTER=1";

/** By the first word of an error reply. */
const replyFaults: Readonly<Record<string, RedisFault>> = {
  NOAUTH: refused("Redis asks for a password", "give it with TELE_SESSION_REDIS_PASSWORD or --password-file"),
  WRONGPASS: refused(
    "Redis refused the user name or password",
    "check --username, and the password in TELE_SESSION_REDIS_PASSWORD or --password-file",
  ),
  DENIED: refused(
    "Redis runs in protected mode and refuses connections from elsewhere",
    "set a password there, or run this on its host",
  ),
  OOM: refused("Redis is out of memory (maxmemory reached)", "raise maxmemory"),
  MISCONF: refused(
    "Redis refuses writes because it cannot save to its disk",
    "free the disk, or see the log of Redis (MISCONF)",
  ),
  NOREPLICAS: refused(
    "Redis refuses writes because too few replicas are connected",
    "start them, or lower min-replicas-to-write (NOREPLICAS)",
  ),
  MOVED: refused("it is a node of a Redis Cluster", useCluster),
  ASK: refused("it is a node of a Redis Cluster", useCluster),
  CROSSSLOT: refused("it is a node of a Redis Cluster", useCluster),
  LOADING: transient("Redis is still loading its data"),
  READONLY: transient("Redis is a read-only replica", "name its master"),
  MASTERDOWN: transient("Redis has lost its master"),
  BUSY: transient("Redis is busy with a script"),
  TRYAGAIN: transient("Redis is moving keys"),
  CLUSTERDOWN: transient("the Redis cluster is down"),
  UNBLOCKED: transient("Redis changed its role"),
};

/** By the text after `ERR`. */
const errorTexts: readonly (readonly [RegExp, RedisFault])[] = [
  [
    /^DB index is out of range/,
    refused("Redis has no database of that number", "give the one that the server uses with --db"),
  ],
  [/^invalid password/, refused("Redis refused the password", "see TELE_SESSION_REDIS_PASSWORD or --password-file")],
  [/^max number of clients (\+ cluster connections )?reached/, transient("Redis takes no more clients")],
  [/^Cannot select another database/i, refused("Redis allows no database but 0", "use --db 0")],
  [/^SELECT is not allowed in cluster mode/, refused("a Redis cluster has database 0 only", "use --db 0")],
];

/** By the code of a system error, or of ours. */
const systemFaults: Readonly<Record<string, RedisFault>> = {
  ECONNREFUSED: transient("connection refused", "check that Redis listens on this host and port"),
  ENOTFOUND: transient("the host is unknown", "check its name"),
  EAI_AGAIN: transient("the host's name could not be looked up", "check its name and DNS"),
  ETIMEDOUT: transient("no answer in time", "check host, port and firewall"),
  EHOSTUNREACH: transient("the host cannot be reached", "check its address and the network"),
  ENETUNREACH: transient("the network cannot be reached", "check the address"),
  ECONNRESET: transient("the connection was reset"),
  EPIPE: transient("the connection was closed"),
  ENOENT: transient("the socket does not exist", "check its path"),
  EACCES: refused("the socket may not be opened by this user", "see its permissions"),
  EREPLICA: transient("Redis has become a read-only replica", "name its master"),
  ECLUSTERDOWN: transient("the Redis cluster is down"),
  EMOVING: transient("Redis is moving keys"),
  EFAILOVER: transient("the Sentinels are changing the master"),
  EPROTO: transient("TLS failed", "is this a port for TLS?"),
  ERR_OSSL_PEM_NO_START_LINE: refused("a certificate or key file is not a PEM file", "see --cacert, --cert and --key"),
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: refused(
    "--cert and --key do not belong together",
    "give the key of this certificate",
  ),
};
/** Our own codes, which messages leave out. */
const ownCodes: ReadonlySet<string> = new Set(["EREPLICA", "EFAILOVER", "ECLUSTERDOWN", "EMOVING"]);

function badCertificate(because: string, remedy: string): RedisFault {
  return refused(`the server's certificate was not accepted, because ${because}`, remedy);
}

/**
 * By the code of a TLS error about certificates; the first match counts. An alert comes from Redis
 * and concerns our certificate.
 */
const certificateFaults: readonly (readonly [RegExp, RedisFault])[] = [
  [
    /ALERT_CERTIFICATE_REQUIRED|ALERT_NO_CERTIFICATE|PEER_DID_NOT_RETURN/,
    refused("Redis asks for a client certificate", "give one with --cert FILE and its key with --key FILE"),
  ],
  [
    /ALERT_(HANDSHAKE_FAILURE|ACCESS_DENIED|BAD_CERT|UNKNOWN_CA|UNSUPPORTED_CERT|CERT|DECRYPT)/,
    refused(
      "Redis refused our client certificate, or asks for one",
      "give one that it trusts with --cert FILE and its key with --key FILE",
    ),
  ],
  [
    /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/,
    badCertificate("its authority is unknown or it is self-signed", "give the authority with --cacert FILE"),
  ],
  [/EXPIRED/, badCertificate("it has expired", "renew it on the server")],
  [/NOT_YET_VALID/, badCertificate("it is not valid yet", "compare the clocks of both machines")],
  [/ALTNAME/, badCertificate("it carries another name", "give that with --tls-servername NAME")],
  [
    /CERT|SIGNATURE|CRL|ERR_SSL_CA/,
    refused("the server's certificate was not accepted", "see --cacert FILE and --tls-servername NAME"),
  ],
];

/**
 * Sorts an error that ioredis raised or that Redis replied. Functions that take a client let such
 * errors through; `ResilientConnection` sorts them.
 */
export function redisFault(error: unknown): RedisFault {
  if (!(error instanceof Error)) return fault("unavailable", "an unknown error");
  if (error instanceof RedisError) {
    const { kind, message, explanation } = error;
    return { kind, message, ...(explanation === undefined ? {} : { explanation }) };
  }
  if (error instanceof FaultError) return error.fault;
  if (isReply(error)) return replyFault(replyText(error), commandOf(error));
  const code = codeOf(error) ?? "";
  if (ownCodes.has(code) && systemFaults[code] !== undefined) return systemFaults[code];
  if (code === "") return transient("the connection was closed");
  const [, certificate] = certificateFaults.find(([pattern]) => pattern.test(code)) ?? [];
  return withCode(certificate ?? systemFaults[code] ?? transient("the connection failed"), code);
}

/** Adds the code in brackets, which people search the web for. */
function withCode({ kind, message, explanation }: RedisFault, code: string): RedisFault {
  const bracket = ` (${shortCode(code)})`;
  if (explanation === undefined) return { kind, message: message + bracket };
  return fault(kind, explanation.found, explanation.remedy + bracket);
}

/** Shortens OpenSSL's codes: one as long as a sid would be masked like a sid. */
export function shortCode(code: string): string {
  return code.replace(/^ERR_SSL_/, "");
}

/** Whether the connection was lost without a reply that says why. */
export function isLoss(error: unknown): boolean {
  return error instanceof Error && !isReply(error) && !(error instanceof RedisError);
}

/** The code of a system error, or of ours. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** Whether the error is a bug of ours, which no new connection fixes. */
export function isBug(error: unknown): boolean {
  return [TypeError, RangeError, ReferenceError].some((type) => error instanceof type);
}

/** Whether it is an error reply of Redis, as ioredis raises it. */
export function isReply(error: unknown): error is Error & { readonly name: "ReplyError" } {
  return error instanceof Error && error.name === "ReplyError";
}

/** Whether the error says that this user lacks a permission, or the server a command. */
export function isDenied(error: unknown): boolean {
  if (!isReply(error)) return false;
  const command = commandOf(error);
  const { code, text } = splitReply(replyText(error));
  return code === "NOPERM" || (code === "ERR" && isHidden(text, command));
}

/** Commands that carry sessions, and so can fail for one session only. */
const dataCommands: ReadonlySet<string> = new Set(["SET", "GET", "EVAL"]);
const denials = [
  /unknown (redis |sub)?command|unsupported|disabled/i,
  /not (be )?(supported?|allowed|permitted|available)/i,
  /can't (run|access)|ACL failure/i,
];

/** All other commands are well-formed, so an error can only mean that the server lacks them. */
function isHidden(text: string, command: string | undefined): boolean {
  if (errorTexts.some(([pattern]) => pattern.test(text))) return false;
  return denials.some((pattern) => pattern.test(text)) || (command !== undefined && !dataCommands.has(command));
}

/**
 * An error reply without what Redis before 7.0 puts before the error of a command in a script:
 * `ERR Error running script (call to f_...): @user_script:1: -OOM command not allowed`.
 */
export function replyText({ message }: Error): string {
  return message.replace(/^ERR Error running script.*@user_script: ?\d+: -?(?=[A-Z]+ )/s, "");
}

function splitReply(reply: string): { readonly code: string; readonly text: string } {
  const code = /^[A-Z]+(?= |$)/.exec(reply)?.[0];
  return code === undefined ? { code: "ERR", text: reply } : { code, text: reply.slice(code.length + 1) };
}

function replyFault(reply: string, command: string | undefined): RedisFault {
  const { code, text } = splitReply(reply);
  const known = replyFaults[code] ?? errorTexts.find(([pattern]) => pattern.test(text))?.[1];
  if (known !== undefined) return known;
  if (code === "NOPERM" && /\bkeys?\b/.test(text)) {
    return refused("Redis does not allow this user the keys of sessions (session:*)");
  }
  if (code === "NOPERM" || (code === "ERR" && isHidden(text, command))) {
    const missing = missingCommand(text, command);
    const who = code === "NOPERM" || command === "EVAL" ? "does not allow this user" : "lacks or hides";
    return refused(`Redis ${who} the command ${missing}${needOf(missing)}`);
  }
  const to = command === undefined ? "" : ` to ${command}`;
  return fault("single", `Redis answered ${code}${to}`);
}

/** The denied command: one inside a script if Redis names it, else the one that was sent. */
function missingCommand(text: string, command: string | undefined): string {
  const named = /'([a-z]+)(\|[a-z]+)?' command/.exec(text);
  if (named !== null && (command === undefined || command === "EVAL")) {
    return `${named[1]}${named[2]?.replace("|", " ") ?? ""}`.toUpperCase();
  }
  if (command === "EVAL" && !/unknown command|^$/.test(text)) return scriptCommands;
  return command ?? "that is needed";
}

/**
 * The command that an error answers, as ioredis or `sendBatch` notes it: with its subcommand, but
 * without its other arguments.
 */
export function commandOf(error: Error): string | undefined {
  if (!("command" in error) || typeof error.command !== "object" || error.command === null) return undefined;
  const { command } = error;
  if (!("name" in command) || typeof command.name !== "string") return undefined;
  const name = command.name.toUpperCase();
  const [first] = "args" in command && Array.isArray(command.args) ? command.args : [];
  return /^(CLIENT|CLUSTER|CONFIG|SENTINEL)$/.test(name) && typeof first === "string"
    ? `${name} ${first.toUpperCase()}`
    : name;
}

/** A `single` fault that reaches this point will not go away, so it counts as refused. */
export function endKind(kind: "refused" | "unavailable" | "single"): "refused" | "unavailable" {
  return kind === "unavailable" ? kind : "refused";
}
