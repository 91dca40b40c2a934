import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Situation } from "./situation.js";

const refused = { exit: 2, keys: 0, files: 6 };

/** Misspelt and contradictory settings. */
export const settings: readonly Situation[] = [
  {
    name: "a variable of the applet's with SESSIONS in its name: a warning that --quiet does not hide",
    sessions: 6,
    run: () => ["copy", "--quiet"],
    environment: () => ({ TELE_SESSIONS_REDIS_PREFIX: "shop" }),
    must: { exit: 0, says: ["TELE_SESSIONS_REDIS_PREFIX", "TELE_SESSION_REDIS_PREFIX"], keys: 6 },
  },
  {
    name: "a misspelt variable of Odoo's: a warning with the nearest name",
    sessions: 6,
    run: () => ["copy", "--quiet"],
    environment: () => ({ ODOO_SESSION_REDIS_EXPIRATON: "3600" }),
    must: { exit: 0, says: ["ODOO_SESSION_REDIS_EXPIRATON", "ODOO_SESSION_REDIS_EXPIRATION"], keys: 6 },
  },
  {
    name: "a misspelt flag: its right name is told",
    sessions: 6,
    run: () => ["copy", "--expiraton", "3600"],
    must: { ...refused, says: ["--expiraton", "--expiration"] },
  },
  {
    name: "a password and a password file, both by variables",
    sessions: 6,
    run: () => ["copy"],
    environment: ({ top }) => {
      writeFileSync(join(top, "secret"), "NotToBeShown");
      return {
        TELE_SESSION_REDIS_PASSWORD: "NotToBeShown",
        TELE_SESSION_REDIS_PASSWORD_FILE: join(top, "secret"),
      };
    },
    must: { ...refused, says: ["TELE_SESSION_REDIS_PASSWORD", "TELE_SESSION_REDIS_PASSWORD_FILE"] },
  },
  {
    name: "a shard number from 0, as an array counts",
    sessions: 6,
    run: () => ["copy", "--shard", "0/4"],
    must: { ...refused, says: ["--shard"] },
  },
  {
    name: "a shard number above the count",
    sessions: 6,
    run: () => ["copy", "--shard", "5/4"],
    must: { ...refused, says: ["--shard"] },
  },
  {
    name: "a completion index that is not below the count",
    sessions: 6,
    run: () => ["copy", "--shard-count", "4"],
    environment: () => ({ JOB_COMPLETION_INDEX: "4" }),
    must: { ...refused, says: [/JOB_COMPLETION_INDEX|--shard-count/] },
  },
  {
    name: "a shard count without a completion index",
    sessions: 6,
    run: () => ["copy", "--shard-count", "4"],
    must: { ...refused, says: [/JOB_COMPLETION_INDEX|--shard-count/] },
  },
  {
    name: "--shard beside --shard-count",
    sessions: 6,
    run: () => ["copy", "--shard", "1/2", "--shard-count", "2"],
    must: { ...refused, says: ["--shard", "--shard-count"] },
  },
  {
    name: "a client certificate without its key",
    sessions: 6,
    run: ({ top }) => ["copy", "--tls", "--cert", join(top, "client.pem")],
    must: { ...refused, says: ["--cert", "--key"] },
  },
  {
    name: "a Cluster behind a Unix socket",
    sessions: 6,
    where: ["redis"],
    run: ({ redis }) => ["copy", "--cluster", "--url", `unix://${redis.socketPath}`],
    must: { ...refused, says: ["--cluster"] },
  },
  {
    name: "a Cluster with a database",
    sessions: 6,
    run: () => ["copy", "--cluster", "--db", "3"],
    must: { ...refused, says: ["--cluster"] },
  },
  {
    name: "the report on stdout, where the JSON goes already",
    sessions: 6,
    run: () => ["copy", "--report", "-"],
    must: { ...refused, says: ["--json", "--report"] },
  },
  {
    name: "-h for the host of a purge, as with redis-cli",
    sessions: 6,
    run: () => ["purge", "-h", "redis-1.example"],
    must: { ...refused, says: ["-h", "--host redis-1.example"] },
  },
  {
    name: "a # in the password of Odoo's URL",
    sessions: 6,
    where: ["redis"],
    run: () => ["copy"],
    environment: () => ({ ODOO_SESSION_REDIS_URL: "redis://:NotToBe#NotToBeShown@redis-1.example:6379/0" }),
    must: { ...refused, says: ["ODOO_SESSION_REDIS_URL", "%23"], hides: ["redis-1"] },
  },
  {
    name: "Tele's and Odoo's variables name two servers",
    sessions: 6,
    where: ["redis"],
    run: () => ["copy"],
    environment: ({ redis }) => ({
      TELE_SESSION_REDIS_HOST: "127.0.0.1",
      TELE_SESSION_REDIS_PORT: String(redis.port),
      ODOO_SESSION_REDIS_URL: "redis://redis-1.example:6379/0",
    }),
    must: { ...refused, says: ["TELE_SESSION_REDIS", "ODOO_SESSION_REDIS"] },
  },
  {
    name: "Tele's and Odoo's variables name one server in two ways",
    sessions: 6,
    where: ["redis"],
    run: () => ["copy"],
    environment: ({ redis }) => ({
      TELE_SESSION_REDIS_HOST: "127.0.0.1",
      TELE_SESSION_REDIS_PORT: String(redis.port),
      ODOO_SESSION_REDIS_URL: `redis://127.0.0.1:${redis.port}/0`,
    }),
    must: { exit: 0, keys: 6 },
  },
  {
    name: "variables that Kubernetes sets for a Service are left alone",
    sessions: 6,
    run: () => ["copy"],
    environment: () => ({
      TELE_SESSION_REDIS_SERVICE_HOST: "10.0.0.1",
      TELE_SESSION_REDIS_SERVICE_PORT: "6379",
      TELE_SESSION_REDIS_PORT_6379_TCP: "tcp://10.0.0.1:6379",
      TELE_SESSION_REDIS_PORT_6379_TCP_ADDR: "10.0.0.1",
    }),
    must: { exit: 0, hides: ["SERVICE_HOST", "6379_TCP"], keys: 6 },
  },
  {
    name: "the port that Kubernetes sets for a Service",
    sessions: 6,
    where: ["redis"],
    run: () => ["copy"],
    environment: () => ({ TELE_SESSION_REDIS_PORT: "tcp://10.0.0.1:6379" }),
    must: { ...refused, says: ["TELE_SESSION_REDIS_PORT", "Kubernetes"] },
  },
  {
    name: "an expiration with a unit",
    sessions: 6,
    run: () => ["copy", "--expiration", "7d"],
    must: { ...refused, says: ["--expiration"] },
  },
  {
    name: "a switch that is neither on nor off",
    sessions: 6,
    run: () => ["--stop-after-init"],
    environment: () => ({ TELE_SESSION_REDIS: "enabled" }),
    must: { ...refused, says: ["TELE_SESSION_REDIS"] },
  },
  {
    name: "a command beside --stop-after-init",
    sessions: 6,
    run: () => ["copy", "--stop-after-init"],
    must: { ...refused, says: ["--stop-after-init"] },
  },
  {
    name: "the pre-deploy step with its first switch off: it says so and touches nothing",
    sessions: 6,
    unbound: "nothing asked",
    run: () => ["--stop-after-init"],
    environment: () => ({
      TELE_SESSION_REDIS: "off",
      TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1",
      TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1",
    }),
    must: { exit: 0, says: ["TELE_SESSION_REDIS"], keys: 0, files: 6 },
  },
  {
    name: "a Sentinel without the name of its master",
    sessions: 6,
    where: ["redis"],
    run: () => ["copy", "--sentinel", "127.0.0.1:26379"],
    must: { ...refused, says: ["--sentinel"] },
  },
  {
    name: "--unverified off a terminal without --yes",
    sessions: 6,
    run: () => ["purge", "--unverified"],
    must: { ...refused, says: ["--yes"] },
  },
  {
    name: "--unverified on copy",
    sessions: 6,
    run: () => ["copy", "--purge", "--unverified", "--yes"],
    must: { ...refused, says: ["--unverified"] },
  },
  {
    name: "a password file that an editor on Windows saved: one line end is dropped",
    sessions: 6,
    prepare: async (field) => {
      await field.allow();
      writeFileSync(join(field.top, "secret"), "pw\r\n");
    },
    run: ({ top }) => ["copy", "--username", "app", "--password-file", join(top, "secret")],
    must: { exit: 0, keys: 6 },
  },
  {
    name: "a configuration file that is not there",
    sessions: 6,
    where: ["directory"],
    run: ({ top }) => ["copy", "--config", join(top, "tele.cnf")],
    must: { ...refused, says: ["--config", "tele.cnf"] },
  },
  {
    name: "a configuration file that is a directory",
    sessions: 6,
    where: ["directory"],
    prepare: ({ top }) => mkdirSync(join(top, "tele.conf")),
    run: ({ top }) => ["copy", "--config", join(top, "tele.conf")],
    must: { ...refused, says: ["--config", "tele.conf"] },
  },
];
