import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { findFreePort } from "../../support/servers/free-port.js";
import { run } from "../support/observed-run.js";

const top = makeTemporaryDirectory();
const directory = join(top, "sessions");
mkdirSync(directory);
writeFileSync(join(top, "file"), "");
// Nobody listens there: a run that asked Redis before it looked at its settings would end with 3.
const port = String(await findFreePort());
const copy = ["copy", "--session-dir", directory, "--port", port];

const rows: readonly {
  name: string;
  args: readonly string[];
  environment?: Record<string, string>;
  says: RegExp;
}[] = [
  { name: "no command", args: [], says: /no command/ },
  { name: "flags without a command", args: copy.slice(1), says: /no command/ },
  { name: "an unknown command", args: ["move"], says: /unknown command/ },
  { name: "an unknown option", args: [...copy, "--fast"], says: /--fast/ },
  { name: "an argument too many", args: [...copy, "more"], says: /argument/ },
  { name: "an option without its value", args: ["copy", "--port"], says: /--port/ },
  { name: "a switch with a value", args: [...copy, "--json=yes"], says: /--json/ },
  { name: "a port that is none", args: [...copy, "--port", "65536"], says: /--port.*65536/ },
  {
    name: "a port in a variable that is none",
    args: copy.slice(0, 3),
    environment: { TELE_SESSION_REDIS_PORT: "x" },
    says: /TELE_SESSION_REDIS_PORT.*"x"/,
  },
  { name: "a database that is none", args: [...copy, "--db", "-1"], says: /--db/ },
  { name: "a lifetime of 0", args: [...copy, "--expiration", "0"], says: /--expiration.*0/ },
  {
    name: "an anonymous lifetime of 0",
    args: [...copy, "--expiration-anonymous", "0"],
    says: /--expiration-anonymous/,
  },
  { name: "a --ttl that is none", args: [...copy, "--ttl", "half"], says: /--ttl.*half.*full, remaining/ },
  {
    name: "a key layout that is none",
    args: [...copy, "--key-layout", "old"],
    says: /--key-layout.*old.*documented/,
  },
  {
    name: "a --max-failed that is none",
    args: [...copy, "--max-failed", "101%"],
    says: /--max-failed.*101%/,
  },
  { name: "a size that is none", args: [...copy, "--max-session-size", "0"], says: /--max-session-size/ },
  { name: "a time that is none", args: [...copy, "--retry-for", "soon"], says: /--retry-for.*soon/ },
  { name: "a URL of another kind", args: ["copy", "--url", "http://localhost"], says: /--url/ },
  {
    name: "a boolean that is none",
    args: copy,
    environment: { TELE_SESSION_REDIS_TLS: "maybe" },
    says: /TELE_SESSION_REDIS_TLS.*maybe/,
  },
  {
    name: "a password file that is missing",
    args: [...copy, "--password-file", join(top, "none")],
    says: /--password-file.*ENOENT/,
  },
  {
    name: "a password and a password file",
    args: copy,
    environment: {
      TELE_SESSION_REDIS_PASSWORD: "NotToBeShown",
      TELE_SESSION_REDIS_PASSWORD_FILE: join(top, "file"),
    },
    says: /TELE_SESSION_REDIS_PASSWORD.*TELE_SESSION_REDIS_PASSWORD_FILE/,
  },
  {
    name: "a --config that is missing",
    args: ["copy", "--config", join(top, "none")],
    says: /--config.*ENOENT/,
  },
  {
    name: "a session directory that is missing",
    args: ["copy", "--session-dir", join(top, "none"), "--port", port],
    says: /does not exist/,
  },
  {
    name: "the default session directory, missing",
    args: ["copy", "--port", port],
    says: /Tele\/sessions does not exist/,
  },
  {
    name: "a session directory that is a file",
    args: ["copy", "--session-dir", join(top, "file"), "--port", port],
    says: /is not a directory/,
  },
  {
    name: "a glob without a match",
    args: ["copy", "--session-dir", join(top, "x*"), "--port", port],
    says: /matches no directory/,
  },
  {
    name: "a glob that matches a file only",
    args: ["copy", "--session-dir", join(top, "fil*"), "--port", port],
    says: /matches no directory/,
  },
  {
    name: "one of two directories missing",
    args: [...copy, "--session-dir", join(top, "none")],
    says: /does not exist/,
  },
  {
    name: "a report where no directory is",
    args: [...copy, "--report", join(top, "none", "report.json")],
    says: /--report.*ENOENT/,
  },
  {
    name: "a report below a file",
    args: [...copy, "--report", join(top, "file", "report.json")],
    says: /--report.*ENOTDIR/,
  },
  {
    name: "a Cluster and a database",
    args: [...copy, "--cluster", "--db", "1"],
    says: /^error: --cluster: a Cluster has only database 0, not 1/m,
  },
  {
    name: "a Cluster and a Sentinel",
    args: [...copy, "--cluster", "--sentinel", "h:1"],
    says: /^error: --sentinel /m,
  },
];

test("usage and settings that are wrong: exit 2, what is wrong by its name, nothing touched", async (t) => {
  for (const { name, args, environment = {}, says } of rows) {
    await t.test(name, async () => {
      const { exitCode, stdout, stderr } = await run(args, { environment });
      assert.deepEqual([exitCode, stdout], [2, ""], stderr);
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /\n\s+at /, "a stack is not for people");
      assert.deepEqual(readdirSync(top).sort(), ["file", "sessions"]);
    });
  }
});

test("a refusal is told to whoever reads --json, too", async () => {
  const { exitCode, report } = await run(["copy", "--port", "x", "--json"]);
  assert.equal(exitCode, 2);
  assert.equal(report.outcome, "refused");
  assert.equal(report.sessions.found, 0);
  assert.match(report.warnings.join("\n"), /--port/);
});

test("a session directory that is missing is told in the report", async () => {
  const { exitCode, report } = await run([...["copy", "--session-dir", join(top, "none"), "--port", port, "--json"]]);
  assert.equal(exitCode, 2);
  assert.match(report.warnings.join("\n"), /does not exist/);
});
