import { isDeepStrictEqual } from "node:util";
import { SettingsError } from "../model/errors.js";
import {
  describeTarget,
  type HostAndPort,
  type RedisTarget,
  type RedisTls,
  type ServerTarget,
  type WatchedMaster,
} from "../model/redis-target.js";
import type { MissedSetting } from "../model/run-options.js";
import { showablePath } from "../model/showable.js";
import type { SettingName } from "./definitions.js";
import type { Machine } from "./machine.js";
import type { Origin, Settings } from "./read-settings.js";
import { readPasswordFile, readTextFile } from "./read-text-file.js";
import type { RedisUrl } from "./redis-url.js";

/** Which Redis is meant, and how to reach it. */
export interface RedisConnection {
  readonly topology: "single" | "sentinel" | "cluster";
  readonly target: RedisTarget;
}

/**
 * A Sentinel wins over a URL, and a URL over host and port. Warnings are added to `warnings`.
 * @throws SettingsError if settings contradict each other or a file they name cannot be read.
 */
export function resolveConnection(settings: Settings, machine: Machine, warnings: string[]): RedisConnection {
  refuseTwoKinds(settings);
  const { sentinel, sentinelHost, sentinelPort, url, cluster, originOf } = settings;
  const sentinels = sentinel ?? (sentinelHost ? [{ host: sentinelHost, port: sentinelPort }] : null);
  if (sentinels) {
    if (url) warnings.push(`${originOf("url").name} is ignored: a Sentinel is set`);
    return resolveSentinel(sentinels, { ...settings, url: null }, machine);
  }
  if (url) warnings.push(...warnOfUrl(url, settings));
  const target = resolveTarget(settings, machine);
  if (!cluster) return { topology: "single", target };
  const { name } = originOf("cluster");
  if ("path" in target.address) throw new SettingsError(`${name}: a Cluster has no Unix socket`);
  if (target.db !== 0) throw new SettingsError(`${name}: a Cluster has only database 0, not ${target.db}`);
  return { topology: "cluster", target: { ...target, isCluster: true } };
}

function refuseTwoKinds({ url, sentinel, sentinelHost, cluster, originOf }: Settings): void {
  const isTyped = (name: SettingName) => originOf(name).from === "flag";
  const refuse = (first: SettingName, second: SettingName, reason = "") => {
    const [one, other] = [originOf(first).name, originOf(second).name];
    throw new SettingsError(`${one} and ${other} cannot be used together${reason}`);
  };
  const [first, second] = (["url", "host", "sentinel"] as const).filter(isTyped);
  if (first && second) refuse(first, second);
  if (sentinel || sentinelHost) {
    const given = sentinel ? "sentinel" : "sentinelHost";
    if (cluster) refuse(given, "cluster");
    if (isTyped("port")) refuse("port", given);
    return;
  }
  const aside = (["sentinelMaster", "sentinelPasswordFile"] as const).find(isTyped);
  if (aside) {
    const { name } = originOf(aside);
    throw new SettingsError(`${name} needs a Sentinel: --sentinel or TELE_SESSION_REDIS_SENTINEL_HOST`);
  }
  if (url) {
    if (isTyped("port")) refuse("port", "url", ": the URL gives the port");
    if (isTyped("db")) refuse("db", "url", ": the URL gives the database");
  }
}

function resolveSentinel(sentinels: readonly HostAndPort[], settings: Settings, machine: Machine): RedisConnection {
  const { sentinel, sentinelMaster, sentinelPasswordFile, sentinelPassword, sentinelUsername } = settings;
  const { db, originOf } = settings;
  if (!sentinelMaster) {
    const { name } = originOf(sentinel ? "sentinel" : "sentinelHost");
    throw new SettingsError(
      `${name} needs the master's name: --sentinel-master or TELE_SESSION_REDIS_SENTINEL_MASTER_NAME`,
    );
  }
  const ownPassword = sentinelPasswordFile
    ? readPasswordFile(sentinelPasswordFile, originOf("sentinelPasswordFile"), machine)
    : sentinelPassword;
  const tls = readTls(settings, machine, settings.tls || settings.sentinelTls);
  const address: WatchedMaster = {
    masterName: sentinelMaster,
    sentinels,
    ...(sentinelUsername ? { username: sentinelUsername } : {}),
    ...(ownPassword === null ? {} : { password: ownPassword }),
    ...(tls && settings.sentinelTls ? { tls } : {}),
  };
  const credentials = resolveCredentials(settings, machine);
  return { topology: "sentinel", target: { address, db, ...(tls && settings.tls ? { tls } : {}), ...credentials } };
}

