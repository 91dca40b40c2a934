import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "../../support/servers/free-port.js";
import { type RedisCluster, startCluster } from "../../support/servers/redis-cluster.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { readManifest } from "../../support/sessions/make-sessions.js";
import { makeCertificates } from "../field/set-ups/make-certificates.js";
import { assertCopied } from "../support/assert-copied.js";
import { type ClusterGround, clusterGround, keepMoving } from "../support/cluster-ground.js";
import { type ObservedRun, run, start } from "../support/observed-run.js";
import { sessionFilesIn } from "../support/session-files-in.js";
import { waitUntil } from "../support/wait-until.js";

const count = 2000;
const slowly = ["--max-rate", "400"];

/** A run that is in its middle. */
interface InTheMiddle extends ClusterGround {
  readonly running: ObservedRun;
  readonly beganMs: number;
}

async function countKeys(cluster: RedisCluster): Promise<number> {
  return (await cluster.onEach("DBSIZE")).reduce<number>((sum, size) => sum + Number(size), 0);
}

async function copyHalf(cluster: RedisCluster, flags: readonly string[] = []): Promise<InTheMiddle> {
  const ground = await clusterGround(cluster, count);
  const beganMs = Date.now();
  const running = start(["copy", ...ground.flags, ...slowly, ...flags]);
  await waitUntil("some sessions are written", async () => (await countKeys(cluster)) > 300);
  return { ...ground, running, beganMs };
}

/** Copies, and begins a verification or a purge. */
async function afterCopy(
  cluster: RedisCluster,
  command: readonly string[],
  isInTheMiddle: (ground: ClusterGround) => Promise<boolean> | boolean,
): Promise<InTheMiddle> {
  const ground = await clusterGround(cluster, count);
  const beganMs = Date.now();
  const copied = await run(["copy", ...ground.flags]);
  assert.equal(copied.exitCode, 0, copied.stderr);
  const running = start([...command, ...ground.flags, ...slowly]);
  const ended = running.result.then(({ stderr }) => assert.fail(`it ended before its middle\n${stderr}`));
  await Promise.race([ended, waitUntil("the run is in its middle", () => isInTheMiddle(ground))]);
  ended.catch(() => undefined);
  return { ...ground, running, beganMs };
}

const verifyHalf = (cluster: RedisCluster) =>
  afterCopy(cluster, ["verify"], async () => {
    await sleep(1500);
    return true;
  });
const purgeHalf = (cluster: RedisCluster) =>
  afterCopy(cluster, ["purge", "--yes", "--wait-replicas", "1"], ({ directory }) => {
    return sessionFilesIn(directory).length < count - 200;
  });

/** Every session is in Redis with its very bytes, or its file is there. */
async function assertNoneLost(cluster: RedisCluster, { manifest, directory }: ClusterGround): Promise<void> {
  const files = new Set(sessionFilesIn(directory));
  const gone: string[] = [];
  for await (const { sid, path } of readManifest(manifest)) {
    if (!files.has(path.split("/").at(-1) ?? "")) gone.push(`session:${sid}`);
  }
  const exist = await cluster.client.pipeline(gone.map((key) => ["EXISTS", key]));
  assert.equal(exist.filter((one) => one !== 1).length, 0, "sessions neither in Redis nor on disk");
}

