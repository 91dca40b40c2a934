import { isDeepStrictEqual } from "node:util";
import { SettingsError } from "../model/errors.js";
import {
  type ConnectionHints,
  describeTarget,
  type RedisTarget,
  type RedisTls,
} from "../model/redis-target.js";
import type { SettingName } from "./definitions.js";
import type { FileSystemReader } from "./file-system-reader.js";
import type { Settings } from "./read-settings.js";
import { readPasswordFile, readTextFile } from "./read-text-file.js";
import type { RedisUrl } from "./redis-url.js";
import type { HostAndPort } from "./value-kinds.js";

/** Which Redis is meant, and how to reach it. */
export type RedisConnection =
  | { readonly topology: "single" | "cluster"; readonly target: RedisTarget }
  | {
      readonly topology: "sentinel";
      readonly sentinels: readonly HostAndPort[];
      readonly sentinelPassword?: string;
      readonly masterName: string;
      /** How to log in to the master that the Sentinels name. */
      readonly master: Omit<RedisTarget, "address">;
    };

/**
 * A Sentinel wins over a URL, and a URL over host and port. Warnings are added to `warnings`.
 * @throws SettingsError if settings contradict each other or a file they name cannot be read.
 */
export function resolveConnection(
  settings: Settings,
  files: FileSystemReader,
  warnings: string[],
): RedisConnection {
  refuseTwoKinds(settings);
  const { sentinel, sentinelHost, sentinelPort, url, cluster, originOf } = settings;
  const sentinels = sentinel ?? (sentinelHost ? [{ host: sentinelHost, port: sentinelPort }] : null);
  if (sentinels) {
    if (url) warnings.push(`${originOf("url").name} is ignored: a Sentinel is set`);
    return resolveSentinel(sentinels, settings, files);
  }
  const target = url ? resolveUrl(url, settings, files, warnings) : resolveHost(settings, files);
  if (!cluster) return { topology: "single", target };
  const { name } = originOf("cluster");
  if ("path" in target.address) throw new SettingsError(`${name}: a Cluster has no Unix socket`);
  if (target.db !== 0) throw new SettingsError(`${name}: a Cluster has only database 0, not ${target.db}`);
  return { topology: "cluster", target };
}

function refuseTwoKinds(settings: Settings): void {
  const { url, sentinel, sentinelHost, cluster, originOf } = settings;
  const isTyped = (name: SettingName) => originOf(name).from === "flag";
  const refuse = (first: SettingName, second: SettingName, reason = "") => {
    throw new SettingsError(
      `${originOf(first).name} and ${originOf(second).name} cannot be used together${reason}`,
    );
  };
  const [first, second] = (["url", "host", "sentinel"] as const).filter(isTyped);
  if (first && second) refuse(first, second);
  if (sentinel || sentinelHost) {
    const given = sentinel ? "sentinel" : "sentinelHost";
    if (cluster) refuse(given, "cluster");
    if (isTyped("port")) refuse("port", given);
  } else if (url) {
    for (const name of ["port", "db"] as const) {
      if (isTyped(name)) refuse(name, "url", `: the URL gives the ${name === "db" ? "database" : name}`);
    }
  }
}

function resolveSentinel(
  sentinels: readonly HostAndPort[],
  settings: Settings,
  files: FileSystemReader,
): RedisConnection {
  const { sentinel, sentinelMaster, sentinelPasswordFile, sentinelPassword, db, originOf } = settings;
  if (!sentinelMaster) {
    const { name } = originOf(sentinel ? "sentinel" : "sentinelHost");
    throw new SettingsError(
      `${name} needs the master's name: --sentinel-master or TELE_SESSION_REDIS_SENTINEL_MASTER_NAME`,
    );
  }
  const ownPassword = sentinelPasswordFile
    ? readPasswordFile(sentinelPasswordFile, originOf("sentinelPasswordFile"), files)
    : sentinelPassword;
  return {
    topology: "sentinel",
    sentinels,
    ...(ownPassword === null ? {} : { sentinelPassword: ownPassword }),
    masterName: sentinelMaster,
    master: { db, ...resolveTls(settings, null, files), ...readCredentials(settings, files) },
  };
}

