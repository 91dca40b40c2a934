import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "../../../support/servers/free-port.js";
import { redisCommand } from "../../../support/servers/redis-command.js";
import type { RedisServer } from "../../../support/servers/redis-server.js";
import { sidOf } from "../../support/made-session.js";
import { waitUntil } from "../../support/wait-until.js";
import type { SetUp } from "./set-up.js";
import type { SetUpGround } from "./set-up-ground.js";

const password = "NotToBeShown";
const redisOfGround = new WeakMap<SetUpGround, RedisServer>();

async function startWith(ground: SetUpGround, ...args: readonly string[]): Promise<RedisServer> {
  const redis = await ground.startRedis({ args });
  redisOfGround.set(ground, redis);
  return redis;
}

function redisAt(ground: SetUpGround): RedisServer {
  const redis = redisOfGround.get(ground);
  if (redis === undefined) throw new Error("no Redis was started");
  return redis;
}

/** The command of Redis that a remedy names. */
function commandIn(remedy: string): string {
  const [command] = /(?:ACL SETUSER|CONFIG SET) .*/.exec(remedy) ?? [];
  if (command === undefined) throw new Error(`no command: ${remedy}`);
  return command;
}

async function sendRemedy(ground: SetUpGround, remedy: string): Promise<void> {
  await ground.send(redisAt(ground), commandIn(remedy));
}

