/** TLS options. Absent ones take Node's defaults; certificates are verified unless `insecure`. */
export interface RedisTls {
  /** PEM text of the authorities to trust instead of the system's. */
  readonly ca?: string;
  /** PEM text of our own certificate and its key, for servers that ask for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must have; absent: the host. */
  readonly servername?: string;
  /** Whether to accept the server's certificate without verifying it. */
  readonly insecure: boolean;
  /** Whether the name in the certificate must match the host. */
  readonly checkHostname: boolean;
}

/** A host and port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where one server listens: a host and port, or a Unix socket's path. */
export type ServerAddress = HostAndPort | { readonly path: string };

/** A master that Sentinels watch, and how to ask them for its address. */
export interface WatchedMaster {
  readonly masterName: string;
  /** At least one. */
  readonly sentinels: readonly HostAndPort[];
  /** How to log in to the Sentinels: not as to the master. */
  readonly username?: string;
  readonly password?: string;
  readonly tls?: RedisTls;
}

/** A Redis server and how to log in. */
export interface RedisTarget {
  readonly address: ServerAddress | WatchedMaster;
  readonly db: number;
  /** Whether it is a node of a Cluster, whose masters together are the target. */
  readonly isCluster?: true;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: RedisTls;
  readonly hints?: ConnectionHints;
}

/** A target at a known address. */
export interface ServerTarget extends RedisTarget {
  readonly address: ServerAddress;
}

/** Sentences about settings that people see only if the connection fails. They hold no secret. */
export interface ConnectionHints {
  /** The server cannot be reached, or does not speak as expected. */
  readonly connection?: string;
  /** The server refuses the login. */
  readonly login?: string;
}

/**
 * `host:port/db`, `path/db` or `master/db of Sentinel host:port`: how people see a target. It holds
 * no credentials.
 */
export function describeTarget({ address, db }: Pick<RedisTarget, "address" | "db">): string {
  if (!("sentinels" in address)) return `${describeAddress(address)}/${db}`;
  const { masterName, sentinels } = address;
  return `${masterName}/${db} of Sentinel${sentinels.length === 1 ? "" : "s"} ${listSentinels(sentinels)}`;
}

/** `host:port` or a path. */
export function describeAddress(address: ServerAddress): string {
  return "path" in address ? address.path : `${address.host}:${address.port}`;
}

export function listSentinels(sentinels: readonly HostAndPort[]): string {
  return sentinels.map(describeAddress).join(", ");
}
