import { isIPv6 } from "node:net";
import type { ServerAddress } from "../model/redis-target.js";
import type { TextProblem } from "./text-problem.js";

/** What a Redis URL says, as redis-py reads it. */
export interface RedisUrl {
  readonly scheme: "redis" | "rediss" | "unix";
  readonly address: ServerAddress;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly tls: RedisUrlTls;
  /** What redis-py ignores, in words that hold nothing of the URL. */
  readonly warnings: readonly string[];
}

/** TLS parts of a `rediss:` URL. The files are not opened here. */
export interface RedisUrlTls {
  readonly verify: boolean;
  readonly checkHostname: boolean | undefined;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

const plainOptions = ["db", "username", "password", "host", "port"];
const takenByScheme: Readonly<Record<RedisUrl["scheme"], readonly string[]>> = {
  redis: plainOptions,
  rediss: [...plainOptions, "ssl_cert_reqs", "ssl_check_hostname", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile"],
  unix: ["db", "username", "password", "path"],
};

/** Options that tune redis-py's own sockets: they do not change which Redis is meant. */
const tuningOptions = [
  "socket_timeout",
  "socket_connect_timeout",
  "socket_keepalive",
  "retry_on_timeout",
  "retry_on_error",
  "max_connections",
  "health_check_interval",
  "client_name",
];

const falseWords = ["0", "F", "FALSE", "N", "NO"];

/** Reads a URL as redis-py (4.3) and Python's `urllib.parse` do. Never throws. */
export function parseRedisUrl(text: string): RedisUrl | TextProblem {
  if (text.includes("#")) {
    return { problem: "it holds a #, which cuts a URL short. In a password, write %23 instead" };
  }
  const { scheme, networkLocation, path, query } = splitUrl(text);
  if (scheme !== "redis" && scheme !== "rediss" && scheme !== "unix") {
    return { problem: "it does not begin with redis://, rediss:// or unix://" };
  }
  const options = readQuery(query);
  const isKnown = (name: string) => takenByScheme[scheme].includes(name) || tuningOptions.includes(name);
  const unknown = [...options.keys()].find((name) => !isKnown(name));
  if (unknown !== undefined) {
    return { problem: `its option ${optionName(unknown)} is not known for ${scheme}:` };
  }

  const location = splitNetworkLocation(networkLocation);
  if (location.hostname === null) return { problem: "its host in brackets is not an IPv6 address" };
  const warnings: string[] = [];
  const db = readDatabase(options.get("db"), scheme === "unix" ? "" : path, warnings);
  if (db === null) return { problem: "its database is not a whole number from 0 on" };
  const username = unquote(location.username) || options.get("username");
  const password = unquote(location.password) || options.get("password");
  const tls = readTls(options);
  if ("problem" in tls) return tls;

  if (scheme === "unix") {
    const socket = unquote(path) || options.get("path");
    if (!socket) return { problem: "it names no socket" };
    return { scheme, address: { path: socket }, db, username, password, tls, warnings };
  }
  const host = unquote(lowerCaseHost(location.hostname)) || options.get("host") || "localhost";
  const port = readPort(location.port, options.get("port"));
  if (port === null) return { problem: "its port is not a number from 1 to 65535" };
  return { scheme, address: { host, port }, db, username, password, tls, warnings };
}

/** A name from a URL's query, for messages. Anything but a plain name may be part of a password. */
function optionName(name: string): string {
  return /^[a-z_]{1,40}$/.test(name) ? name : "(a name that is not shown)";
}

function splitUrl(text: string) {
  // urllib drops leading blanks and control characters, and all tabs and line breaks.
  const cleaned = text.replace(/^[\u0000-\u0020]+/, "").replace(/[\t\r\n]/g, "");
  const [, scheme = "", afterScheme = cleaned] = /^([A-Za-z][A-Za-z0-9+.-]*):(.*)$/s.exec(cleaned) ?? [];
  const [, networkLocation = "", afterLocation = afterScheme] = /^\/\/([^/?]*)(.*)$/s.exec(afterScheme) ?? [];
  const [path, query] = cutAt(afterLocation, "?");
  return { scheme: scheme.toLowerCase(), networkLocation, path, query };
}

function cutAt(text: string, mark: string): [before: string, after: string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** `hostname` is null if brackets hold anything but an IPv6 address. */
function splitNetworkLocation(location: string) {
  const at = location.lastIndexOf("@");
  const [username, password] = cutAt(location.slice(0, Math.max(at, 0)), ":");
  const hostAndPort = location.slice(at + 1);
  // urllib looks for brackets everywhere: a bare one in a password makes the URL unusable too.
  if (/[[\]]/.test(location)) {
    const [, bracketed = "", rest = ""] = /^\[([^\]]*)\](.*)$/s.exec(hostAndPort) ?? [];
    return { username, password, hostname: isIPv6(bracketed) ? bracketed : null, port: cutAt(rest, ":")[1] };
  }
  const [hostname, port] = cutAt(hostAndPort, ":");
  return { username, password, hostname, port };
}

/** Python lowers a host's case up to its zone, which begins at the first `%`. */
function lowerCaseHost(hostname: string): string {
  const zone = hostname.indexOf("%");
  return zone < 0 ? hostname.toLowerCase() : hostname.slice(0, zone).toLowerCase() + hostname.slice(zone);
}

/** The first value of each option that is not blank, decoded twice as in redis-py. */
function readQuery(query: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const field of query.split("&")) {
    const [rawName, rawValue] = cutAt(field, "=");
    if (rawValue === "") continue;
    const name = unquote(rawName.replaceAll("+", " "));
    if (!options.has(name)) options.set(name, unquote(unquote(rawValue.replaceAll("+", " "))));
  }
  return options;
}

/** Python's `urllib.parse.unquote`: bad escapes stay, and bad UTF-8 becomes U+FFFD. */
function unquote(text: string): string {
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (escapes) =>
    Buffer.from(escapes.replaceAll("%", ""), "hex").toString("utf8"),
  );
}

