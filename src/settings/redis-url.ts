import { isIPv6 } from "node:net";

/** What a Redis URL says, as redis-py reads it; what it leaves out is absent. */
export interface RedisUrl {
  readonly scheme: "redis" | "rediss" | "unix";
  readonly host?: string;
  readonly port?: number;
  /** The socket of a `unix:` URL. */
  readonly path?: string;
  readonly db?: number;
  readonly username?: string;
  readonly password?: string;
  /** TLS parts of a `rediss:` URL; paths are not opened here. */
  readonly tls: RedisUrlTls;
  /** Parts that redis-py passes over, in words that hold nothing of the URL. */
  readonly warnings: readonly string[];
}

export interface RedisUrlTls {
  readonly verify?: boolean;
  readonly checkHostname?: boolean;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/** Why a URL cannot be used, in words that hold nothing of it but an option's name. */
export interface RedisUrlProblem {
  readonly problem: string;
}

const takenByScheme = {
  redis: ["db", "username", "password", "host", "port"],
  rediss: [
    "db",
    "username",
    "password",
    "host",
    "port",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
  ],
  unix: ["db", "username", "password", "path"],
} as const satisfies Record<RedisUrl["scheme"], readonly string[]>;

/** Options that tune redis-py's own sockets: they say nothing about which Redis is meant. */
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

/** Reads a URL with the meaning that redis-py (4.3) and Python's `urllib.parse` give it. Never throws. */
export function parseRedisUrl(text: string): RedisUrl | RedisUrlProblem {
  if (text.includes("#")) {
    return { problem: "it holds a #, which cuts a URL short. In a password, write %23 in place of it" };
  }
  const parts = splitUrl(text);
  const scheme = parts.scheme;
  if (scheme !== "redis" && scheme !== "rediss" && scheme !== "unix") {
    return { problem: "it does not begin with redis://, rediss:// or unix://" };
  }
  const options = readQuery(parts.query);
  const taken: readonly string[] = takenByScheme[scheme];
  const unknown = [...options.keys()].find((name) => !taken.includes(name) && !tuningOptions.includes(name));
  if (unknown !== undefined)
    return { problem: `its option ${optionName(unknown)} is not known for ${scheme}:` };

  const { userinfo, hostname, port } = splitNetworkLocation(parts.networkLocation);
  if (hostname === null) return { problem: "its host in brackets is not an IPv6 address" };
  const warnings: string[] = [];

  const db = readDatabase(options.get("db"), scheme === "unix" ? "" : parts.path, warnings);
  if (db === null) return { problem: "its database is not a whole number from 0 on" };
  const username = unquote(userinfo.username) || options.get("username");
  const password = unquote(userinfo.password) || options.get("password");
  const credentials = {
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(db === undefined ? {} : { db }),
  };

  if (scheme === "unix") {
    const path = unquote(parts.path) || options.get("path");
    if (!path) return { problem: "it names no socket" };
    return { scheme, path, ...credentials, tls: {}, warnings };
  }

  const portNumber = readPort(port, options.get("port"));
  if (portNumber === null) return { problem: "its port is not a number from 1 to 65535" };
  const tls = readTls(options);
  if ("problem" in tls) return tls;
  const host = unquote(lowerCaseHost(hostname)) || options.get("host");
  return {
    scheme,
    ...(host ? { host } : {}),
    ...(portNumber === undefined ? {} : { port: portNumber }),
    ...credentials,
    tls,
    warnings,
  };
}

/** A name from a URL's query, fit to be shown: anything but a plain name may be a piece of a password. */
function optionName(name: string): string {
  return /^[a-z_]{1,40}$/.test(name) ? name : "(a name that is not shown)";
}

function splitUrl(text: string) {
  // urllib drops leading blanks and control characters, and tabs and line ends anywhere.
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

/** `hostname` is null where brackets do not hold an IPv6 address. */
function splitNetworkLocation(location: string) {
  const at = location.lastIndexOf("@");
  const [username, password] = cutAt(location.slice(0, Math.max(at, 0)), ":");
  const userinfo = { username, password };
  const hostAndPort = location.slice(at + 1);
  if (!/[[\]]/.test(location)) {
    const [hostname, port] = cutAt(hostAndPort, ":");
    return { userinfo, hostname, port };
  }
  // urllib looks for brackets in the whole location: one in a bare password makes the URL unusable there too.
  const [, bracketed = "", rest = ""] = /^\[([^\]]*)\](.*)$/s.exec(hostAndPort) ?? [];
  return { userinfo, hostname: isIPv6(bracketed) ? bracketed : null, port: cutAt(rest, ":")[1] };
}

/** Python lowers a host up to its zone, which begins at the first `%`. */
function lowerCaseHost(hostname: string): string {
  const zone = hostname.indexOf("%");
  return zone < 0 ? hostname.toLowerCase() : hostname.slice(0, zone).toLowerCase() + hostname.slice(zone);
}

/** The first value of each option; blank ones are passed over. redis-py decodes what `parse_qs` had decoded. */
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

/** Python's `urllib.parse.unquote`: what is no escape stays, what is no UTF-8 becomes U+FFFD. */
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

/** Undefined where the URL names none, null where it names one that cannot be. */
function readDatabase(
  option: string | undefined,
  path: string,
  warnings: string[],
): number | undefined | null {
  const fromPath = unquote(path).replaceAll("/", "");
  if (option === undefined && fromPath === "") return undefined;
  const db = readInteger(option ?? fromPath);
  if (db === undefined && option === undefined) {
    warnings.push("the URL's path is not a database number: database 0 is used, as redis-py does");
    return undefined;
  }
  return db === undefined || db < 0 || !Number.isSafeInteger(db) ? null : db;
}

/** Undefined where the URL names none (or 0, as redis-py has it), null where it is no port. */
function readPort(location: string, option: string | undefined): number | undefined | null {
  if (location !== "" && !(/^[0-9]+$/.test(location) && Number(location) <= 65535)) return null;
  if (Number(location) > 0) return Number(location);
  if (option === undefined) return undefined;
  const port = readInteger(option);
  return port === undefined || port < 1 || port > 65535 ? null : port;
}

function readTls(options: ReadonlyMap<string, string>): RedisUrlTls | RedisUrlProblem {
  const requirement = options.get("ssl_cert_reqs");
  if (requirement !== undefined && !["none", "optional", "required"].includes(requirement)) {
    return { problem: "its option ssl_cert_reqs takes none, optional or required" };
  }
  const check = options.get("ssl_check_hostname");
  const checkHostname = check === undefined ? undefined : !falseWords.includes(check.toUpperCase());
  if (requirement === "none" && checkHostname) {
    return { problem: "its options ssl_cert_reqs=none and ssl_check_hostname exclude each other" };
  }
  const caFile = options.get("ssl_ca_certs");
  const certFile = options.get("ssl_certfile");
  const keyFile = options.get("ssl_keyfile");
  return {
    ...(requirement === undefined ? {} : { verify: requirement !== "none" }),
    ...(checkHostname === undefined ? {} : { checkHostname }),
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  };
}
