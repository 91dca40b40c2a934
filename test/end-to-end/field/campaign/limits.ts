import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectRedis } from "../../../support/servers/redis-client.js";
import { startRedis } from "../../../support/servers/redis-server.js";
import type { Field } from "./field.js";
import type { Situation } from "./situation.js";

const shell = (limit: string): readonly string[] => ["sh", "-c", `${limit}; exec "$@"`, "sh"];

/** A session with so much text in it, as JSON. */
function saveLarge(field: Field, number: number, bytes: number): void {
  const sid = `c${number}`.padEnd(40, "0");
  const value = `{"db": "x", "uid": ${number}, "preview": "${"x".repeat(bytes)}"}`;
  field.saveBytes(join(field.directory, `werkzeug_${sid}.sess`), sid, value, value);
}

/** A file system of 64 KiB with so many bytes free, at `top/full`. */
function mountFull(field: Field, freeBytes: number): void {
  const path = join(field.top, "full");
  mkdirSync(path);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]);
  field.later(() => execFileSync("umount", ["-l", path]));
  writeFileSync(join(path, "filler"), "x".repeat(65_536 - freeBytes));
}

async function limitMemory(field: Field, more: number, policy: string): Promise<void> {
  await field.ask("CONFIG", "SET", "maxmemory-policy", policy);
  await field.ask("CONFIG", "SET", "maxmemory", (await field.info("used_memory")) + more);
}

/** The clients of a Redis that takes no more. */
const taken: Awaited<ReturnType<typeof connectRedis>>[] = [];

