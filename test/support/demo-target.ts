import { connectRedis, type RedisAddress } from "./servers/redis-client.js";
import { redisCommand } from "./servers/redis-command.js";
import { startRedis } from "./servers/redis-server.js";

/** The Redis that the demo copies into. */
export interface DemoTarget {
  /** What it is, in words. */
  readonly description: string;
  readonly address: RedisAddress;
  /**
   * How the command line is told: switches that anybody may see, and variables where they would
   * show a password.
   */
  readonly args: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  /**
   * Takes away what the demo wrote, sessions by their keys, or the whole server where it is the
   * demo's own.
   */
  cleanUp(keys: AsyncIterable<string>): Promise<void>;
}

/**
 * A Redis of the demo's own, or the one that `TELE_SESSIONS_DEMO_REDIS_URL` names, if its database
 * is empty. Throws an Error of one sentence where it is not.
 */
export async function openDemoTarget(url: string | undefined): Promise<DemoTarget> {
  return url === undefined || url === "" ? openOwn() : openGiven(url);
}

async function openOwn(): Promise<DemoTarget> {
  const server = await startRedis();
  return {
    description: `a Redis of its own on port ${server.port}`,
    address: server,
    args: ["--port", String(server.port)],
    variables: {},
    cleanUp: () => server.stop(),
  };
}

async function openGiven(text: string): Promise<DemoTarget> {
  const address = parseUrl(text);
  const size = await redisCommand(address, "DBSIZE").catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : "no answer";
    throw new Error(`TELE_SESSIONS_DEMO_REDIS_URL names a Redis that cannot be used: ${reason}.`);
  });
  if (size !== 0) {
    throw new Error(
      `TELE_SESSIONS_DEMO_REDIS_URL names a database that is not empty (keys: ${size}), and the demo takes no other.`,
    );
  }
  return {
    description: "the Redis of TELE_SESSIONS_DEMO_REDIS_URL",
    address,
    args: [],
    variables: { TELE_SESSION_REDIS_URL: text },
    cleanUp: (keys) => removeKeys(address, keys),
  };
}

function parseUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url?.protocol.toLowerCase();
  if (url === undefined || (scheme !== "redis:" && scheme !== "rediss:")) {
    throw new Error("TELE_SESSIONS_DEMO_REDIS_URL takes redis://[[user]:password@]host[:port][/database], or rediss:.");
  }
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 6379 : Number(url.port),
    db: Number(url.searchParams.get("db") ?? url.pathname.slice(1)),
    tls: scheme === "rediss:",
    ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
  };
}

async function removeKeys(address: RedisAddress, keys: AsyncIterable<string>): Promise<void> {
  const client = await connectRedis(address);
  try {
    // The database was empty: a mark in it is the demo's.
    const marks = (await client.pipeline([["KEYS", "tele-sessions:mark:*"]]))[0];
    const commands = Array.isArray(marks) ? marks.map((mark: Buffer) => ["DEL", mark]) : [];
    for await (const key of keys) commands.push(["DEL", key]);
    await client.pipeline(commands);
  } finally {
    client.close();
  }
}
