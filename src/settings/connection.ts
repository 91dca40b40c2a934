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
import type {
  Environment,
  HostAndPort,
  Setting,
  SettingOrigin,
  Settings,
  TypedFlags,
} from "./read-settings.js";
import { readPasswordFile, readTextFile } from "./read-text-file.js";
import type { RedisUrl } from "./redis-url.js";
import { isAnySet } from "./variable-families.js";

/** Which Redis is meant, and how it is found. */
export type RedisConnection =
  | { readonly topology: "single"; readonly target: RedisTarget }
  | { readonly topology: "cluster"; readonly target: RedisTarget }
  | {
      readonly topology: "sentinel";
      readonly sentinels: readonly HostAndPort[];
      readonly sentinelPassword?: string;
      readonly masterName: string;
      /** What the master that they name is logged in to with. */
      readonly master: Omit<RedisTarget, "address">;
    };

const sentinelVariables = [
  "sentinelHost",
  "sentinelPort",
  "sentinelMaster",
  "sentinelPassword",
  "sentinelUsername",
  "sentinelTls",
] as const satisfies readonly SettingName[];

/**
 * The settings whose variables say nothing beside the flags typed: a `--url`, `--host` or `--sentinel` flag hides every
 * connection variable of the other kinds, and a variable that only completes another one needs that one.
 */
export function findHiddenVariables(
  typed: TypedFlags,
  environment: Environment,
  byOdoo: ReadonlySet<SettingName>,
): ReadonlySet<SettingName> {
  const family = byOdoo.has("sentinelHost") ? "odooVariable" : "variable";
  const sentinelIsNamed = typed.sentinel !== undefined || isAnySet(["sentinelHost"], family, environment);
  return new Set<SettingName>([
    ...(typed.url === undefined ? [] : ([...sentinelVariables, "host", "port", "db"] as const)),
    ...(typed.host === undefined ? [] : ([...sentinelVariables, "url"] as const)),
    ...(typed.sentinel === undefined
      ? []
      : (["sentinelHost", "sentinelPort", "url", "host", "port"] as const)),
    ...(sentinelIsNamed ? [] : sentinelVariables),
    ...(typed.passwordFile === undefined ? [] : (["password"] as const)),
    ...(typed.sentinelPasswordFile === undefined ? [] : (["sentinelPassword"] as const)),
    ...(typed.shardCount === undefined ? (["jobCompletionIndex"] as const) : []),
  ]);
}

/**
 * Sentinel over URL over host and port. Throws `SettingsError` where settings contradict each other or a file they name
 * cannot be read; what deserves a warning is pushed onto `warnings`.
 */
export function resolveConnection(
  settings: Settings,
  files: FileSystemReader,
  warnings: string[],
): RedisConnection {
  const { sentinel, sentinelHost, url } = settings;
  refuseTwoKinds(settings);
  const sentinels =
    sentinel?.value ?? (sentinelHost && [{ host: sentinelHost.value, port: settings.sentinelPort.value }]);
  const cluster = settings.cluster.value;
  if (sentinels !== undefined) {
    if (url) warnings.push(`${url.origin.name} is ignored: a Sentinel is set`);
    const origin = (sentinel ?? sentinelHost ?? settings.sentinelPort).origin;
    return resolveSentinel(sentinels, origin, settings, files);
  }
  const target = url ? resolveUrl(url, settings, files, warnings) : resolveHost(settings, files);
  if (cluster && "path" in target.address) {
    throw new SettingsError(`${settings.cluster.origin.name}: a Cluster has no Unix socket`);
  }
  if (cluster && target.db !== 0) {
    throw new SettingsError(
      `${settings.cluster.origin.name}: a Cluster has database 0 only, not ${target.db}`,
    );
  }
  return { topology: cluster ? "cluster" : "single", target };
}

function refuseTwoKinds(settings: Settings): void {
  const { url, host, port, db, sentinel, sentinelHost, cluster } = settings;
  const sentinelSetting = sentinel ?? sentinelHost;
  const kinds = [url, host, sentinel].filter((setting) => setting?.origin.from === "flag");
  const [first, second] = kinds.map((setting) => setting?.origin.name);
  if (second !== undefined) throw new SettingsError(`${first} and ${second} exclude each other`);
  if (sentinelSetting && cluster.value) {
    throw new SettingsError(`${sentinelSetting.origin.name} and ${cluster.origin.name} exclude each other`);
  }
  if (sentinelSetting && port.origin.from === "flag") {
    throw new SettingsError(`--port says nothing beside ${sentinelSetting.origin.name}`);
  }
  if (url && !sentinelSetting) {
    for (const setting of [port, db]) {
      if (setting.origin.from !== "flag") continue;
      throw new SettingsError(
        `${setting.origin.name} says nothing beside ${url.origin.name}: the URL holds it`,
      );
    }
  }
}

