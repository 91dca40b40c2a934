import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisError } from "../../src/model/errors.js";
import { type RedisFault, redisFault } from "../../src/redis/redis-fault.js";

const secret = "s3cret-value-of-a-session";

/** An error as the client raises it for a reply: it carries the command and what was sent. */
function reply(message: string): Error {
  return Object.assign(new Error(message), {
    name: "ReplyError",
    command: { name: "set", args: [`session:${secret}`, secret] },
  });
}

function system(code: string): Error {
  return Object.assign(new Error(`${code}: connect ${secret}`), { code });
}

describe("redis-fault: what an error comes to (hazards.md, Redis)", () => {
  const rows: readonly (readonly [error: unknown, kind: RedisFault["kind"], says: RegExp])[] = [
    [reply("NOAUTH Authentication required."), "refused", /password/],
    [
      reply("WRONGPASS invalid username-password pair or user is disabled."),
      "refused",
      /user name or password/,
    ],
    [reply("ERR invalid password"), "refused", /password/],
    [reply("NOPERM this user has no permissions to run the 'set' command"), "refused", /the command SET$/],
    [
      reply("NOPERM User default has no permissions to run the 'config|get' command"),
      "refused",
      /CONFIG\|GET$/,
    ],
    [
      reply("NOPERM this user has no permissions to access one of the keys used as arguments"),
      "refused",
      /keys of sessions/,
    ],
    [reply("NOPERM No permissions to access a key"), "refused", /keys of sessions/],
    [reply("NOPERM something new"), "refused", /a command/],
    [reply("DENIED Redis is running in protected mode"), "refused", /protected mode/],
    [reply("OOM command not allowed when used memory > 'maxmemory'."), "refused", /memory/],
    [reply("MISCONF Redis is configured to save RDB snapshots"), "refused", /MISCONF/],
    [reply("NOREPLICAS Not enough good replicas to write."), "refused", /replicas/],
    [reply("LOADING Redis is loading the dataset in memory"), "transient", /loading/],
    [reply("READONLY You can't write against a read only replica."), "transient", /replica/],
    [reply("MASTERDOWN Link with MASTER is down"), "transient", /master/],
    [reply("BUSY Redis is busy running a script."), "transient", /busy/],
    [reply("TRYAGAIN Multiple keys request during rehashing of slot"), "transient", /moving/],
    [reply("CLUSTERDOWN The cluster is down"), "transient", /down/],
    [reply("UNBLOCKED force unblock from blocking operation"), "transient", /role/],
    [reply("ERR max number of clients reached"), "transient", /no more clients/],
    [reply("ERR DB index is out of range"), "refused", /no database of that number/],
    [reply("ERR SELECT is not allowed in cluster mode"), "refused", /database 0/],
    [reply(`ERR unknown command '${secret}'`), "refused", /does not know a command/],
    [reply("MOVED 3999 127.0.0.1:6381"), "refused", /cluster/],
    [reply("CROSSSLOT Keys in request don't hash to the same slot"), "refused", /cluster/],
    [reply(`ERR something about '${secret}'`), "single", /^Redis answered ERR$/],
    [reply("WRONGTYPE Operation against a key holding the wrong kind of value"), "single", /WRONGTYPE$/],
    [reply(`${secret}`), "single", /^Redis answered ERR$/],
    [reply(""), "single", /ERR$/],
    [system("ECONNREFUSED"), "transient", /refused$/],
    [system("ENOTFOUND"), "transient", /host is unknown/],
    [system("EAI_AGAIN"), "transient", /looked up/],
    [system("ETIMEDOUT"), "transient", /in time/],
    [system("EHOSTUNREACH"), "transient", /reached/],
    [system("ECONNRESET"), "transient", /reset/],
    [system("EPIPE"), "transient", /closed/],
    [system("ENOENT"), "transient", /does not exist/],
    [system("EACCES"), "refused", /may not be opened/],
    [system("DEPTH_ZERO_SELF_SIGNED_CERT"), "refused", /certificate/],
    [system("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "refused", /certificate/],
    [system("ERR_TLS_CERT_ALTNAME_INVALID"), "refused", /certificate/],
    [system("CERT_HAS_EXPIRED"), "refused", /certificate/],
    [system("ESOMETHING"), "transient", /ESOMETHING/],
    [new Error(`Connection is closed. ${secret}`), "transient", /^the connection was closed$/],
    [secret, "unavailable", /unknown/],
    [undefined, "unavailable", /unknown/],
    [new RedisError("refused", "our own sentence"), "refused", /^our own sentence$/],
    [new RedisError("unavailable", "our own sentence"), "unavailable", /^our own sentence$/],
  ];
  for (const [error, kind, says] of rows) {
    it(error instanceof Error ? error.message.slice(0, 50) || "an empty reply" : typeof error, () => {
      const fault = redisFault(error);
      assert.equal(fault.kind, kind);
      assert.match(fault.message, says);
      assert(!JSON.stringify(fault).includes(secret));
      assert.deepEqual(Object.keys(fault).sort(), ["kind", "message"]);
    });
  }
});