/** Python's `int(text)` for ASCII digits; undefined for anything else. */
function readInteger(text: string): number | undefined {
  const plain = text.trim();
  return /^[+-]?[0-9]+(_[0-9]+)*$/.test(plain) ? Number(plain.replaceAll("_", "")) : undefined;
}

/** 0 if the URL names none, null if it names one that cannot be. */
function readDatabase(option: string | undefined, path: string, warnings: string[]): number | null {
  const fromPath = unquote(path).replaceAll("/", "");
  const db = readInteger(option ?? (fromPath || "0"));
  if (db === undefined && option === undefined) {
    warnings.push("the URL's path is not a database number: database 0 is used, as redis-py does");
    return 0;
  }
  return db === undefined || db < 0 || !Number.isSafeInteger(db) ? null : db;
}

/** 6379 if the URL names none (or 0, as in redis-py), null if it is not a port. */
function readPort(location: string, option = "6379"): number | null {
  if (location !== "" && !/^[0-9]+$/.test(location)) return null;
  const port = Number(location) || readInteger(option);
  return port === undefined || port < 1 || port > 65535 ? null : port;
}

function readTls(options: ReadonlyMap<string, string>): RedisUrlTls | TextProblem {
  const requirement = options.get("ssl_cert_reqs") ?? "required";
  if (!["none", "optional", "required"].includes(requirement)) {
    return { problem: "its option ssl_cert_reqs takes none, optional or required" };
  }
  const check = options.get("ssl_check_hostname");
  const checkHostname = check === undefined ? undefined : !falseWords.includes(check.toUpperCase());
  if (requirement === "none" && checkHostname) {
    return { problem: "its options ssl_cert_reqs=none and ssl_check_hostname cannot be used together" };
  }
  return {
    verify: requirement !== "none",
    checkHostname,
    caFile: options.get("ssl_ca_certs"),
    certFile: options.get("ssl_certfile"),
    keyFile: options.get("ssl_keyfile"),
  };
}