function resolveSentinel(
  sentinels: readonly HostAndPort[],
  origin: SettingOrigin,
  settings: Settings,
  files: FileSystemReader,
): Extract<RedisConnection, { topology: "sentinel" }> {
  const { sentinelMaster, sentinelPasswordFile, sentinelPassword } = settings;
  if (!sentinelMaster?.value) {
    throw new SettingsError(
      `${origin.name} needs the master's name: --sentinel-master or TELE_SESSION_REDIS_SENTINEL_MASTER_NAME`,
    );
  }
  const ownPassword = sentinelPasswordFile
    ? readPasswordFile(sentinelPasswordFile.value, sentinelPasswordFile.origin, files)
    : sentinelPassword?.value;
  const tls = resolveTls(settings, undefined, files);
  return {
    topology: "sentinel",
    sentinels,
    ...(ownPassword === undefined ? {} : { sentinelPassword: ownPassword }),
    masterName: sentinelMaster.value,
    master: { db: settings.db.value, ...readCredentials(settings, files), ...(tls ? { tls } : {}) },
  };
}

function resolveHost(settings: Settings, files: FileSystemReader): RedisTarget {
  const tls = resolveTls(settings, undefined, files);
  const credentials = readCredentials(settings, files);
  const { host, port } = settings;
  const mayNeedTls = [host, port].some(({ origin }) => origin.odoo) && settings.tls.origin.from === "default";
  return {
    address: { host: host.value, port: port.value },
    db: settings.db.value,
    ...credentials,
    ...(tls ? { tls } : {}),
    ...(mayNeedTls ? { hints: { ...credentials.hints, connection: odooTlsHint } } : {}),
  };
}

const odooTlsHint =
  "ODOO_SESSION_REDIS_SSL is unset: session_redis 18.0 and later then use TLS, this tool does not. If this port speaks TLS, set it to 1";

function resolveUrl(
  { value: url, origin }: Setting<RedisUrl>,
  settings: Settings,
  files: FileSystemReader,
  warnings: string[],
): RedisTarget {
  warnings.push(...url.warnings.map((warning) => `${origin.name}: ${warning}`));
  if (origin.from === "flag" && url.password !== undefined) {
    warnings.push(
      "--url holds a password, which shows in `ps`: --password-file or TELE_SESSION_REDIS_PASSWORD hide it",
    );
  }
  const { host = "localhost", port = 6379, db = 0 } = url;
  const address = url.path === undefined ? { host, port } : { path: url.path };
  const passedOver = [
    url.path === undefined && settings.host.value !== host ? settings.host : undefined,
    url.path === undefined && settings.port.value !== port ? settings.port : undefined,
    settings.db.value !== db ? settings.db : undefined,
  ];
  if (settings.tls.origin.odoo && settings.tls.value && url.scheme !== "rediss") {
    warnings.push(`${settings.tls.origin.name} is ignored: ${origin.name} says whether TLS is used`);
  }
  for (const setting of passedOver) {
    if (setting?.origin.from === "variable") {
      warnings.push(`${setting.origin.name} is ignored: ${origin.name} says where Redis is`);
    }
  }
  const tls = resolveTls(settings, { value: url, origin }, files);
  return {
    address,
    db,
    ...mergeCredentials(url, origin, settings, files),
    ...(tls ? { tls } : {}),
  };
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly hints?: ConnectionHints;
}

/** A URL's own credentials stand, but give way to flags where the URL is a variable. */
function mergeCredentials(
  url: RedisUrl,
  origin: SettingOrigin,
  settings: Settings,
  files: FileSystemReader,
): Credentials {
  const { username, passwordFile } = settings;
  const flagFor = (setting: Setting<string> | undefined) => setting?.origin.from === "flag";
  if (origin.from === "flag") {
    const both = [
      url.username && flagFor(username) && username,
      url.password && flagFor(passwordFile) && passwordFile,
    ];
    for (const setting of both) {
      if (setting) throw new SettingsError(`--url and ${setting.origin.name} both say it: give it once`);
    }
  }
  const { hints, ...separate } = readCredentials(settings, files);
  const own: Credentials = {
    ...(url.username && !flagFor(username) ? { username: url.username } : {}),
    ...(url.password && !flagFor(passwordFile)
      ? { password: url.password, ...loginHints(url.password, origin) }
      : hints
        ? { hints }
        : {}),
  };
  return { ...separate, ...own };
}

function readCredentials(
  { username, password, passwordFile }: Settings,
  files: FileSystemReader,
): Credentials {
  if (password && passwordFile) {
    throw new SettingsError(
      `${password.origin.name} and ${passwordFile.origin.name} both give the password: set one of them`,
    );
  }
  const secret = passwordFile
    ? readPasswordFile(passwordFile.value, passwordFile.origin, files)
    : password?.value;
  const origin = (passwordFile ?? password)?.origin;
  return {
    ...(username?.value ? { username: username.value, ...loginHints(username.value, username.origin) } : {}),
    ...(secret === undefined ? {} : { password: secret }),
    ...(secret !== undefined && origin ? loginHints(secret, origin) : {}),
  };
}