/** Limits of Redis and of the machine, one at a time, and what breaks in mid-run. */
export const limits: readonly Situation[] = [
  {
    name: "maxmemory under noeviction: refused before the first write, with both numbers",
    fault: true,
    redis: [],
    sessions: 0,
    prepare: async (field) => {
      for (let number = 0; number < 40; number++) saveLarge(field, number + 10, 50_000);
      await limitMemory(field, 500_000, "noeviction");
    },
    run: () => ["copy"],
    must: { exit: 5, says: [/needed/, /free/, "maxmemory"], keys: 0, files: 40 },
  },
  {
    name: "maxmemory under noeviction: the dry run says so too",
    fault: true,
    redis: [],
    sessions: 0,
    prepare: async (field) => {
      for (let number = 0; number < 40; number++) saveLarge(field, number + 10, 50_000);
      await limitMemory(field, 500_000, "noeviction");
    },
    run: () => ["copy", "--dry-run"],
    must: { exit: 5, says: [/needed/, "maxmemory"], keys: 0, files: 40 },
  },
  {
    name: "volatile-lru: what does not fit in half of the free memory is refused",
    fault: true,
    redis: [],
    sessions: 0,
    prepare: async (field) => {
      for (let number = 0; number < 40; number++) saveLarge(field, number + 10, 50_000);
      await limitMemory(field, 3_000_000, "volatile-lru");
    },
    run: () => ["copy"],
    must: { exit: 5, says: ["volatile-lru"], keys: 0, files: 40 },
  },
  {
    name: "allkeys-lru with room enough: a warning",
    redis: [],
    prepare: (field) => limitMemory(field, 100_000_000, "allkeys-lru"),
    run: () => ["copy"],
    must: { exit: 0, says: ["allkeys-lru"], keys: 9 },
  },
  {
    name: "Redis is full already, and all is in it: nothing to write always fits",
    fault: true,
    redis: [],
    prepare: async (field) => {
      await field.before(["copy"]);
      await limitMemory(field, -1000, "noeviction");
    },
    run: () => ["copy"],
    must: { exit: 0, counts: { identical: 9 }, keys: 9 },
  },
  {
    name: "Redis evicts while the copy runs: exit 4, nothing removed",
    fault: true,
    redis: [],
    sessions: 40,
    prepare: (field) => limitMemory(field, 100_000_000, "allkeys-lru"),
    run: () => ["copy", "--purge", "--max-rate", "20"],
    meanwhile: async (field) => {
      await field.untilKeys(10);
      await field.ask("SET", "filler", "x".repeat(3_000_000));
      await field.ask("CONFIG", "SET", "maxmemory", (await field.info("used_memory")) - 3_005_000);
      await field.ask("SET", "one more", "x");
      await field.ask("CONFIG", "SET", "maxmemory", "200mb");
    },
    must: { exit: 4, says: [/evict/], counts: { purged: 0 }, files: 40 },
  },
  {
    name: "client-output-buffer-limit of 2 MB, and values of 400 KB that have to be compared",
    fault: true,
    redis: ["--client-output-buffer-limit", "normal 2mb 0 0"],
    sessions: 0,
    prepare: async (field) => {
      for (let number = 0; number < 20; number++) saveLarge(field, number + 10, 400_000);
      await field.before(["copy"]);
    },
    run: () => ["verify"],
    must: { exit: 0, counts: { equal: 20 }, keys: 20, files: 20 },
  },
  {
    name: "all of maxclients is taken",
    fault: true,
    redis: ["--maxclients", "3"],
    run: () => ["copy"],
    prepare: async (field) => {
      for (let count = 0; count < 3; count++) taken.push(await connectRedis(field.redis));
    },
    meanwhile: async (_, running) => {
      await running.result;
      for (const client of taken) client.close();
    },
    must: { exit: 3, says: [/clients/] },
  },
  {
    name: "client-query-buffer-limit: the session that is too large fails alone",
    fault: true,
    redis: ["--client-query-buffer-limit", "1mb"],
    prepare: (field) => saveLarge(field, 1, 1_500_000),
    run: () => ["copy", "--purge"],
    must: { exit: 1, counts: { copied: 9, failed: 1, purged: 9 }, keys: 9, files: 1 },
  },
  {
    name: "proto-max-bulk-len: allowed to fail, the rest is purged, and one file is left",
    slow: true,
    fault: true,
    redis: ["--proto-max-bulk-len", "1mb"],
    prepare: (field) => saveLarge(field, 1, 1_500_000),
    run: () => ["copy", "--purge", "--max-failed", "1"],
    must: {
      exit: 4,
      counts: { copied: 9, failed: 1, purged: 9 },
      reasons: ["redis-error"],
      keys: 9,
      files: 1,
    },
  },
  {
    name: "client-output-buffer-limit: a verify of large values reads them in pieces",
    fault: true,
    redis: ["--client-output-buffer-limit", "normal 4mb 0 0"],
    sessions: 0,
    prepare: async (field) => {
      for (let number = 0; number < 30; number++) saveLarge(field, number + 10, 400_000);
      await field.before(["copy"]);
    },
    run: () => ["verify"],
    must: { exit: 0, counts: { equal: 30 }, keys: 30, files: 30 },
  },
  {
    name: "few open files allowed: slower, but nothing fails",
    fault: true,
    sessions: 40,
    under: shell("ulimit -n 32"),
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { copied: 40, purged: 40 }, keys: 40, files: 0 },
  },
  {
    name: "a heap of 48 MB and a session of 8 MB",
    fault: true,
    nodeArgs: ["--max-old-space-size=48"],
    prepare: (field) => saveLarge(field, 1, 8_000_000),
    run: () => ["copy"],
    must: { exit: 0, counts: { copied: 10 }, keys: 10 },
  },
  {
    name: "the report's disk is full before the start",
    fault: true,
    root: true,
    prepare: (field) => mountFull(field, 0),
    run: ({ top }) => ["copy", "--report", join(top, "full", "report.json")],
    must: { exit: [2, 3], says: ["report.json"], files: 9 },
  },
  {
    name: "the report's disk fills up while the failures are written",
    fault: true,
    root: true,
    prepare: (field) => {
      mountFull(field, 8192);
      for (let number = 0; number < 300; number++) {
        field.write(join(field.directory, `werkzeug_${String(number).padStart(40, "d")}.sess`), "no session");
      }
    },
    run: ({ top }) => ["copy", "--report", join(top, "full", "report.json")],
    must: { exit: 3, says: ["report.json"], counts: { copied: 9, failed: 300 }, keys: 9 },
  },
  {
    name: "the temporary directory is full",
    fault: true,
    root: true,
    prepare: (field) => mountFull(field, 0),
    environment: ({ top }) => ({ TMPDIR: join(top, "full") }),
    run: () => ["copy", "--purge"],
    must: { exit: 0, counts: { purged: 9 }, keys: 9, files: 0 },
  },
  {
    name: "the temporary directory is not there",
    fault: true,
    environment: ({ top }) => ({ TMPDIR: join(top, "gone") }),
    run: () => ["copy"],
    must: { exit: 0, keys: 9 },
  },
  {
    name: "Redis cannot save to its disk: it refuses writes",
    fault: true,
    redis: ["--save", "3600 1"],
    prepare: async (field) => {
      rmSync(field.redis.directory, { recursive: true });
      await field.ask("SET", "something", "changed");
      await field.ask("BGSAVE");
      while (!/rdb_last_bgsave_status:err/.test(String(await field.ask("INFO", "persistence")))) await sleep(20);
    },
    run: () => ["copy", "--purge"],
    where: ["redis"],
    environment: ({ redis }) => ({ TELE_SESSION_REDIS_PORT: String(redis.port) }),
    must: { exit: 5, says: [/MISCONF|save|disk/], keys: 0, files: 9 },
  },
  {
    name: "Redis wants a replica that is not there",
    fault: true,
    redis: ["--min-replicas-to-write", "1"],
    run: () => ["copy"],
    must: { exit: [3, 5], says: [/replica/i], keys: 0, files: 9 },
  },
  {
    name: "Redis answers nothing for two seconds",
    fault: true,
    sessions: 30,
    run: () => ["copy", "--purge", "--max-rate", "30"],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      await field.ask("CLIENT", "PAUSE", "2000", "ALL");
    },
    must: { exit: 0, counts: { copied: 30, purged: 30 }, keys: 30, files: 0 },
  },
  {
    name: "Redis ends every connection",
    fault: true,
    sessions: 30,
    run: () => ["copy", "--purge", "--max-rate", "30"],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      await field.ask("CLIENT", "KILL", "TYPE", "normal");
    },
    must: { exit: 0, counts: { copied: 30, purged: 30 }, keys: 30, files: 0 },
  },
  {
    name: "Redis is emptied while the copy runs: what it lost is written again before anything is removed",
    fault: true,
    sessions: 30,
    run: () => ["copy", "--purge", "--max-rate", "5"],
    meanwhile: async (field) => {
      await field.untilKeys(10);
      await field.ask("FLUSHALL");
    },
    must: { exit: 0, counts: { purged: 30 }, keys: 30, files: 0 },
  },
  {
    name: "Redis is killed and does not come back",
    fault: true,
    redis: [],
    sessions: 30,
    run: () => ["copy", "--purge", "--max-rate", "30"],
    meanwhile: async (field) => {
      await field.untilKeys(3);
      process.kill(field.redis.pid, "SIGKILL");
      await field.redis.waitForEnd();
      // The general rule asks a Redis, an empty one.
      const other = await sleep(9000).then(() => startRedis({ port: field.redis.port }));
      field.later(() => other.stop());
    },
    slow: true,
    must: { exit: 3, says: [/retry-for|connection/], files: 30 },
  },
  {
    name: "Redis is killed and starts again without its keys",
    fault: true,
    redis: [],
    sessions: 30,
    run: () => ["copy", "--purge", "--max-rate", "5"],
    meanwhile: async (field) => {
      await field.untilKeys(10);
      process.kill(field.redis.pid, "SIGKILL");
      await field.redis.waitForEnd();
      const other = await startRedis({ port: field.redis.port });
      field.later(() => other.stop());
    },
    must: { exit: 0, counts: { purged: 30 }, keys: 30, files: 0 },
  },
  {
    name: "the job runner ends the run: what was in flight is reported",
    fault: true,
    sessions: 30,
    run: () => ["copy", "--purge", "--max-rate", "20"],
    meanwhile: async (field, running) => {
      await field.untilKeys(3);
      running.kill("SIGTERM");
    },
    must: { exit: 143, counts: { purged: 0 }, files: 30 },
  },
  {
    name: "--max-duration is up",
    sessions: 40,
    run: () => ["copy", "--max-rate", "20", "--max-duration", "1s"],
    must: { exit: 6, says: ["--max-duration"], files: 40 },
  },
];
