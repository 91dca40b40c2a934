import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { checkPermissions } from "../../../src/migrate/preflight/permissions.js";
import { saveSession } from "../../end-to-end/support/made-session.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { openCopy } from "../support/run-of-test.js";

describe("permissions: all that is missing at once, and the line that grants exactly that", () => {
  let server: RedisServer;
  const directory = join(makeTemporaryDirectory(), "s");
  before(async () => {
    server = await startRedis();
    saveSession(directory, 1, '{"uid": 2}');
  });
  after(() => server.stop());
  beforeEach(() => redisCommand(server, "FLUSHALL"));

  const everything = ["~*", "&*", "+@all"];
  const ownKey = `session:${"a".repeat(40)}`;
  interface Row {
    readonly rules: readonly string[];
    readonly purges?: true;
    /** Whether Redis holds a session already. */
    readonly holds?: true;
    readonly verdict: "ok" | "warn" | "fail";
    readonly found?: RegExp;
    /** The rules that the remedy grants. */
    readonly grants?: string;
  }
  const rows: Readonly<Record<string, Row>> = {
    "all rights": { rules: everything, verdict: "ok", found: /^all 14 commands on session:\* and tele-/ },
    "SET and EXISTS are denied": {
      rules: [...everything, "-set", "-exists"],
      verdict: "fail",
      found: /^Redis does not allow this user the commands EXISTS and SET on the keys session:\*$/,
      grants: "+exists +set",
    },
    "what can be done without is granted in the same line": {
      rules: [...everything, "-set", "-info", "-client|list"],
      verdict: "fail",
      found: /the command SET on/,
      grants: "+set +client|list +info",
    },
    "only what can be done without": {
      rules: [...everything, "-time", "-strlen"],
      verdict: "warn",
      found: /the commands STRLEN and TIME/,
      grants: "+strlen +time",
    },
    "a connection without a name is known by its id": {
      rules: [...everything, "-client|id"],
      purges: true,
      verdict: "warn",
      found: /^Redis does not allow this user the command CLIENT ID$/,
      grants: "+client|id",
    },
    "other keys": {
      rules: ["~other:*", "&*", "+@all"],
      verdict: "fail",
      found: /^Redis does not allow this user the keys session:\*$/,
      grants: "+get +pexpiretime +exists +set +pexpireat +del +strlen ~session:* ~tele-sessions:*",
    },
    "keys that may only be read": {
      rules: ["%R~*", "&*", "+@all"],
      verdict: "fail",
      found: /SET|keys session/,
    },
    "no keys of ours, for a copy": {
      rules: ["~session:*", "&*", "+@all"],
      verdict: "warn",
      found: /the keys tele-sessions:\*/,
      grants: "+get +set ~tele-sessions:*",
    },
    "no keys of ours, for a purge": {
      rules: ["~session:*", "&*", "+@all"],
      purges: true,
      verdict: "fail",
      found: /the keys tele-sessions:\*/,
      grants: "+get +set ~tele-sessions:*",
    },
    "EVAL is denied, and nothing is there to be replaced": {
      rules: [...everything, "-eval"],
      verdict: "warn",
      found: /the command EVAL/,
      grants: "+eval",
    },
    "EVAL is denied, and a session is there": {
      rules: [...everything, "-eval"],
      holds: true,
      verdict: "fail",
      found: /the command EVAL/,
      grants: "+eval",
    },
    "EVAL is denied, and a purge needs it": {
      rules: [...everything, "-eval"],
      purges: true,
      verdict: "fail",
      found: /the command EVAL/,
      grants: "+eval",
    },
    "without EVAL, reads are tried": {
      rules: [...everything, "-eval", "-get"],
      verdict: "fail",
      found: /the command GET on the keys session:\*$/,
      grants: "+get +eval",
    },
    "PEXPIREAT is denied, and a session is there": {
      rules: [...everything, "-pexpireat"],
      holds: true,
      verdict: "fail",
      found: /the command PEXPIREAT/,
      grants: "+pexpireat",
    },
  };
  for (const [name, { rules, purges, holds, verdict, found, grants }] of Object.entries(rows)) {
    it(name, async (t) => {
      if (holds) await redisCommand(server, "SET", ownKey, '{"uid": 2}', "PX", "604800000");
      await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", "nopass", ...rules);
      await redisCommand(server, "CONFIG", "RESETSTAT");
      const flags = ["--username", "u", "--dry-run"];
      const { run } = await openCopy(t, server, directory, flags);
      const judge = async () => {
        const judged = {
          command: "copy",
          purges: purges ?? false,
          isCheck: true,
          hasDirectories: true,
        } as const;
        return checkPermissions(run, judged);
      };
      const check = await judge();
      assert.equal(check.verdict, verdict, check.found);
      if (found !== undefined) assert.match(check.found, found);
      const [, line = ""] = /ACL (SETUSER u .*)/.exec(check.remedy ?? "") ?? [];
      if (grants !== undefined) assert.equal(line, `SETUSER u ${grants}`);
      const calls = String(await redisCommand(server, "INFO", "commandstats"));
      assert.doesNotMatch(
        calls,
        /cmdstat_(set|del|pexpireat):calls=[1-9]\d*,usec=\d+,usec_per_call=[\d.]+,rejected_calls=0,failed_calls=0/,
      );
      if (verdict === "ok") return;
      assert.equal(String(await redisCommand(server, "ACL", ...line.split(" "))), "OK");
      assert.equal((await judge()).verdict, "ok", "the line grants all that is missing");
    });
  }
});