function resolveHost(settings: Settings, files: FileSystemReader): RedisTarget {
  const { host, port, db, originOf } = settings;
  const tls = resolveTls(settings, null, files);
  const credentials = readCredentials(settings, files);
  const mayNeedTls =
    (originOf("host").isOdoos || originOf("port").isOdoos) && originOf("tls").from === "default";
  return {
    address: { host, port },
    db,
    ...credentials,
    ...tls,
    ...(mayNeedTls ? { hints: { ...credentials.hints, connection: odooTlsHint } } : {}),
  };
}

const odooTlsHint =
  "ODOO_SESSION_REDIS_SSL is unset: session_redis 18.0 and later use TLS then, but this tool does not. " +
  "If this port speaks TLS, set it to 1";

function resolveUrl(
  url: RedisUrl,
  settings: Settings,
  files: FileSystemReader,
  warnings: string[],
): RedisTarget {
  const { originOf } = settings;
  const { name, from } = originOf("url");
  warnings.push(...url.warnings.map((warning) => `${name}: ${warning}`));
  if (from === "flag" && url.password !== undefined) {
    warnings.push(
      "--url holds a password, which shows in `ps`. Use --password-file or TELE_SESSION_REDIS_PASSWORD instead",
    );
  }
  if (originOf("tls").isOdoos && settings.tls && url.scheme !== "rediss") {
    warnings.push(`${originOf("tls").name} is ignored: ${name} says whether to use TLS`);
  }
  const { address, db } = url;
  const given = { ...settings, ...address, db };
  for (const setting of ["host", "port", "db"] as const) {
    if (given[setting] !== settings[setting] && originOf(setting).from === "variable") {
      warnings.push(`${originOf(setting).name} is ignored: ${name} says where Redis is`);
    }
  }
  return {
    address,
    db,
    ...resolveTls(settings, url, files),
    ...mergeCredentials(url, settings, files),
  };
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly hints?: ConnectionHints;
}

/** The URL's own credentials count, but flags win over those of a URL in a variable. */
function mergeCredentials(url: RedisUrl, settings: Settings, files: FileSystemReader): Credentials {
  const { originOf } = settings;
  const isNameTyped = originOf("username").from === "flag";
  const isPasswordTyped = originOf("passwordFile").from === "flag";
  if (originOf("url").from === "flag") {
    const twice =
      url.username && isNameTyped ? "--username" : url.password && isPasswordTyped && "--password-file";
    if (twice) throw new SettingsError(`--url and ${twice} give the same thing: set one of them`);
  }
  const { hints, ...separate } = readCredentials(settings, files);
  const keepsPassword = url.password && !isPasswordTyped;
  const ownHints = keepsPassword ? loginHints(url.password, originOf("url").name) : hints && { hints };
  return {
    ...separate,
    ...(url.username && !isNameTyped ? { username: url.username } : {}),
    ...(keepsPassword ? { password: url.password } : {}),
    ...ownHints,
  };
}

function readCredentials(settings: Settings, files: FileSystemReader): Credentials {
  const { username, password, passwordFile, originOf } = settings;
  if (password && passwordFile) {
    const [first, second] = [originOf("password").name, originOf("passwordFile").name];
    throw new SettingsError(`${first} and ${second} both give the password: set one of them`);
  }
  const secret = passwordFile
    ? readPasswordFile(passwordFile, originOf("passwordFile"), files)
    : (password ?? undefined);
  return {
    ...(username ? { username, ...loginHints(username, originOf("username").name) } : {}),
    ...(secret === undefined ? {} : { password: secret }),
    ...loginHints(secret, originOf(passwordFile ? "passwordFile" : "password").name),
  };
}

