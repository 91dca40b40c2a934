import { SettingsError } from "../model/errors.js";
import type { RedisTarget, RedisTls } from "../redis/redis-target.js";
import type { FileSystemReader } from "./file-system-reader.js";
import { readPasswordFile, readTextFile } from "./read-text-file.js";
import type { RedisUrl } from "./redis-url.js";
import type { SettingName } from "./setting-definitions.js";
import type {
  Environment,
  HostAndPort,
  Setting,
  SettingOrigin,
  Settings,
  TypedSettings,
} from "./settings.js";

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
] as const satisfies readonly SettingName[];

/**
 * The settings whose variables say nothing beside the flags typed: a `--url`, `--host` or `--sentinel` flag hides every
 * connection variable of the other kinds, and a variable that only completes another one needs that one.
 */
export function findHiddenVariables(
  typed: TypedSettings,
  environment: Environment,
): ReadonlySet<SettingName> {
  const sentinelIsNamed = typed.sentinel !== undefined || environment["TELE_SESSION_REDIS_SENTINEL_HOST"];
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
    const connection = resolveSentinel(sentinels, origin, settings, files);
    warnOfWhatTheAppletMisses(settings, connection.master, undefined, warnings);
    return connection;
  }
  const target = url ? resolveUrl(url, settings, files, warnings) : resolveHost(settings, files);
  if (cluster && target.db !== 0) {
    throw new SettingsError(
      `${settings.cluster.origin.name}: a Cluster has database 0 only, not ${target.db}`,
    );
  }
  warnOfWhatTheAppletMisses(settings, target, url?.value, warnings);
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
  return {
    address: { host: settings.host.value, port: settings.port.value },
    db: settings.db.value,
    ...readCredentials(settings, files),
    ...(tls ? { tls } : {}),
  };
}

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
  const separate = readCredentials(settings, files);
  const own: Credentials = {
    ...(url.username && !flagFor(username) ? { username: url.username } : {}),
    ...(url.password && !flagFor(passwordFile) ? { password: url.password } : {}),
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
  return {
    ...(username?.value ? { username: username.value } : {}),
    ...(secret === undefined ? {} : { password: secret }),
  };
}

/** Undefined where Redis is talked to in plain text. */
function resolveTls(
  settings: Settings,
  url: Setting<RedisUrl> | undefined,
  files: FileSystemReader,
): RedisTls | undefined {
  const { tls, cacert, cert, key, tlsServername, tlsInsecure } = settings;
  const isOn = tls.value || url?.value.scheme === "rediss";
  if (isOn && url?.value.path !== undefined) {
    throw new SettingsError(`${tls.origin.name}: there is no TLS on a Unix socket`);
  }
  if (!isOn) {
    const idle = [cacert, cert, key, tlsServername, tlsInsecure.value ? tlsInsecure : undefined];
    const first = idle.find((setting) => setting !== undefined);
    if (first) throw new SettingsError(`${first.origin.name} needs TLS: --tls or a rediss: URL`);
    return undefined;
  }
  const own = url?.value.tls ?? {};
  const fromUrl = (path: string | undefined) =>
    path && url ? { value: path, origin: url.origin } : undefined;
  const authority = cacert ?? fromUrl(own.caFile);
  const certificate = cert ?? fromUrl(own.certFile);
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

/** The applet reads the host, the port and the password, and what stands in a URL; nothing else. */
function warnOfWhatTheAppletMisses(
  settings: Settings,
  target: Omit<RedisTarget, "address">,
  url: RedisUrl | undefined,
  warnings: string[],
): void {
  const { db, username, tls, cluster } = settings;
  const missed = [
    target.db !== (url?.db ?? 0) ? db : undefined,
    target.username !== url?.username ? username : undefined,
    target.tls && url?.scheme !== "rediss" ? tls : undefined,
    cluster.value ? cluster : undefined,
  ];
  for (const setting of missed) {
    if (setting) warnings.push(`${setting.origin.name}: the session_redis applet does not read this setting`);
  }
}
