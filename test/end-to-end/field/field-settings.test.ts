import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { startRedis } from "../../support/servers/redis-server.js";
import { saveSession } from "../support/made-session.js";
import { run } from "../support/observed-run.js";
import { countKeys } from "../support/redis-of-test.js";

const top = makeTemporaryDirectory();
const directory = join(top, "srv", "one", "sessions");
mkdirSync(directory, { recursive: true });
saveSession(directory, 1, '{"uid": 2, "login": "someone"}');
const redis = await startRedis();
test.after(() => redis.stop());
const port = String(redis.port);
const copy = ["copy", "--session-dir", directory, "--port", port, "--retry-for", "1s"];

test("a misspelt variable is a warning that --quiet does not hide, also if nothing is to be done", async (t) => {
  const environment = { TELE_SESSION_REDIS_PREFX: "p" };
  const says = /warning: TELE_SESSION_REDIS_PREFX is set, .*Did you mean TELE_SESSION_REDIS_PREFIX\?/;
  for (const [name, args, exitCode] of [
    ["a copy", [...copy, "-q"], 0],
    ["a step that is off", ["--stop-after-init", "-q"], 0],
    ["a refusal", ["copy", "--port", "x"], 2],
  ] as const) {
    await t.test(name, async () => {
      const result = await run(args, { environment });
      assert.equal(result.exitCode, exitCode, result.stderr);
      assert.match(result.stderr, says);
    });
  }
});

test("what Kubernetes sets for a Service is left alone", async () => {
  const environment = {
    TELE_SESSION_REDIS_SERVICE_HOST: "10.0.0.7",
    TELE_SESSION_REDIS_PORT_6379_TCP: "tcp://10.0.0.7:6379",
    TELE_SESSION_REDIS_PORT: "tcp://10.0.0.7:6379",
  };
  const typed = await run(copy, { environment });
  assert.equal(typed.exitCode, 0, typed.stderr);
  assert.doesNotMatch(typed.stderr, /warning/);
  const { exitCode, stderr } = await run(["copy", "--session-dir", directory], { environment });
  assert.equal(exitCode, 2);
  assert.match(stderr, /TELE_SESSION_REDIS_PORT is not a port: Kubernetes set it/);
});

test("Odoo's names, with a Redis that speaks TLS", async (t) => {
  const files = join(top, "tls");
  mkdirSync(files);
  const file = (name: string) => join(files, name);
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...subject].concat([
      "-keyout",
      file("key.pem"),
      "-out",
      file("cert.pem"),
    ]),
    { stdio: "ignore" },
  );
  const tlsPort = String(await findFreePort());
  const server = await startRedis({
    args: [
      ...["--tls-port", tlsPort, "--tls-auth-clients", "yes"],
      ...["--tls-cert-file", file("cert.pem"), "--tls-key-file", file("key.pem")],
      ...["--tls-ca-cert-file", file("cert.pem")],
    ],
  });
  t.after(() => server.stop());
  const args = ["copy", "--session-dir", directory, "--retry-for", "1s"];
  const odoo = { ODOO_SESSION_REDIS_HOST: "localhost", ODOO_SESSION_REDIS_PORT: tlsPort };

  await t.test("_SSL unset: the failure says that 18.0 turns it on", async () => {
    const { exitCode, stderr } = await run(args, { environment: odoo });
    assert.ok(exitCode === 3 || exitCode === 5, stderr);
    assert.match(stderr, /ODOO_SESSION_REDIS_SSL is unset: session_redis 18\.0/);
  });
  await t.test("_SSL on, and a certificate of ours: copied", async () => {
    const { exitCode, stderr } = await run(args, {
      environment: {
        ...odoo,
        ODOO_SESSION_REDIS_SSL: "1",
        ODOO_SESSION_REDIS_CACERT: file("cert.pem"),
        ODOO_SESSION_REDIS_CERT: file("cert.pem"),
        ODOO_SESSION_REDIS_KEY: file("key.pem"),
      },
    });
    assert.equal(exitCode, 0, stderr);
    assert.equal(await countKeys(server), 1);
  });
  await t.test("the same by flags", async () => {
    await redisCommand(server, "FLUSHALL");
    const tls = ["--tls", "--cacert", file("cert.pem"), "--cert", file("cert.pem"), "--key", file("key.pem")];
    const { exitCode, stderr } = await run([...args, "--port", tlsPort, ...tls]);
    assert.equal(exitCode, 0, stderr);
    assert.equal(await countKeys(server), 1);
  });
});

test("a password that ends in a newline is named only if the login is refused", async () => {
  await redisCommand(redis, "ACL", "SETUSER", "u", "on", ">NotToBeShown", "~*", "&*", "+@all");
  const withVariable = (password: string) =>
    run(copy, { environment: { TELE_SESSION_REDIS_USERNAME: "u", TELE_SESSION_REDIS_PASSWORD: password } });
  const refused = await withVariable("NotToBeShown\n");
  const quoted = await withVariable("'NotToBeShown'");
  const right = await withVariable("NotToBeShown");
  const wrong = await withVariable("wrong");
  assert.deepEqual([refused.exitCode, quoted.exitCode, right.exitCode, wrong.exitCode], [5, 5, 0, 5]);
  assert.match(refused.stderr, /TELE_SESSION_REDIS_PASSWORD ends in a newline/);
  assert.match(quoted.stderr, /is in quotation marks/);
  assert.doesNotMatch(`${right.stderr}${wrong.stderr}`, /newline|quotation|white space/);
});

