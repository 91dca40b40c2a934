import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { KillGround } from "../../support/kills/kill-ground.js";
import type { KillPoint } from "../../support/kills/kill-point.js";
import type { RunningCommand } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import type { RedisServer } from "../../support/servers/redis-server.js";
import { behindSentinels } from "../../support/servers/redis-under-test.js";
import {
  masterName,
  type SentinelGroup,
  startSentinelGroup,
  startSentinelOf,
} from "../../support/servers/sentinel-group.js";
import { checkSessions } from "../../support/sessions/check-sessions.js";
import { listFiles, locateSessions } from "../../support/sessions/locate-sessions.js";
import type { MadeSession } from "../../support/sessions/make-sessions.js";
import { makeCertificates } from "../field/set-ups/make-certificates.js";
import { saveSession } from "../support/made-session.js";
import { run } from "../support/observed-run.js";
import { countKeys, redisOf } from "../support/redis-of-test.js";
import { sessionFilesIn } from "../support/session-files-in.js";
import { waitUntil } from "../support/wait-until.js";

/** `npm run test:topologies` sets it. */
const isFull = process.env["TELE_SESSIONS_TOPOLOGIES"] === "all";
const sessions = 1000;
const copyAndPurge = ["copy", "--purge", "--lanes", "1"];

interface Row {
  readonly command: readonly string[];
  /** Whether every session is in Redis beforehand. */
  readonly isCopied?: true;
  /** Where the run stands still while Redis changes its master. */
  readonly at: "reading" | "removing";
  readonly exitCodes: readonly number[];
  readonly inShort?: true;
}

const rows: readonly Row[] = [
  { command: copyAndPurge, at: "reading", exitCodes: [0], inShort: true },
  { command: copyAndPurge, at: "removing", exitCodes: [0, 3] },
  { command: ["copy", "--lanes", "2"], at: "reading", exitCodes: [0] },
  { command: [...copyAndPurge, "--wait-replicas", "1"], at: "removing", exitCodes: [0, 3] },
  { command: ["copy", "--lanes", "1"], isCopied: true, at: "reading", exitCodes: [0] },
  { command: ["verify", "--lanes", "1"], isCopied: true, at: "reading", exitCodes: [0, 3] },
  { command: ["purge", "--lanes", "1"], isCopied: true, at: "reading", exitCodes: [0] },
  { command: ["purge", "--lanes", "1"], isCopied: true, at: "removing", exitCodes: [0, 3] },
];
const points: Readonly<Record<Row["at"], KillPoint>> = {
  reading: { kind: "file operation", name: "openSync", at: 600, side: "before" },
  removing: { kind: "file operation", name: "unlinkSync", at: 300, side: "before" },
};
const changes = {
  "the master is killed": (group) => group.killMaster(),
  "SENTINEL FAILOVER": (group) => group.failOver(),
} satisfies Record<string, (group: SentinelGroup) => Promise<RedisServer>>;