/** A URL says where Redis is, or else host and port do. */
function resolveTarget(settings: Settings, machine: Machine): RedisTarget {
  const { url, host, port, db, originOf } = settings;
  // As in session_redis, Odoo's switch is for host and port; a URL says it itself.
  const isTlsOn = url?.scheme === "rediss" || (settings.tls && !(url && originOf("tls").isOdoos));
  const tls = readTls(settings, machine, isTlsOn);
  const credentials = resolveCredentials(settings, machine);
  const isAddressOdoos = !url && (originOf("host").isOdoos || originOf("port").isOdoos);
  const mayNeedTls = isAddressOdoos && originOf("tls").from === "default";
  return {
    address: url?.address ?? { host, port },
    db: url?.db ?? db,
    ...(tls ? { tls } : {}),
    ...credentials,
    ...(mayNeedTls ? { hints: { ...credentials.hints, connection: odooTlsHint } } : {}),
  };
}

const odooTlsHint =
  "ODOO_SESSION_REDIS_SSL is unset: session_redis 18.0 and later use TLS then, but this tool does not. " +
  "If this port speaks TLS, set it to 1";

function* warnOfUrl(url: RedisUrl, settings: Settings): Generator<string> {
  const { tls, originOf } = settings;
  const { name, from } = originOf("url");
  for (const warning of url.warnings) yield `${name}: ${warning}`;
  if (from === "flag" && url.password !== undefined) {
    yield "--url holds a password, which shows in `ps`. Use --password-file or TELE_SESSION_REDIS_PASSWORD";
  }
  if (originOf("tls").isOdoos && tls && url.scheme !== "rediss") {
    yield `${originOf("tls").name} is ignored: ${name} says whether to use TLS`;
  }
  const given = { ...settings, ...url.address, db: url.db };
  for (const setting of ["host", "port", "db"] as const) {
    if (given[setting] !== settings[setting] && originOf(setting).from === "variable") {
      yield `${originOf(setting).name} is ignored: ${name} says where Redis is`;
    }
  }
}

/** A URL's own credentials win over variables, but not over flags. */
function resolveCredentials(
  { url, username, password, passwordFile, originOf }: Settings,
  machine: Machine,
): Pick<RedisTarget, "username" | "password" | "hints"> {
  const isTyped = (name: SettingName) => originOf(name).from === "flag";
  const urlsName = isTyped("username") ? undefined : url?.username;
  const urlsPassword = isTyped("passwordFile") ? undefined : url?.password;
  if (isTyped("url")) {
    const twice = url?.username !== urlsName ? "--username" : url?.password !== urlsPassword ? "--password-file" : null;
    if (twice) throw new SettingsError(`--url and ${twice} give the same thing: set one of them`);
  }
  const passwordOrigin = originOf(passwordFile ? "passwordFile" : "password");
  if (password && passwordFile) {
    const { name } = originOf("password");
    throw new SettingsError(`${name} and ${passwordOrigin.name} both give the password: set one of them`);
  }
  const separate = passwordFile ? readPasswordFile(passwordFile, passwordOrigin, machine) : password;
  const name = urlsName || username;
  const secret = urlsPassword || separate;
  const oddPassword = describeOddity(secret, urlsPassword ? originOf("url") : passwordOrigin);
  const oddName = urlsName || urlsPassword ? null : describeOddity(username, originOf("username"));
  const login = oddPassword ?? oddName;
  return {
    ...(name ? { username: name } : {}),
    ...(secret === null ? {} : { password: secret }),
    ...(login ? { hints: { login } } : {}),
  };
}