/** Runs on Clusters that change meanwhile. They take minutes. */
export function testClusterChanges(): void {
  describe("a Cluster that changes during a run (hazards.md)", () => {
    let cluster: RedisCluster;
    before(async () => {
      cluster = await startCluster();
    });
    after(() => cluster.stop());

    test("slots move during a copy: every session is written once", async () => {
      const { running, slots, ...ground } = await copyHalf(cluster);
      const stopMoving = keepMoving(cluster, slots);
      const { exitCode, stderr, report } = await running.result;
      const moved = await stopMoving();
      assert.equal(exitCode, 0, stderr);
      assert.ok(moved > 20, `${moved} moved`);
      assert.equal(report.sessions.copied, count);
      await assertCopied(cluster, ground);
    });

    test("slots move during a verification: nothing differs", async () => {
      const { running, slots, ...ground } = await verifyHalf(cluster);
      const stopMoving = keepMoving(cluster, slots);
      const { exitCode, stderr, report } = await running.result;
      await stopMoving();
      assert.equal(exitCode, 0, stderr);
      assert.equal((report.sessions.equal ?? 0) + (report.sessions.newer ?? 0), count);
      await assertCopied(cluster, ground);
    });

    test("slots move during a purge: every file is removed, every session is there", async () => {
      const { running, slots, directory, ...ground } = await purgeHalf(cluster);
      const stopMoving = keepMoving(cluster, slots);
      const { exitCode, stderr, report } = await running.result;
      await stopMoving();
      assert.equal(exitCode, 0, stderr);
      assert.equal(report.sessions.removed, count);
      assert.deepEqual(sessionFilesIn(directory), []);
      await assertCopied(cluster, ground);
    });

    test("one master is emptied during a copy: it is found out, every session is there", async () => {
      const { running, ...ground } = await copyHalf(cluster);
      const [, master] = await cluster.masters();
      assert(master !== undefined);
      await redisCommand(master, "FLUSHALL");
      const { exitCode, stderr, report } = await running.result;
      assert.equal(exitCode, 0, stderr);
      assert.ok(report.warnings.some((warning) => /may have lost what it confirmed. Starting over/.test(warning)));
      await assertCopied(cluster, ground);
    });

    test("one master is emptied during a purge: nothing more is removed, exit 3", async () => {
      const { running, ...ground } = await purgeHalf(cluster);
      const [, master] = await cluster.masters();
      assert(master !== undefined);
      await redisCommand(master, "FLUSHALL");
      const { exitCode, stderr } = await running.result;
      assert.equal(exitCode, 3, stderr);
      assert.ok(sessionFilesIn(ground.directory).length > 0);
    });
  });

  test("a Cluster with TLS and a password on every node", async (t) => {
    const certificates = makeCertificates();
    const file = (name: string) => join(certificates, name);
    const ports: number[] = [];
    const password = "NotToBeShown";
    const cluster = await startCluster({
      replicas: 0,
      login: { password },
      args: [
        ...["--tls-cert-file", file("redis.pem"), "--tls-key-file", file("redis.key")],
        ...["--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "no", "--requirepass", password],
        // Otherwise nodes announce their plain ports.
        ...["--tls-cluster", "yes"],
      ],
      argsOfNode: async () => {
        const port = await findFreePort();
        ports.push(port);
        return ["--tls-port", String(port)];
      },
    });
    t.after(() => cluster.stop());
    const ground = await clusterGround(cluster, 300);
    const flags = [
      ...["--session-dir", ground.directory, "--port", String(ports[0]), "--cluster", "--json"],
      // The nodes announce addresses, and their certificate has a name.
      ...["--tls", "--cacert", file("ca.pem"), "--tls-servername", "localhost"],
    ];
    const environment = { TELE_SESSION_REDIS_PASSWORD: password };
    const beganMs = Date.now();
    for (const command of ["copy", "verify", "purge"]) {
      const { exitCode, stderr } = await run([command, ...flags], { environment });
      assert.equal(exitCode, 0, stderr);
    }
    assert.deepEqual(sessionFilesIn(ground.directory), []);
    await assertCopied(cluster, { ...ground, beganMs });
  });

  describe("a Cluster that loses a master during a run (hazards.md)", () => {
    const lost: readonly (readonly [name: string, allowed: readonly number[], begin: typeof purgeHalf])[] = [
      ["copy", [0], (cluster) => copyHalf(cluster)],
      ["verify", [0, 3], verifyHalf],
      ["purge", [0, 3], purgeHalf],
    ];
    for (const [command, allowed, begin] of lost) {
      test(`${command}: its replica takes over, and no session is lost or wrong`, async (t) => {
        const cluster = await startCluster();
        t.after(() => cluster.stop());
        const { running, ...ground } = await begin(cluster);
        const [, master] = await cluster.masters();
        assert(master !== undefined);
        const killing = cluster.killMaster(master);
        const { exitCode, stderr } = await running.result;
        await killing;
        assert.ok(allowed.includes(exitCode ?? -1), stderr);
        await assertNoneLost(cluster, ground);
        if (command !== "purge") await assertCopied(cluster, ground);
        if (exitCode === 0) return;
        const again = command === "purge" ? ["purge", "--yes", ...ground.flags] : [command, ...ground.flags];
        const second = await run(again);
        assert.equal(second.exitCode, 0, second.stderr);
        await assertCopied(cluster, ground);
      });
    }
  });
}
