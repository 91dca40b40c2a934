import { commandSets, group, setting, toggle } from "./setting-definition.js";
import { kinds } from "./value-kinds.js";

const { withRedis } = commandSets;

const server = group("Redis", withRedis, {
  url: setting("--url <url>", "redis:, rediss: or unix: URL, read as redis-py reads it", kinds.url, {
    variable: "TELE_SESSION_REDIS_URL",
    secret: true,
  }),
  host: setting("--host <host>", "host of the Redis server", kinds.host, {
    variable: "TELE_SESSION_REDIS_HOST",
    default: "localhost",
  }),
  port: setting("--port <n>", "port of the Redis server", kinds.port, {
    variable: "TELE_SESSION_REDIS_PORT",
    default: "6379",
  }),
  db: setting("--db <n>", "number of the Redis database", kinds.database, {
    variable: "TELE_SESSION_REDIS_DB",
    default: "0",
  }),
  username: setting("--username <name>", "Redis user name, if the server has users (ACL)", kinds.text, {
    variable: "TELE_SESSION_REDIS_USERNAME",
  }),
  password: setting(
    "TELE_SESSION_REDIS_PASSWORD",
    "Redis password; there is no flag for it, because flags show in `ps`",
    kinds.anyText,
    { secret: true },
  ),
  passwordFile: setting(
    "--password-file <file>",
    "file with the Redis password; one line break at its end is dropped",
    kinds.path,
    { variable: "TELE_SESSION_REDIS_PASSWORD_FILE" },
  ),
});

const tls = group("TLS", withRedis, {
  tls: toggle("--tls", "connect with TLS, as a rediss: URL does; certificates are verified", {
    variable: "TELE_SESSION_REDIS_TLS",
    odooVariable: "ODOO_SESSION_REDIS_SSL",
  }),
  cacert: setting("--cacert <file>", "PEM file with the certificate authorities to trust", kinds.path, {
    variable: "TELE_SESSION_REDIS_CACERT",
    defaultShown: "those that Node trusts",
  }),
  cert: setting(
    "--cert <file>",
    "PEM file with the client certificate, if the server asks for one",
    kinds.path,
    { variable: "TELE_SESSION_REDIS_CERT" },
  ),
  key: setting("--key <file>", "PEM file with the key of the client certificate", kinds.path, {
    variable: "TELE_SESSION_REDIS_KEY",
  }),
  tlsServername: setting(
    "--tls-servername <name>",
    "name that the server's certificate must carry",
    kinds.host,
    { variable: "TELE_SESSION_REDIS_TLS_SERVERNAME", defaultShown: "the host" },
  ),
  tlsInsecure: toggle("--tls-insecure", "do not verify the server's certificate", {
    variable: "TELE_SESSION_REDIS_TLS_INSECURE",
    odooVariable: "ODOO_SESSION_REDIS_SSL_CERT_REQS",
    odooInverted: true,
  }),
});

const topology = group("Sentinel and Cluster", withRedis, {
  sentinel: setting("--sentinel <host:port>", "Sentinel to ask for the master", kinds.hostAndPort, {
    repeatable: true,
  }),
  sentinelHost: setting("TELE_SESSION_REDIS_SENTINEL_HOST", "Sentinel to ask for the master", kinds.host),
  sentinelPort: setting("TELE_SESSION_REDIS_SENTINEL_PORT", "port of that Sentinel", kinds.port, {
    default: "26379",
  }),
  sentinelMaster: setting(
    "--sentinel-master <name>",
    "name of the master; required with a Sentinel",
    kinds.text,
    { variable: "TELE_SESSION_REDIS_SENTINEL_MASTER_NAME" },
  ),
  sentinelPasswordFile: setting(
    "--sentinel-password-file <file>",
    "file with the Sentinels' own password",
    kinds.path,
  ),
  sentinelPassword: setting(
    "TELE_SESSION_REDIS_SENTINEL_PASSWORD",
    "the Sentinels' own password",
    kinds.anyText,
    { secret: true },
  ),
  sentinelUsername: setting("TELE_SESSION_REDIS_SENTINEL_USERNAME", "the Sentinels' user name", kinds.text),
  sentinelTls: toggle("TELE_SESSION_REDIS_SENTINEL_TLS", "connect to the Sentinels with TLS"),
  cluster: toggle("--cluster", "the server is a node of a Redis Cluster", {
    variable: "TELE_SESSION_REDIS_CLUSTER",
  }),
});

/** How Redis is reached. */
export const redisSettings = { ...server, ...tls, ...topology };