/** Null unless a user name or a password looks as if it held more than was meant. */
function describeOddity(text: string | null, { name }: Origin): string | null {
  const oddities = [
    [/[\r\n]$/, "ends in a newline (echo adds one, printf %s does not)"],
    [/\s$/, "ends in white space"],
    [/^\s/, "begins with white space"],
    [/^(["']).+\1$/s, "is in quotation marks"],
  ] as const;
  const [, seen] = oddities.find(([pattern]) => pattern.test(text ?? "")) ?? [];
  return seen === undefined ? null : `The value of ${name} ${seen}, and was sent as it is`;
}

/** `undefined` without TLS. */
function readTls(settings: Settings, machine: Machine, isOn: boolean): RedisTls | undefined {
  const { url, cert, key, tlsServername, originOf } = settings;
  if (!isOn) {
    const idle = (["cacert", "cert", "key", "tlsServername", "tlsInsecure"] as const).find(
      (name) => settings[name] && !originOf(name).isOdoos,
    );
    if (idle) throw new SettingsError(`${originOf(idle).name} needs TLS: --tls or a rediss: URL`);
    return undefined;
  }
  if (url && "path" in url.address) {
    throw new SettingsError(`${originOf("tls").name}: there is no TLS on a Unix socket`);
  }
  if (cert && !key && !url?.tls.keyFile) {
    const { name } = originOf("cert");
    throw new SettingsError(`${name} needs the certificate's key: --key or TELE_SESSION_REDIS_KEY`);
  }
  if ((key || url?.tls.keyFile) && !cert && !url?.tls.certFile) {
    throw new SettingsError(`${originOf(key ? "key" : "url").name}: a key needs its certificate`);
  }
  const read = (name: "cacert" | "cert" | "key", urlsPath: string | undefined) => {
    const path = settings[name] ?? urlsPath;
    return path ? readTextFile(path, originOf(settings[name] ? name : "url"), machine) : undefined;
  };
  const ca = read("cacert", url?.tls.caFile);
  const certText = read("cert", url?.tls.certFile);
  // Without a key of its own, the certificate's file holds both.
  const keyText = read("key", url?.tls.keyFile) ?? certText;
  const insecure = settings.tlsInsecure || url?.tls.verify === false;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certText === undefined || keyText === undefined ? {} : { cert: certText, key: keyText }),
    ...(tlsServername ? { servername: tlsServername } : {}),
    insecure,
    checkHostname: !insecure && url?.tls.checkHostname !== false,
  };
}

/** @throws SettingsError if Tele's and Odoo's variables give two connections that differ. */
export function refuseOtherConnection(ofTele: RedisConnection, ofOdoo: RedisConnection): void {
  if (isDeepStrictEqual(withoutHints(ofTele), withoutHints(ofOdoo))) return;
  const [tele, odoo] = [describeConnection(ofTele), describeConnection(ofOdoo)];
  const difference =
    tele === odoo ? `differ in the credentials or TLS for ${tele}` : `name different servers: ${tele} and ${odoo}`;
  throw new SettingsError(
    `TELE_SESSION_REDIS_* and ODOO_SESSION_REDIS_* ${difference}. ` +
      "Unset one of them, or name the server with --url or --host",
  );
}

function withoutHints({ topology, target: { hints: _, ...target } }: RedisConnection): unknown {
  return { topology, target };
}

function describeConnection({ topology, target }: RedisConnection): string {
  return topology === "sentinel" ? describeTarget(target) : `${topology} ${describeTarget(target)}`;
}

/** session_redis before 18.0 reads the host, the port, the password and a URL, and nothing else. */
export function settingsOldAppletsMiss(
  settings: Settings,
  { topology, target }: RedisConnection,
): readonly MissedSetting[] {
  const { address, db, username, tls } = target;
  const url = topology === "sentinel" ? null : settings.url;
  const missed = [
    db !== (url?.db ?? 0) && "db",
    username !== url?.username && "username",
    tls && url?.scheme !== "rediss" && "tls",
    settings.cluster && "cluster",
  ] as const;
  const check = "check that the server uses the same Redis";
  const remedy =
    "sentinels" in address
      ? `With a Sentinel it has no other way: ${check}`
      : `Set TELE_SESSION_REDIS_URL=${urlOf({ ...target, address })} there, or ${check}`;
  const found = "session_redis before 18.0 does not read this setting";
  return missed
    .filter((name) => typeof name === "string")
    .map((name) => ({ name: settings.originOf(name).name, found, remedy }));
}

/** A URL that means the target, with words for the credentials. */
function urlOf({ address, db, username, password, tls }: ServerTarget): string {
  const login = `${username === undefined ? "" : "USER"}${password === undefined ? "" : ":PASSWORD"}`;
  const at = login === "" ? "" : `${login}@`;
  if ("path" in address) return `unix://${at}${showablePath(address.path)}?db=${db}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `${tls === undefined ? "redis" : "rediss"}://${at}${host}:${address.port}/${db}`;
}
