import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { redisCommand } from "../servers/redis-command.js";
import { startRedis } from "../servers/redis-server.js";
import { provideProgram } from "./provide-program.js";
import { provideRedis } from "./provide-redis.js";
import { provideTool } from "./provide-tools.js";
import { makeStandInMachine, type StandInMachine } from "./stand-ins.js";

/** An apt-get that installs a program, once its lists are up to date, and notes its environment. */
function addAptGet(machine: StandInMachine, installs: string): void {
  machine.add(
    "apt-get",
    `case $1 in
      update) touch "$here/lists" ;;
      install) [ -e "$here/lists" ] || exit 100
        echo "$DEBIAN_FRONTEND $RUNLEVEL" > "$here/environment"
        printf '#!/bin/sh\\n' > "$here/${installs}"; chmod 755 "$here/${installs}" ;;
    esac`,
  );
}

const redisMissing =
  "A Redis server is missing: put redis-server or valkey-server on the PATH (Debian, Ubuntu: apt-get install " +
  "redis-server; other systems: the package of that name), or start Docker.";

for (const name of ["redis-server", "valkey-server"]) {
  test(`${name} on the PATH is taken, nothing else is touched`, async () => {
    const machine = makeStandInMachine({ isRoot: true });
    machine.add(name, "");
    addAptGet(machine, "redis-server");
    assert.deepEqual(await provideRedis(machine), { kind: "program", path: join(machine.directory, name) });
    assert.deepEqual(machine.calls(), []);
    assert.deepEqual(machine.said, []);
  });
}

test("what is called redis-server but is no program is not taken", async () => {
  const machine = makeStandInMachine();
  mkdirSync(join(machine.directory, "redis-server"));
  writeFileSync(join(machine.directory, "valkey-server"), "", { mode: 0o644 });
  await assert.rejects(provideRedis(machine), { message: redisMissing });
});

test("the first program that passes the check is taken; if there is none, the package is installed", async () => {
  const machine = makeStandInMachine({ isRoot: true });
  const program = {
    title: "A Python",
    names: ["python3", "python3.11"],
    check: ["-c", "import x"],
    package: "python3-x",
  };
  const other = join(machine.directory, "python3.11");
  machine.add("python3", "exit 1");
  addAptGet(machine, "python3.11");
  assert.deepEqual(await provideProgram(program, machine), { kind: "program", path: other });
  assert.deepEqual(machine.calls(), [
    "python3 -c import x",
    "apt-get update",
    "apt-get install -y --no-install-recommends python3-x",
    "python3 -c import x",
  ]);
  assert.deepEqual(await provideProgram(program, machine), { kind: "program", path: other });
  assert.equal(machine.calls().length, 5);
});

test("root installs with apt-get, says so first, and no service starts", async () => {
  const machine = makeStandInMachine({ isRoot: true });
  addAptGet(machine, "redis-server");
  const path = join(machine.directory, "redis-server");
  assert.deepEqual(await provideRedis(machine), { kind: "program", path });
  assert.deepEqual(machine.calls(), ["apt-get update", "apt-get install -y --no-install-recommends redis-server"]);
  const aptGet = `DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 ${join(machine.directory, "apt-get")}`;
  assert.deepEqual(machine.said, [`${aptGet} update`, `${aptGet} install -y --no-install-recommends redis-server`]);
  assert.equal(readFileSync(join(machine.directory, "environment"), "utf8"), "noninteractive 1\n");
});

test("with systemd the service is masked while the package installs", async () => {
  const machine = makeStandInMachine({ isRoot: true, hasSystemd: true });
  addAptGet(machine, "redis-server");
  machine.add("systemctl", "");
  await provideRedis(machine);
  assert.deepEqual(machine.calls(), [
    "systemctl mask --runtime redis-server.service",
    "apt-get update",
    "apt-get install -y --no-install-recommends redis-server",
    "systemctl unmask --runtime redis-server.service",
  ]);
});

test("an apt-get that fails is shown, the mask is lifted, and a sentence says what to install", async () => {
  const machine = makeStandInMachine({ isRoot: true, hasSystemd: true });
  machine.add("apt-get", "echo 'E: no network' >&2; exit 100");
  machine.add("systemctl", "");
  await assert.rejects(provideRedis(machine), { message: redisMissing });
  assert.deepEqual(machine.calls(), [
    "systemctl mask --runtime redis-server.service",
    "apt-get update",
    "systemctl unmask --runtime redis-server.service",
  ]);
  assert.ok(machine.said.includes("E: no network"));
});

