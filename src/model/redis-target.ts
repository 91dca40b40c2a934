/** How TLS is made; absent parts take Node's defaults, certificates are verified unless `insecure`. */
export interface RedisTls {
  /** PEM text of the authorities that are trusted, in place of the system's. */
  readonly ca?: string;
  /** PEM text of our certificate and its key, for servers that ask for one. */
  readonly cert?: string;
  readonly key?: string;
  /** The name that the server's certificate must carry, where it is not the host. */
  readonly servername?: string;
  /** Whether the server's certificate goes unverified. */
  readonly insecure: boolean;
  /** Whether the name in the certificate is compared with the host. */
  readonly checkHostname: boolean;
}

/** A single Redis server and how to get in. */
export interface RedisTarget {
  /** A host and port, or a Unix socket's path. */
  readonly address: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly db: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: RedisTls;
  readonly hints?: ConnectionHints;
}

/** Sentences about the settings that are said only if this goes wrong. They hold no secret. */
export interface ConnectionHints {
  /** The server cannot be reached, or does not speak as expected. */
  readonly connection?: string;
  /** The server refuses the login. */
  readonly login?: string;
}

/** `host:port/db` or `path/db`: how a target is named to people. Never holds a credential. */
export function describeTarget(target: RedisTarget): string {
  const { address, db } = target;
  return "path" in address ? `${address.path}/${db}` : `${address.host}:${address.port}/${db}`;
}