/** A group, and what a run needs to know of it. */
interface Guarded {
  readonly start: () => Promise<SentinelGroup>;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** TLS everywhere, a password and a user of the Sentinels, and a Redis user with the documented rights. */
function guarded(): Guarded {
  const page = readFileSync(join(projectRoot, "docs", "redis-permissions.md"), "utf8");
  const [, granted = ""] = /^ACL SETUSER mover on >PASSWORD (.+)$/m.exec(page) ?? [];
  const [, asked = ""] = /^ACL SETUSER asker on >PASSWORD (.+)$/m.exec(page) ?? [];
  assert.ok(granted !== "" && asked !== "");
  const file = (name: string) => join(certificates, name);
  const certificates = makeCertificates();
  const keys = ["--tls-cert-file", file("redis.pem"), "--tls-key-file", file("redis.key")];
  return {
    start: () =>
      startSentinelGroup({
        // --wait-replicas also needs WAIT.
        args: ["--user", "mover", "on", ">moverpw", ...granted.split(" "), "+wait"],
        lines: ["requirepass sentinelpw", `user asker on >askerpw ${asked}`],
        sentinelLogin: { password: "sentinelpw" },
        tls: ["--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "no", ...keys],
      }),
    flags: ["--tls", "--cacert", file("ca.pem"), "--tls-servername", "localhost", "--username", "mover"],
    environment: {
      TELE_SESSION_REDIS_PASSWORD: "moverpw",
      TELE_SESSION_REDIS_SENTINEL_USERNAME: "asker",
      TELE_SESSION_REDIS_SENTINEL_PASSWORD: "askerpw",
      TELE_SESSION_REDIS_SENTINEL_TLS: "1",
    },
  };
}

const groups: Readonly<Record<string, Guarded>> = {
  ...(isFull ? { "a failover": { start: startSentinelGroup } } : {}),
  "a failover, with TLS, passwords and the least rights": guarded(),
};
for (const [name, { start, flags = [], environment = {} }] of Object.entries(groups)) {
  describe(name, () => {
    let group: SentinelGroup;
    let ground: KillGround;

    before(async () => {
      group = await start();
      const redis = behindSentinels(group);
      ground = await KillGround.make(
        { ...redis, flags: [...redis.flags, ...flags], environment },
        sessions,
        copyAndPurge,
      );
    });
    after(() => group.stop());

    for (const { command, isCopied, at, exitCodes, inShort } of rows) {
      for (const [change, upset] of Object.entries(changes)) {
        if (!isFull && !(inShort && upset === changes["the master is killed"])) continue;
        test(`${command.join(" ")}${isCopied ? ", copied before" : ""}, ${at}: ${change}`, async () => {
          await ground.restore();
          const beganMs = Date.now();
          if (isCopied) assert.equal((await ground.runAgain(["copy"])).exitCode, 0);
          await group.heal();
          const running = ground.startUntil(points[at], command);
          await untilItStands(running);
          await upset(group);
          running.kill("SIGCONT");
          const { exitCode, stderr } = await running.result;
          assert.ok(exitCode !== null && exitCodes.includes(exitCode), stderr);

          const { client } = ground.redis;
          const { lost, wrong, inRedis } = await locateSessions(client, ground.directory, ground.known);
          assert.deepEqual({ lost, wrong }, { lost: [], wrong: [] });
          if (exitCode === 0) assert.equal(inRedis, sessions);
          await group.heal();
          const again = await ground.runAgain();
          assert.equal(again.exitCode, 0, again.stderr);
          const times = { beganMs, endedMs: Date.now() };
          assert.deepEqual((await checkSessions(client, manifestOf(ground), times)).differences, []);
          assert.deepEqual([...listFiles(ground.directory), ...listFiles(ground.temporary)], []);
        });
      }
    }
  });
}

test("--stop-after-init copies and purges, by the variables alone", async (t) => {
  const redis = await redisOf(t);
  const sentinel = await startSentinelOf(redis);
  t.after(() => sentinel.stop());
  const directory = join(makeTemporaryDirectory(), "s");
  for (let number = 1; number <= 5; number++) saveSession(directory, number, '{"db": "x", "uid": 2}');
  const { exitCode, stderr } = await run(["--stop-after-init"], {
    environment: {
      TELE_SESSION_REDIS: "1",
      TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1",
      TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1",
      TELE_SESSION_REDIS_SENTINEL_HOST: sentinel.host,
      TELE_SESSION_REDIS_SENTINEL_PORT: String(sentinel.port),
      TELE_SESSION_REDIS_SENTINEL_MASTER_NAME: masterName,
      TELE_SESSION_DIR: directory,
    },
  });
  assert.equal(exitCode, 0, stderr);
  assert.deepEqual(sessionFilesIn(directory), []);
  assert.equal(await countKeys(redis), 5);
});

async function untilItStands({ pid, result }: RunningCommand): Promise<void> {
  const stands = waitUntil("the run stands still", () => / T /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
  await Promise.race([stands, result.then(({ stderr }) => assert.fail(`it ended:\n${stderr}`))]);
}

async function* manifestOf({ known }: KillGround): AsyncGenerator<MadeSession> {
  for (const { made } of known) yield made;
}
