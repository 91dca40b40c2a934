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

/** A Redis server and how to log in. */
export interface RedisTarget {
  /** A host and port, or a Unix socket's path. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly db: number;
  /** Whether it is a node of a Cluster, whose masters together are the target. */
  readonly isCluster?: true;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: RedisTls;
  readonly hints?: ConnectionHints;
}

/** Sentences about settings that people see only if the connection fails. They hold no secret. */
export interface ConnectionHints {
  /** The server cannot be reached, or does not speak as expected. */
  readonly connection?: string;
  /** The server refuses the login. */
  readonly login?: string;
}

/** `host:port/db` or `path/db`: how people see a target. It holds no credentials. */
export function describeTarget(target: RedisTarget): string {
  const { address, db } = target;
  return "path" in address ? `${address.path}/${db}` : `${address.host}:${address.port}/${db}`;
}