/** A hint if a user name or a password looks as if it held more than was meant. It is sent as it is. */
function loginHints(text: string | undefined, origin: string): Pick<Credentials, "hints"> {
  const oddity = [
    [/[\r\n]$/, "ends in a newline (echo adds one, printf %s does not)"],
    [/\s$/, "ends in white space"],
    [/^\s/, "begins with white space"],
    [/^(["']).+\1$/s, "is in quotation marks"],
  ] as const;
  const [, seen] = oddity.find(([pattern]) => pattern.test(text ?? "")) ?? [];
  return seen ? { hints: { login: `The value of ${origin} ${seen}, and was sent as it is` } } : {};
}

/** Empty if Redis is to be talked to in plain text. */
function resolveTls(
  settings: Settings,
  url: RedisUrl | null,
  files: FileSystemReader,
): { readonly tls?: RedisTls } {
  const { cert, key, tlsServername, tlsInsecure, originOf } = settings;
  // As in session_redis, Odoo's switch is for host and port; a URL says it itself.
  const isSwitchedOn = settings.tls && !(url && originOf("tls").isOdoos);
  const isOn = isSwitchedOn || url?.scheme === "rediss";
  if (isOn && url && "path" in url.address) {
    throw new SettingsError(`${originOf("tls").name}: there is no TLS on a Unix socket`);
  }
  if (!isOn) {
    const idle = (["cacert", "cert", "key", "tlsServername", "tlsInsecure"] as const).find(
      (name) => settings[name] && !originOf(name).isOdoos,
    );
    if (idle) throw new SettingsError(`${originOf(idle).name} needs TLS: --tls or a rediss: URL`);
    return {};
  }
  const own = url?.tls;
  if (cert && !key && own?.keyFile === undefined) {
    throw new SettingsError(
      `${originOf("cert").name} needs the certificate's key: --key or TELE_SESSION_REDIS_KEY`,
    );
  }
  const read = (name: "cacert" | "cert" | "key", urlsPath: string | undefined) => {
    const path = settings[name] ?? urlsPath;
    return path ? readTextFile(path, originOf(settings[name] ? name : "url"), files) : undefined;
  };
  const certFile = cert ?? own?.certFile;
  const keyFile = key ?? own?.keyFile;
  if (keyFile && !certFile) {
    throw new SettingsError(`${originOf(key ? "key" : "url").name}: a key needs its certificate`);
  }
  const ca = read("cacert", own?.caFile);
  const certText = read("cert", own?.certFile);
  // Without a key of its own, the certificate's file holds both.
  const keyText = keyFile ? read("key", own?.keyFile) : certText;
  const insecure = tlsInsecure || own?.verify === false;
  return {
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(certText === undefined ? {} : { cert: certText }),
      ...(keyText === undefined ? {} : { key: keyText }),
      ...(tlsServername ? { servername: tlsServername } : {}),
      insecure,
      checkHostname: !insecure && own?.checkHostname !== false,
    },
  };
}

/** @throws SettingsError if Tele's and Odoo's variables give two connections that differ. */
export function refuseOtherConnection(ofTele: RedisConnection, ofOdoo: RedisConnection): void {
  if (isDeepStrictEqual(withoutHints(ofTele), withoutHints(ofOdoo))) return;
  const [tele, odoo] = [describeConnection(ofTele), describeConnection(ofOdoo)];
  const difference =
    tele === odoo
      ? `differ in the credentials or TLS for ${tele}`
      : `name different servers: ${tele} and ${odoo}`;
  throw new SettingsError(
    `TELE_SESSION_REDIS_* and ODOO_SESSION_REDIS_* ${difference}. ` +
      "Unset one of them, or name the server with --url or --host",
  );
}

function withoutHints(connection: RedisConnection): unknown {
  const { hints: _, ...access } = accessOf(connection);
  return { ...connection, [connection.topology === "sentinel" ? "master" : "target"]: access };
}

function accessOf(connection: RedisConnection): Omit<RedisTarget, "address"> {
  return connection.topology === "sentinel" ? connection.master : connection.target;
}

function describeConnection(connection: RedisConnection): string {
  if (connection.topology !== "sentinel") {
    return `${connection.topology} ${describeTarget(connection.target)}`;
  }
  return `Sentinel ${connection.sentinels.map(({ host, port }) => `${host}:${port}`).join(", ")}`;
}

/** session_redis before 18.0 reads the host, the port, the password and a URL, and nothing else. */
export function warnOfWhatOldAppletsMiss(settings: Settings, connection: RedisConnection): readonly string[] {
  const { db, username, tls } = accessOf(connection);
  const url = connection.topology === "sentinel" ? null : settings.url;
  const missed = [
    db !== (url?.db ?? 0) && "db",
    username !== url?.username && "username",
    tls && url?.scheme !== "rediss" && "tls",
    settings.cluster && "cluster",
  ] as const;
  return missed.flatMap((name) =>
    name
      ? [
          `${settings.originOf(name).name}: session_redis before 18.0 does not read this setting. ` +
            "Put it into a URL, or check that the server uses the same Redis",
        ]
      : [],
  );
}
