import { setTimeout as sleep } from "node:timers/promises";
import { startRedis } from "../../../support/servers/redis-server.js";
import type { Situation } from "./situation.js";

const environment = () => ({ TELE_SESSION_REDIS_PASSWORD: "pw" });
const asApp = ["--username", "app"];
const differing = '{"db": "x", "uid": 1, "v": "from before"}';

/** Commands that are denied or hidden, one at a time; logins that Redis refuses. */
export const commands: readonly Situation[] = [
  {
    name: "SET is denied: nothing is copied, it is named",
    prepare: (field) => field.allow("-set"),
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: 5, says: ["SET"], keys: 0, files: 9 },
  },
  {
    name: "INFO is denied, copy with purge: it says what cannot be seen, looks again and goes on",
    prepare: (field) => field.allow("-info"),
    environment,
    run: () => ["copy", "--purge", "--quiet", ...asApp],
    must: { exit: 0, says: ["INFO"], counts: { copied: 9, purged: 9 }, keys: 9, files: 0 },
  },
  {
    name: "CLIENT LIST is denied, copy: it goes on and says so",
    prepare: (field) => field.allow("-client|list"),
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: 0, says: ["CLIENT LIST"], keys: 9, files: 9 },
  },
  {
    name: "CLIENT LIST is denied, purge: refused, and --alone is named",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.allow("-client|list");
    },
    environment,
    run: () => ["purge", ...asApp],
    must: { exit: 5, says: ["CLIENT LIST", "--alone"], keys: 9, files: 9 },
  },
  {
    name: "CLIENT LIST is denied, copy with purge: it copies, and the purge is refused",
    prepare: (field) => field.allow("-client|list"),
    environment,
    run: () => ["copy", "--purge", ...asApp],
    must: { exit: 5, says: ["CLIENT LIST", "--alone"], keys: 9, files: 9 },
  },
  {
    name: "CLIENT LIST is denied, purge --alone",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.allow("-client|list");
    },
    environment,
    run: () => ["purge", "--alone", ...asApp],
    must: { exit: 0, counts: { removed: 9 }, keys: 9, files: 0 },
  },
  {
    name: "CLIENT SETNAME is denied, purge: other runs cannot see this one, and that is said",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.allow("-client|setname");
    },
    environment,
    run: () => ["purge", ...asApp],
    must: { exit: [0, 5], says: ["CLIENT SETNAME"], keys: 9 },
  },
  {
    name: "EVAL is denied and a key holds another value",
    prepare: async (field) => {
      await field.serverSaves(0, differing);
      await field.allow("-eval", "-evalsha");
    },
    environment,
    run: () => ["copy", "--on-conflict", "overwrite", ...asApp],
    must: { exit: 5, says: ["EVAL"], files: 9 },
  },
  {
    name: "GET is denied",
    prepare: async (field) => {
      await field.serverSaves(0, differing);
      await field.allow("-get", "-mget", "-getrange");
    },
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: 5, says: ["GET"], files: 9 },
  },
  {
    name: "SCAN is denied, no prefix: no reason to refuse",
    prepare: (field) => field.allow("-scan"),
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: 0, keys: 9 },
  },
  {
    name: "SCAN is denied with a prefix: refused, SCAN and --key-layout are named",
    prepare: (field) => field.allow("-scan"),
    environment,
    run: () => ["copy", "--prefix", "shop", ...asApp],
    must: { exit: 5, says: ["SCAN", "--key-layout"], keys: 0 },
  },
  {
    name: "SCAN is denied with a prefix and a named layout",
    prepare: (field) => {
      field.keyPrefix = "session::shop:";
      return field.allow("-scan");
    },
    environment,
    run: () => ["copy", "--prefix", "shop", "--key-layout", "applet", ...asApp],
    must: { exit: 0, keys: 9 },
  },
  {
    name: "PEXPIRETIME is denied: verify names it",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.allow("-pexpiretime");
    },
    environment,
    run: () => ["verify", ...asApp],
    must: { exit: [0, 5], says: ["PEXPIRETIME"], keys: 9, files: 9 },
  },
  {
    name: "PEXPIRETIME is denied: a purge does not take an unread lifetime for a right one",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.allow("-pexpiretime");
    },
    environment,
    run: () => ["purge", ...asApp],
    must: { exit: [0, 5], says: ["PEXPIRETIME"], keys: 9 },
  },
  {
    name: "CONFIG and every other dangerous command but INFO and CLIENT are denied: nothing is missing",
    prepare: (field) => field.allow("-@dangerous", "+info", "+client"),
    environment,
    run: () => ["copy", "--purge", ...asApp],
    must: { exit: 0, counts: { purged: 9 }, keys: 9, files: 0 },
  },
  {
    name: "no right to our own keys: a copy says that it leaves no mark",
    prepare: (field) => field.allow("resetkeys", "~session:*"),
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: 0, says: ["tele-sessions:"], keys: 9, files: 9 },
  },
  {
    name: "no right to our own keys: a purge removes nothing",
    prepare: async (field) => {
      await field.before(["copy"]);
      await field.allow("resetkeys", "~session:*");
    },
    environment,
    run: () => ["purge", ...asApp],
    must: { exit: 5, says: ["tele-sessions:"], keys: 9, files: 9 },
  },
  {
    name: "no right to session keys",
    prepare: (field) => field.allow("resetkeys", "~tele-sessions:*", "~cache:*"),
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: 5, says: ["session:"], keys: 0, files: 9 },
  },
  {
    name: "TIME is denied: it is named",
    prepare: (field) => field.allow("-time"),
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: [0, 5], says: ["TIME"], files: 9 },
  },
  {
    name: "WAIT is denied and a replica is to be waited for: nothing is removed",
    slow: true,
    prepare: async (field) => {
      const replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(field.redis.port)] });
      field.later(() => replica.stop());
      while (!/state=online/.test(String(await field.ask("INFO", "replication")))) await sleep(50);
      await field.allow("-wait");
    },
    environment,
    run: () => ["copy", "--purge", "--wait-replicas", "1", ...asApp],
    must: { exit: 5, says: ["WAIT"], files: 9 },
  },
  {
    name: "a password is needed and none was given",
    redis: ["--requirepass", "pw"],
    run: () => ["copy"],
    must: { exit: 5, says: ["TELE_SESSION_REDIS_PASSWORD"], files: 9 },
    unbound: "nothing asked",
  },
  {
    name: "the wrong password",
    prepare: (field) => field.allow(),
    environment: () => ({ TELE_SESSION_REDIS_PASSWORD: "NotToBeShown" }),
    run: () => ["copy", ...asApp],
    must: { exit: 5, says: [/password/i], keys: 0, files: 9 },
  },
  {
    name: "a password for a Redis that has none",
    environment,
    run: () => ["copy"],
    must: { exit: 0, says: [/password/i], keys: 9 },
  },
  {
    name: "a user that was switched off",
    prepare: (field) => field.allow("off"),
    environment,
    run: () => ["copy", ...asApp],
    must: { exit: 5, says: [/user|password/i], keys: 0, files: 9 },
  },
  {
    name: "SET is taken away while the copy runs: what was confirmed stays",
    fault: true,
    sessions: 30,
    prepare: (field) => field.allow(),
    environment,
    run: () => ["copy", "--purge", "--max-rate", "20", ...asApp],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      await field.ask("ACL", "SETUSER", "app", "-set");
    },
    must: { exit: 5, says: ["SET"], counts: { purged: 0 }, files: 30 },
  },
  {
    name: "the user is deleted while the copy runs",
    fault: true,
    sessions: 30,
    prepare: (field) => field.allow(),
    environment,
    run: () => ["copy", "--purge", "--max-rate", "20", ...asApp],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      await field.ask("ACL", "DELUSER", "app");
    },
    must: { exit: 5, counts: { purged: 0 }, files: 30 },
  },
  {
    name: "EVAL is hidden and a key holds another value",
    redis: ["--rename-command", "EVAL", ""],
    prepare: (field) => field.serverSaves(0, differing),
    run: () => ["copy", "--on-conflict", "overwrite"],
    must: { exit: 5, says: ["EVAL"], hides: [/try again/i], files: 9 },
  },
  {
    name: "CLIENT is hidden: a purge is refused",
    redis: ["--rename-command", "CLIENT", ""],
    run: () => ["copy", "--purge"],
    must: { exit: 5, says: ["CLIENT", "--alone"], keys: 9, files: 9 },
  },
  {
    name: "INFO is hidden: what cannot be seen is said",
    redis: ["--rename-command", "INFO", ""],
    run: () => ["copy", "--quiet"],
    must: { exit: 0, says: ["INFO"], keys: 9 },
  },
  {
    name: "SELECT is hidden and a database was named",
    redis: ["--rename-command", "SELECT", ""],
    run: () => ["copy", "--db", "1"],
    must: { exit: 5, says: [/SELECT|--db|database/], keys: 0, files: 9 },
  },
];