test("wrong levels and odd names: exit 2, nothing written", async (t) => {
  writeFileSync(join(top, "srv", "one", "notes.txt"), "x");
  mkdirSync(Buffer.concat([Buffer.from(`${top}/srv/`), Buffer.from("caf\xe9", "latin1"), Buffer.from("/sessions")]), {
    recursive: true,
  });
  for (const [name, pattern, says] of [
    ["one level up", join(top, "srv", "one"), /Did you mean .*\/srv\/one\/sessions\?/],
    ["two levels up", join(top, "srv"), /Did you mean .*\/srv\/one\/sessions\?/],
    ["a Latin-1 directory in a glob", join(top, "srv/*/sessions"), /caf\\xe9\/sessions has a name that is not UTF-8/],
  ] as const) {
    await t.test(name, async () => {
      await redisCommand(redis, "FLUSHALL");
      const { exitCode, stderr } = await run(["copy", "--session-dir", pattern, "--port", port, "-q"]);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, says);
      assert.equal(await countKeys(redis), 0);
    });
  }
});

test("a working directory that is gone: exit 2 with a sentence, absolute paths still do", async () => {
  const gone = join(top, "gone");
  for (const [args, exitCode] of [
    [["copy", "--session-dir", "*/sessions", "--port", port], 2],
    [[...copy, "--report", "report.json"], 2],
    [copy, 0],
  ] as const) {
    mkdirSync(gone);
    const script = 'rmdir "$PWD" && exec "$@"';
    const { exitCode: code, stderr } = await run(args, {
      cwd: gone,
      under: ["sh", "-c", script, "sh"],
    });
    assert.equal(code, exitCode, stderr);
    if (exitCode === 2) assert.match(stderr, /working directory no longer exists/);
  }
});

test("--report - prints the whole report on stdout", async () => {
  await redisCommand(redis, "FLUSHALL");
  const cwd = makeTemporaryDirectory();
  for (const args of [
    [...copy, "--report", "-"],
    ["--stop-after-init", "--report", "-"],
  ]) {
    const { exitCode, stdout, stderr } = await run(args, { cwd });
    assert.equal(exitCode, 0, stderr);
    const report: unknown = JSON.parse(stdout);
    assert.ok(typeof report === "object" && report !== null && "exitCode" in report, stdout);
    assert.equal(report.exitCode, 0);
    assert.deepEqual(readdirSync(cwd), []);
  }
});

test("a server that reads other keys than the run writes: a warning that --quiet does not hide", async (t) => {
  const server = await startRedis();
  t.after(() => server.stop());
  const field = ["copy", "--quiet", "--session-dir", directory, "--port", String(server.port)];
  /** Seven sessions that a server saved under keys that begin so, in a database. */
  const saveKeys = async (start: string, db: number) => {
    for (let number = 1; number <= 7; number++) {
      const key = `${start}${String(number).repeat(40)}`;
      await redisCommand({ ...server, db }, "SET", key, '{"uid": 2}', "PX", 604_800_123 + number);
    }
  };
  const applet = ["--key-layout", "applet"];
  const rows: readonly (readonly [
    name: string,
    keys: readonly (readonly [start: string, db: number])[],
    flags: readonly string[],
    says: RegExp,
  ])[] = [
    ["the prefix was forgotten", [["session::shop:", 0]], [], /under session::shop:<sid>.*add --prefix shop:/],
    ["it is misspelt", [["session::shop:", 0]], ["--prefix", "shp", ...applet], /use --prefix shop:/],
    ["the server has none", [["session:", 0]], ["--prefix", "shop", ...applet], /leave --prefix out:/],
    [
      "the layout is the other one",
      [["session::shop:", 0]],
      ["--prefix", "shop", "--key-layout", "documented"],
      /use --key-layout applet:/,
    ],
    [
      "the layout is the other one, the other way",
      [["session:shop:", 0]],
      ["--prefix", "shop", ...applet],
      /use --key-layout documented:/,
    ],
    ["the database was forgotten", [["session:", 1]], [], /in database 1 .* uses database 0.*use --db 1:/],
    ["the database is wrong", [["session::shop:", 0]], ["--db", "3"], /in database 0 .*use --db 0:/],
    [
      "no sign of it: the server's keys are where they should be",
      [
        ["session:", 0],
        ["session:", 1],
        ["session::shop:", 0],
      ],
      [],
      /^$/,
    ],
  ];
  for (const [name, keys, flags, says] of rows) {
    await t.test(name, async () => {
      await redisCommand(server, "FLUSHALL");
      for (const [start, db] of keys) await saveKeys(start, db);
      const { exitCode, stderr } = await run([...field, ...flags]);
      assert.equal(exitCode, 0, stderr);
      const told = stderr.split("\n").filter((line) => !line.includes("--db: session_redis before 18.0"));
      assert.match(told.join(" ").trim(), says);
    });
  }

  await t.test("keys that a copy wrote into another database, and nothing else there: not a word", async () => {
    await redisCommand(server, "FLUSHALL");
    assert.equal((await run([...field, "--db", "1"])).exitCode, 0);
    assert.equal((await run(field)).stderr, "");
  });

  await t.test("databases may not be chosen: the run goes on", async () => {
    await redisCommand(server, "FLUSHALL");
    await saveKeys("session:", 1);
    await redisCommand(server, "ACL", "SETUSER", "app", "on", ">pw", "~*", "+@all", "-select");
    const environment = { TELE_SESSION_REDIS_PASSWORD: "pw" };
    const { exitCode, stderr } = await run([...field, "--username", "app"], { environment });
    assert.deepEqual([exitCode, stderr], [0, ""]);
  });
});
