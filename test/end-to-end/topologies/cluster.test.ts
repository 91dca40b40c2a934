import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { between } from "../../support/process/between.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { type RedisCluster, startCluster } from "../../support/servers/redis-cluster.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { assertCopied } from "../support/assert-copied.js";
import { clusterGround, flagsOf, keepMoving } from "../support/cluster-ground.js";
import { run, start } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";
import { sessionFilesIn } from "../support/session-files-in.js";
import { testClusterChanges } from "./cluster-changes.js";

const page = readFileSync(join(projectRoot, "docs", "redis-permissions.md"), "utf8");
const rightsIn = (name: string) =>
  (new RegExp(`<!-- ${name} -->\`([a-z| ]+)\`<!-- /${name} -->`).exec(page)?.[1] ?? "").split(" ");

if (process.env["TELE_SESSIONS_TOPOLOGIES"] === "all") testClusterChanges();

describe("a Cluster of three masters with replicas (spec.md section 3, --cluster)", () => {
  let cluster: RedisCluster;
  before(async () => {
    cluster = await startCluster();
  });
  after(() => cluster.stop());

  test("every command, as a user with the documented rights and no others", async () => {
    const { flags, manifest, sessions, directory } = await clusterGround(cluster, 200);
    const rights = [...rightsIn("commands"), ...rightsIn("cluster"), "config|get", "wait"];
    assert.ok(rightsIn("cluster").length > 1);
    const rules = ["on", ">pw", "~session:*", "~tele-sessions:*", ...rights.map((name) => `+${name}`)];
    for (const node of cluster.nodes) await redisCommand(node, "ACL", "SETUSER", "u", "reset", ...rules);
    const environment = { TELE_SESSION_REDIS_PASSWORD: "pw", TELE_SESSION_REDIS_USERNAME: "u" };
    const check = ["check", ...flags.filter((flag) => flag !== "--json"), "--purge", "--probe"];
    const checked = await run(check, { environment });
    assert.equal(checked.exitCode, 0, checked.stdout + checked.stderr);
    assert.match(checked.stderr, /Cluster of 3 masters, 1 replica in step/);
    const beganMs = Date.now();
    for (const command of [["copy", "--dry-run"], ["copy"], ["verify"], ["copy"]]) {
      const { exitCode, stderr, report } = await run([...command, ...flags], { environment });
      assert.equal(exitCode, 0, stderr);
      assert.deepEqual(
        report.warnings.filter((warning) => !/session_redis/.test(warning)),
        [],
      );
    }
    await assertCopied(cluster, { manifest, beganMs, sessions });
    const purge = ["purge", ...flags, "--wait-replicas", "1", "--yes"];
    const { exitCode, stderr, report } = await run(purge, { environment });
    assert.equal(exitCode, 0, stderr);
    assert.equal(report.sessions.removed, sessions);
    assert.deepEqual(sessionFilesIn(directory), []);
    await assertCopied(cluster, { manifest, beganMs, sessions });
    const files = ["--layout", "scattered", "--format", "json"];
    const back = await run(["export", ...flags, ...files], { environment });
    assert.deepEqual([back.exitCode, back.report.sessions.exported], [0, sessions], back.stderr);
    assert.equal(sessionFilesIn(directory).length, sessions);
    const compared = await run(["verify", "--reverse", ...flags], { environment });
    assert.deepEqual([compared.exitCode, compared.report.sessions.equal], [0, sessions], compared.stderr);
  });

  test("--stop-after-init copies and purges, by the variables alone", async () => {
    const { directory, manifest, sessions } = await clusterGround(cluster, 100);
    const beganMs = Date.now();
    const { exitCode, stderr } = await run(["--stop-after-init"], {
      environment: {
        TELE_SESSION_REDIS: "1",
        TELE_SESSION_REDIS_COPY_EXISTING_FS_SESSIONS: "1",
        TELE_SESSION_REDIS_PURGE_EXISTING_FS_SESSIONS: "1",
        TELE_SESSION_REDIS_CLUSTER: "1",
        TELE_SESSION_REDIS_PORT: String(cluster.nodes[0]?.port),
        TELE_SESSION_DIR: directory,
      },
    });
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(sessionFilesIn(directory), []);
    await assertCopied(cluster, { manifest, beganMs, sessions });
  });

  test("slots that stand half moved, and slots that move meanwhile: each session is written once", async () => {
    const { flags, manifest, sessions, slots } = await clusterGround(cluster, 400);
    const masters = await cluster.masters();
    const half = new Set(slots.slice(0, 10));
    const moves = [];
    for (const slot of half) {
      const from = await cluster.masterOf(slot);
      const to = masters.find((one) => one !== from);
      assert(to !== undefined);
      moves.push(await cluster.beginMove(slot, to));
    }
    const beganMs = Date.now();
    const running = start(["copy", ...flags, "--max-rate", "200"]);
    const whole = slots.slice(50).filter((slot) => !half.has(slot));
    const stopMoving = keepMoving(cluster, whole);
    const { exitCode, stderr, report } = await running.result;
    const moved = await stopMoving();
    assert.equal(exitCode, 0, stderr);
    assert.ok(moved > 5, `${moved} slots moved`);
    assert.equal(report.sessions.copied, sessions);
    const verified = await run(["verify", ...flags]);
    assert.equal(verified.exitCode, 0, verified.stderr);
    for (const move of moves) await move.end();
    await assertCopied(cluster, { manifest, beganMs, sessions });
  });

  test("a node taken for a single server, and a single server for a node: exit 5, and how to go on", async (t) => {
    const directory = makeTemporaryDirectory();
    const [node] = cluster.nodes;
    assert(node !== undefined);
    const single = await run(["copy", ...between(directory, node), "--allow-missing"]);
    assert.equal(single.exitCode, 5);
    assert.match(single.stderr, /a node of a Redis Cluster: add --cluster, or set TELE_SESSION_REDIS_CLUSTER=1/);
    const redis = await redisOf(t);
    const other = await run(["copy", ...flagsOf(directory, { nodes: [redis] }), "--allow-missing"]);
    assert.equal(other.exitCode, 5);
    assert.match(other.stderr, /it is no node of a Redis Cluster: leave out --cluster/);
  });
});