/** Set-ups in which Redis cannot be reached, refuses us, or has too little to offer. */
export const setUpsOfRedis: readonly SetUp[] = [
  {
    name: "a host that does not exist",
    check: "reachable",
    found: /^the host is unknown$|^the host's name could not be looked up$/,
    remedy: /^check its name .*\((?:ENOTFOUND|EAI_AGAIN)\)$/,
    exit: 3,
    make: async (ground) => {
      await startWith(ground);
      ground.flags.set("--host", "no-such-host.invalid");
    },
    mend: (ground) => ground.flags.set("--host", "localhost"),
  },
  {
    name: "a port on which nothing listens",
    check: "reachable",
    found: /^connection refused$/,
    remedy: /^check that Redis listens on this host and port \(ECONNREFUSED\)$/,
    exit: 3,
    make: async (ground) => {
      await startWith(ground);
      ground.flags.set("--port", String(await findFreePort()));
    },
    mend: (ground) => ground.nameRedis(redisAt(ground)),
  },
  {
    name: "a wrong password",
    check: "login",
    found: /^Redis refused the user name or password$/,
    remedy: /--username, and the password in TELE_SESSION_REDIS_PASSWORD or --password-file$/,
    exit: 5,
    make: async (ground) => {
      await startWith(ground, "--requirepass", password);
      ground.environment["TELE_SESSION_REDIS_PASSWORD"] = `${password}-1`;
    },
    mend: (ground) => {
      ground.environment["TELE_SESSION_REDIS_PASSWORD"] = password;
    },
  },
  {
    name: "a user who does not exist",
    check: "login",
    found: /^Redis refused the user name or password$/,
    remedy: /^check --username/,
    exit: 5,
    make: async (ground) => {
      const redis = await startWith(ground);
      await redisCommand(redis, "ACL", "SETUSER", "mover", "on", `>${password}`, "~*", "&*", "+@all");
      ground.environment["TELE_SESSION_REDIS_PASSWORD"] = password;
      ground.flags.set("--username", "remover");
    },
    mend: (ground) => ground.flags.set("--username", "mover"),
  },
  {
    name: "missing permissions",
    check: "permissions",
    found: /^Redis does not allow this user the keys session:\*$/,
    remedy: /^Allow it in Redis: ACL SETUSER mover .*\+set.* ~session:\*/,
    exit: 5,
    full: true,
    make: async (ground) => {
      const redis = await startWith(ground);
      const rules = ["~tele-sessions:*", "&*", "+@all", "-set", "-scan", "-client"];
      await redisCommand(redis, "ACL", "SETUSER", "mover", "on", `>${password}`, ...rules);
      ground.environment["TELE_SESSION_REDIS_PASSWORD"] = password;
      ground.flags.set("--username", "mover");
    },
    mend: sendRemedy,
  },
  {
    name: "a database that Redis does not have",
    check: "reachable",
    found: /^Redis has no database of that number$/,
    remedy: /^give the one that the server uses with --db$/,
    exit: 5,
    make: async (ground) => {
      await startWith(ground);
      ground.flags.set("--db", "99");
    },
    mend: (ground) => ground.flags.set("--db", "3"),
  },
  {
    name: "a replica",
    check: "reachable",
    found: /^it is a read-only replica$/,
    remedy: /^name its master: --host 127\.0\.0\.1 --port \d+$/,
    exit: 5,
    make: async (ground) => {
      const { port } = await startWith(ground);
      await ground.startRedis({ args: ["--replicaof", `127.0.0.1 ${port}`] });
    },
    mend: (ground, remedy) => ground.takeFlags(remedy),
  },
  {
    name: "the port of a Sentinel",
    check: "reachable",
    found: /^it is a Sentinel, which keeps no sessions$/,
    remedy: /^in place of host and port, give --sentinel 127\.0\.0\.1:\d+ --sentinel-master prod$/,
    exit: 5,
    make: async (ground) => {
      const { port } = await startWith(ground);
      const file = join(ground.top, "sentinel.conf");
      writeFileSync(file, `sentinel monitor prod 127.0.0.1 ${port} 1\n`);
      const sentinel = await ground.startRedis({ sentinel: file });
      ground.nameRedis(sentinel);
    },
    mend: (ground, remedy) => {
      ground.flags.delete("--host");
      ground.flags.delete("--port");
      ground.takeFlags(remedy);
    },
  },
  {
    name: "a master that the Sentinel does not know",
    check: "reachable",
    found: /^Sentinel 127\.0\.0\.1:\d+ knows no master named sessions$/,
    remedy: /^name one that it knows: --sentinel-master prod$/,
    exit: 5,
    make: async (ground) => {
      const { port } = await startWith(ground);
      const file = join(ground.top, "sentinel.conf");
      writeFileSync(file, `sentinel monitor prod 127.0.0.1 ${port} 1\n`);
      const sentinel = await ground.startRedis({ sentinel: file });
      ground.flags.delete("--host");
      ground.flags.delete("--port");
      ground.flags.set("--sentinel", `127.0.0.1:${sentinel.port}`).set("--sentinel-master", "sessions");
    },
    mend: (ground, remedy) => ground.takeFlags(remedy),
  },
  {
    name: "too little memory",
    check: "memory",
    found: /^about [\d.]+ [KM]iB needed, [\d.]+ [KM]iB free of [\d.]+ [KM]iB$/,
    remedy: /^Set maxmemory to at least [\d.]+ MiB\. The last 5% of maxmemory stay free/,
    exit: 5,
    full: true,
    make: async (ground) => {
      const redis = await startWith(ground, "--maxmemory-policy", "noeviction");
      const [, used] = /used_memory:(\d+)/.exec(String(await redisCommand(redis, "INFO", "memory"))) ?? [];
      await redisCommand(redis, "CONFIG", "SET", "maxmemory", String(Number(used) + 200_000));
    },
    mend: async (ground, remedy) => {
      const [, mebibytes] = /at least ([\d.]+) MiB/.exec(remedy) ?? [];
      await ground.send(redisAt(ground), `CONFIG SET maxmemory ${Math.round(Number(mebibytes))}mb`);
    },
  },
  {
    name: "a Redis that evicts keys",
    check: "eviction",
    found: /^Redis evicts keys when it is full \(maxmemory-policy allkeys-lru\)$/,
    remedy: /CONFIG SET maxmemory-policy noeviction$/,
    exit: 0,
    make: (ground) => startWith(ground, "--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"),
    mend: sendRemedy,
  },
  {
    name: "a Redis without persistence",
    check: "persistence",
    found: /^none: a Redis restart would log everyone out$/,
    remedy: /^Before a purge: CONFIG SET appendonly yes$/,
    exit: 0,
    purges: true,
    make: (ground) => startWith(ground),
    mend: sendRemedy,
  },
  {
    name: "servers that save under both key layouts",
    check: "keys",
    found: /^servers save sessions under both session:shop: and session::shop: in this Redis$/,
    remedy: /--key-layout documented or --key-layout applet$/,
    exit: 5,
    make: async (ground) => {
      const redis = await startWith(ground);
      for (const start of ["session:shop:", "session::shop:"]) {
        await redisCommand(redis, "SET", `${start}${sidOf(99)}`, "{}", "PX", "604800000");
      }
      ground.flags.set("--prefix", "shop");
    },
    mend: (ground) => ground.flags.set("--key-layout", "applet"),
  },
  {
    name: "another run in progress",
    check: "other runs",
    found: /^another run copies this directory$/,
    remedy: /wait until it has ended$/,
    exit: 4,
    purges: true,
    make: async (ground) => {
      const redis = await startWith(ground);
      const running = ground.start(["copy", "--max-rate", "1"]);
      await waitUntil("the other run copies", async () =>
        String(await redisCommand(redis, "CLIENT", "LIST")).includes("tele-sessions:copying"),
      );
      // It stands still until it is stopped.
      running.kill("SIGSTOP");
      otherRuns.set(ground, running);
      ground.later(async () => {
        running.kill("SIGKILL");
        await running.result;
      });
    },
    mend: async (ground) => {
      const running = otherRuns.get(ground);
      running?.kill("SIGKILL");
      await running?.result;
    },
  },
];

const otherRuns = new WeakMap<SetUpGround, ReturnType<SetUpGround["start"]>>();
