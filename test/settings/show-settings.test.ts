import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ShownSetting } from "../../src/model/run-options.js";
import { resolveRunOptions } from "../../src/settings/resolve-options.js";
import type { Environment, TypedFlags } from "../../src/settings/setting-sources.js";
import { memoryFiles } from "../support/memory-files.js";

const files = memoryFiles({ "/tele.conf": "[options]\ndata_dir = /srv/tele\n", "/pw": "hunter2" });

function shown(typed: TypedFlags, environment: Environment = {}): readonly ShownSetting[] {
  const machine = { ...files, environment: { HOME: "/home/tele", ...environment } };
  return resolveRunOptions("copy", typed, machine).shown;
}

/** `value (origin)` of each row that a setting has. */
function rowsOf(name: string, typed: TypedFlags, environment: Environment = {}): string[] {
  return shown(typed, environment).flatMap((one) => (one.name === name ? [`${one.value} (${one.origin})`] : []));
}

describe("settings as people see them: value, and what gave it", () => {
  const rows: readonly [name: string, setting: string, typed: TypedFlags, variables: Environment, is: string[]][] = [
    ["a flag", "--host", { host: "redis-1" }, {}, ["redis-1 (--host)"]],
    ["a variable", "--port", {}, { TELE_SESSION_REDIS_PORT: "7000" }, ["7000 (TELE_SESSION_REDIS_PORT)"]],
    ["Odoo's variable", "--port", {}, { ODOO_SESSION_REDIS_PORT: "7000" }, ["7000 (ODOO_SESSION_REDIS_PORT)"]],
    ["a default", "--port", {}, {}, ["6379 (default)"]],
    ["a switch that is on", "--dry-run", { dryRun: true }, {}, ["on (--dry-run)"]],
    ["a switch that is off", "--dry-run", {}, {}, ["off (default)"]],
    ["unset, without a default", "--prefix", {}, {}, []],
    ["of another command", "--unverified", {}, {}, []],
    ["a list", "--session-dir", { sessionDir: ["/a", "/b"] }, {}, ["/a (--session-dir)", "/b (--session-dir)"]],
    ["a directory from a file", "--session-dir", { config: "/tele.conf" }, {}, ["/srv/tele/sessions (/tele.conf)"]],
    [
      "the default directory",
      "--session-dir",
      {},
      { TELE_SESSION_REDIS_PORT: "1" },
      ["/home/tele/.local/share/Tele/sessions (default)"],
    ],
    [
      "a password",
      "TELE_SESSION_REDIS_PASSWORD",
      {},
      { TELE_SESSION_REDIS_PASSWORD: "hunter2" },
      ["*** (TELE_SESSION_REDIS_PASSWORD)"],
    ],
    ["a password's file", "--password-file", { passwordFile: "/pw" }, {}, ["/pw (--password-file)"]],
    ["a URL", "--url", { url: "redis://r:1/2" }, {}, ["redis://r:1/2 (--url)"]],
    ["a URL with a login", "--url", { url: "rediss://me:hunter2@r/2" }, {}, ["rediss://***@r:6379/2 (--url)"]],
    [
      "a URL whose password reaches into the path",
      "--url",
      { url: "redis://:12/hunter2@r/0" },
      {},
      ["redis://localhost:12/0 (--url)"],
    ],
    [
      "a URL with a password among its options",
      "--url",
      { url: "unix:///run/redis?password=hunter2&db=3" },
      {},
      ["unix://***@/run/redis?db=3&*** (--url)"],
    ],
    ["a URL hides host and port", "--host", { url: "redis://r:1/2" }, {}, []],
    [
      "a Sentinel hides host and port",
      "--host",
      { sentinel: ["s:1"], sentinelMaster: "m" },
      { TELE_SESSION_REDIS_HOST: "h" },
      [],
    ],
    [
      "every Sentinel",
      "--sentinel",
      { sentinel: ["s:1", "t:2"], sentinelMaster: "m" },
      {},
      ["s:1 (--sentinel)", "t:2 (--sentinel)"],
    ],
  ];
  for (const [name, setting, typed, variables, expected] of rows) {
    it(name, () => assert.deepEqual(rowsOf(setting, typed, variables), expected));
  }

  it("no row holds a secret", () => {
    const secrets = {
      TELE_SESSION_REDIS_URL: "redis://me:hunter2@r",
      TELE_SESSION_REDIS_SENTINEL_PASSWORD: "hunter2",
    };
    assert.doesNotMatch(JSON.stringify(shown({}, secrets)), /hunter2/);
  });
});