/** What is often no part of a password or a user name, but is sent as it stands. */
function loginHints(text: string, { name }: SettingOrigin): Pick<Credentials, "hints"> {
  const seen = /[\r\n]$/.test(text)
    ? "ends in a newline (echo adds one, printf %s does not)"
    : /\s$/.test(text)
      ? "ends in white space"
      : /^\s/.test(text)
        ? "begins with white space"
        : /^(["']).+\1$/s.test(text)
          ? "stands in quotation marks"
          : undefined;
  return seen === undefined ? {} : { hints: { login: `The value of ${name} ${seen}, and was sent so` } };
}

/** Undefined where Redis is talked to in plain text. */
function resolveTls(
  settings: Settings,
  url: Setting<RedisUrl> | undefined,
  files: FileSystemReader,
): RedisTls | undefined {
  const { tls, cacert, cert, key, tlsServername, tlsInsecure } = settings;
  // As in session_redis, Odoo's switch means host and port; a URL says it itself.
  const isSwitchedOn = tls.value && !(url && tls.origin.odoo);
  const isOn = isSwitchedOn || url?.value.scheme === "rediss";
  if (isOn && url?.value.path !== undefined) {
    throw new SettingsError(`${tls.origin.name}: there is no TLS on a Unix socket`);
  }
  if (!isOn) {
    const idle = [cacert, cert, key, tlsServername, tlsInsecure.value ? tlsInsecure : undefined];
    const first = idle.find((setting) => setting !== undefined && !setting.origin.odoo);
    if (first) throw new SettingsError(`${first.origin.name} needs TLS: --tls or a rediss: URL`);
    return undefined;
  }
  const own = url?.value.tls ?? {};
  const fromUrl = (path: string | undefined) =>
    path && url ? { value: path, origin: url.origin } : undefined;
  const authority = cacert ?? fromUrl(own.caFile);
  const certificate = cert ?? fromUrl(own.certFile);
  if (cert && !key && own.keyFile === undefined) {
    throw new SettingsError(
      `${cert.origin.name} needs the certificate's key: --key or TELE_SESSION_REDIS_KEY`,
    );
  }
  const keyFile = key ?? fromUrl(own.keyFile) ?? certificate;
  if (keyFile && !certificate) throw new SettingsError(`${keyFile.origin.name}: a key needs its certificate`);
  const read = (setting: Setting<string>) => readTextFile(setting.value, setting.origin, files);
  const insecure = tlsInsecure.value || own.verify === false;
  return {
    ...(authority ? { ca: read(authority) } : {}),
    ...(certificate ? { cert: read(certificate) } : {}),
    ...(keyFile ? { key: read(keyFile) } : {}),
    ...(tlsServername ? { servername: tlsServername.value } : {}),
    insecure,
    checkHostname: !insecure && own.checkHostname !== false,
  };
}

/** Throws `SettingsError` if Tele's and Odoo's variables both give a connection and do not mean the same. */
export function refuseOtherConnection(ofTele: RedisConnection, ofOdoo: RedisConnection): void {
  if (isDeepStrictEqual(withoutHints(ofTele), withoutHints(ofOdoo))) return;
  const [tele, odoo] = [describeConnection(ofTele), describeConnection(ofOdoo)];
  const difference =
    tele === odoo
      ? `differ in the credentials or TLS for ${tele}`
      : `name different servers: ${tele} and ${odoo}`;
  throw new SettingsError(
    `TELE_SESSION_REDIS_* and ODOO_SESSION_REDIS_* ${difference}. Unset one of them, or name the server with --url or --host`,
  );
}

function withoutHints(connection: RedisConnection): RedisConnection {
  if (connection.topology === "sentinel") {
    const { hints: _, ...master } = connection.master;
    return { ...connection, master };
  }
  const { hints: _, ...target } = connection.target;
  return { ...connection, target };
}

function describeConnection(connection: RedisConnection): string {
  if (connection.topology !== "sentinel")
    return `${connection.topology} ${describeTarget(connection.target)}`;
  return `Sentinel ${connection.sentinels.map(({ host, port }) => `${host}:${port}`).join(", ")}`;
}

/** session_redis before 18.0 reads the host, the port and the password, and what stands in a URL; nothing else. */
export function warnOfWhatOldAppletsMiss(settings: Settings, connection: RedisConnection): readonly string[] {
  const { db, username, tls, cluster } = settings;
  const isSentinel = connection.topology === "sentinel";
  const target = isSentinel ? connection.master : connection.target;
  const url = isSentinel ? undefined : settings.url?.value;
  const missed = [
    target.db !== (url?.db ?? 0) ? db : undefined,
    target.username !== url?.username ? username : undefined,
    target.tls && url?.scheme !== "rediss" ? tls : undefined,
    cluster.value ? cluster : undefined,
  ];
  return missed.flatMap((setting) =>
    setting
      ? [
          `${setting.origin.name}: session_redis before 18.0 does not read this setting; put it into a URL, or check that the server uses the same Redis`,
        ]
      : [],
  );
}