for (const [reason, facts] of [
  ["who is not root", { isRoot: false }],
  ["who forbids it", { isRoot: true, environment: { TELE_SESSIONS_NO_INSTALL: "1" } }],
] as const) {
  test(`nothing is installed for somebody ${reason}`, async () => {
    const stranger = makeStandInMachine(facts);
    addAptGet(stranger, "redis-server");
    await assert.rejects(provideRedis(stranger), { message: redisMissing });
    assert.deepEqual(stranger.calls(), []);
  });
}

test("Docker's image is taken as it is, or pulled first", async () => {
  const machine = makeStandInMachine();
  machine.add("docker", `case "$1" in image) [ -e "$here/pulled" ] ;; pull) touch "$here/pulled" ;; esac`);
  const docker = join(machine.directory, "docker");
  const expected = { kind: "container", docker, image: "redis:7-alpine" };
  assert.deepEqual(await provideRedis(machine), expected);
  assert.deepEqual(await provideRedis(machine), expected);
  const inspect = "docker image inspect redis:7-alpine";
  assert.deepEqual(machine.calls(), [inspect, "docker pull redis:7-alpine", inspect]);
  assert.deepEqual(machine.said, [`${docker} pull redis:7-alpine`]);
});

test("a Docker without its daemon is no Redis", async () => {
  const machine = makeStandInMachine();
  machine.add("docker", "echo 'Cannot connect to the Docker daemon' >&2; exit 1");
  await assert.rejects(provideRedis(machine), { message: redisMissing });
  assert.ok(machine.said.includes("Cannot connect to the Docker daemon"));
});

test("a server in a container is started on a published port and stopped by its id", async () => {
  const provided = await provideRedis();
  assert.equal(provided.kind, "program", "this test's stand-in for Docker runs a redis-server of this machine");
  if (provided.kind !== "program") return;
  const machine = makeStandInMachine();
  machine.add(
    "docker",
    `case $1 in
      image) ;;
      run) while [ "$1" != redis:7-alpine ]; do shift; done; shift
        '${provided.path}' "$@" > /dev/null 2>&1 & echo $! > "$here/pid"; echo 0123456789ab ;;
      inspect) cat "$here/pid" ;;
      wait) while kill -0 "$(cat "$here/pid")" 2> /dev/null; do sleep 0.05; done ;;
      stop|rm) kill "$(cat "$here/pid")" ;;
    esac`,
  );
  const program = await provideRedis(machine);
  const server = await startRedis({ program, args: ["--maxmemory", "50mb"] });
  assert.deepEqual(await redisCommand(server, "PING"), Buffer.from("PONG"));
  assert.deepEqual(await redisCommand({ path: server.socketPath }, "PING"), Buffer.from("PONG"));
  assert.equal(server.pid, Number(readFileSync(join(machine.directory, "pid"), "utf8")));
  await server.stop();
  await assert.rejects(redisCommand(server, "PING"), /ECONNREFUSED/);
  assert.ok(!existsSync(server.directory));

  const run = machine.calls().find((call) => call.startsWith("docker run")) ?? "";
  const published = `--publish 127.0.0.1:${server.port}:${server.port}`;
  const volume = `--volume ${server.directory}:${server.directory}`;
  const user = `--user ${process.getuid?.()}:${process.getgid?.()}`;
  assert.ok(
    run.startsWith(
      `docker run --detach --rm --entrypoint redis-server ${user} ${volume} ${published} ` +
        `redis:7-alpine --port ${server.port} `,
    ),
    run,
  );
  assert.ok(machine.calls().includes("docker stop --time 5 0123456789ab"));
});

test("python3 on the PATH is taken", async () => {
  const machine = makeStandInMachine();
  machine.add("python3", "");
  assert.equal(await provideTool("python", machine), join(machine.directory, "python3"));
});

test("python3 is installed for root", async () => {
  const machine = makeStandInMachine({ isRoot: true, hasSystemd: true });
  addAptGet(machine, "python3");
  machine.add("systemctl", "");
  assert.equal(await provideTool("python", machine), join(machine.directory, "python3"));
  assert.deepEqual(machine.calls(), ["apt-get update", "apt-get install -y --no-install-recommends python3"]);
});

test("a missing python3 is one sentence", async () => {
  const machine = makeStandInMachine();
  machine.add("docker", "");
  await assert.rejects(provideTool("python", machine), {
    message:
      "Python 3 is missing: put python3 on the PATH (Debian, Ubuntu: apt-get install python3; other systems: the " +
      "package of that name).",
  });
  assert.deepEqual(machine.calls(), []);
});
