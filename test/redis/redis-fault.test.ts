import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisError } from "../../src/model/errors.js";
import { type RedisFault, redisFault } from "../../src/redis/redis-fault.js";

const secret = "s3cret-value-of-a-session";

/** An error as the client raises it for a reply: it carries the command and what was sent. */
function reply(message: string, name = "set", ...args: string[]): Error {
  return Object.assign(new Error(message), {
    name: "ReplyError",
    command: { name, args: [...args, `session:${secret}`, secret] },
  });
}

function system(code: string): Error {
  return Object.assign(new Error(`${code}: connect ${secret}`), { code });
}

describe("redis-fault: what an error comes to (hazards.md, Redis)", () => {
  const rows: readonly (readonly [error: unknown, kind: RedisFault["kind"], says: RegExp])[] = [
    [reply("NOAUTH Authentication required."), "refused", /password/],
    [reply("WRONGPASS invalid username-password pair or user is disabled."), "refused", /user name or password/],
    [reply("ERR invalid password"), "refused", /password/],
    [
      reply("NOPERM this user has no permissions to run the 'set' command"),
      "refused",
      /does not allow this user the command SET\. It writes the sessions/,
    ],
    [
      reply("NOPERM User default has no permissions to run the 'config|get' command", "config", "GET"),
      "refused",
      /CONFIG GET\. It tells whether/,
    ],
    [
      reply("NOPERM this user has no permissions to access one of the keys used as arguments"),
      "refused",
      /keys of sessions/,
    ],
    [reply("NOPERM No permissions to access a key"), "refused", /keys of sessions/],
    [reply("NOPERM something new", "scan"), "refused", /the command SCAN.*--key-layout/],
    [reply("NOPERM something new", "wait"), "refused", /the command WAIT.*without that flag/],
    [
      reply("ERR unknown command 'PEXPIRETIME', with args beginning with: ", "pexpiretime"),
      "refused",
      /lacks or hides the command PEXPIRETIME/,
    ],
    [reply("ERR the service has no such thing", "scan"), "refused", /lacks or hides the command SCAN/],
    [reply("command not supported by this proxy", "exists"), "refused", /lacks or hides the command EXISTS/],
    [reply("ERR unsupported command 'EVAL'", "eval"), "refused", /EVAL/],
    [
      reply("ERR The user executing the script can't run this command or subcommand script: x", "eval"),
      "refused",
      /EVAL, or a command of its script \(GET, SET/,
    ],
    [
      reply("ERR ACL failure in script: User u has no permissions to run the 'pexpiretime' command", "eval"),
      "refused",
      /the command PEXPIRETIME/,
    ],
    [reply("ERR Unknown Redis command called from script script: x", "eval"), "refused", /EVAL, or a command/],
    [
      reply(
        "ERR Error running script (call to f_0): @user_script:2: @user_script: 2: -OOM command not allowed",
        "eval",
      ),
      "refused",
      /^Redis is out of memory/,
    ],
    [
      reply("ERR Error running script (call to f_0): @user_script:2: READONLY You can't write", "eval"),
      "transient",
      /replica/,
    ],
    [
      reply("ERR Error running script (call to f_0): @user_script:2: @user_script: 2: Unknown Redis command", "eval"),
      "refused",
      /EVAL, or a command/,
    ],
    [reply("ERR max number of clients reached", "info"), "transient", /no more clients/],
    [reply("ERR value is larger than the proxy takes"), "single", /^Redis answered ERR to SET$/],
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
    [reply("ERR max number of clients + cluster connections reached"), "transient", /no more clients/],
    [reply("UNBLOCKED force unblock from blocking operation"), "transient", /role/],
    [reply("ERR max number of clients reached"), "transient", /no more clients/],
    [reply("ERR DB index is out of range"), "refused", /no database of that number/],
    [reply("ERR SELECT is not allowed in cluster mode"), "refused", /database 0/],
    [reply(`ERR unknown command '${secret}'`), "refused", /lacks or hides the command SET/],
    [reply("MOVED 3999 127.0.0.1:6381"), "refused", /cluster/],
    [reply("CROSSSLOT Keys in request don't hash to the same slot"), "refused", /cluster/],
    [reply(`ERR something about '${secret}'`), "single", /^Redis answered ERR to SET$/],
    [reply("WRONGTYPE Operation against a key holding the wrong kind of value"), "single", /WRONGTYPE to SET$/],
    [reply(`${secret}`), "single", /^Redis answered ERR to SET$/],
    [reply(""), "single", /ERR to SET$/],
    [system("ECONNREFUSED"), "transient", /refused: .* \(ECONNREFUSED\)$/],
    [system("ENOTFOUND"), "transient", /host is unknown/],
    [system("EAI_AGAIN"), "transient", /looked up/],
    [system("ETIMEDOUT"), "transient", /in time/],
    [system("EHOSTUNREACH"), "transient", /reached/],
    [system("ECONNRESET"), "transient", /reset/],
    [system("EPIPE"), "transient", /closed/],
    [system("ENOENT"), "transient", /does not exist/],
    [system("EACCES"), "refused", /may not be opened/],
    [system("DEPTH_ZERO_SELF_SIGNED_CERT"), "refused", /server's .*--cacert FILE \(DEPTH_ZERO/],
    [system("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "refused", /server's .*--cacert FILE/],
    [system("ERR_TLS_CERT_ALTNAME_INVALID"), "refused", /server's .*--tls-servername NAME/],
    [system("CERT_HAS_EXPIRED"), "refused", /server's .*expired/],
    [system("CERT_NOT_YET_VALID"), "refused", /server's .*clocks/],
    [system("CRL_HAS_EXPIRED"), "refused", /server's certificate/],
    [
      system("ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED"),
      "refused",
      /^Redis asks for a client certificate.*--cert FILE.*\(TLSV13_ALERT_CERTIFICATE_REQUIRED\)$/,
    ],
    [system("ERR_SSL_TLSV1_ALERT_UNKNOWN_CA"), "refused", /^Redis refused our client certificate.*--cert/],
    [system("ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE"), "refused", /^Redis refused our client certificate.*--cert/],
    [system("ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED"), "refused", /^Redis refused our client certificate/],
    [system("ENOBUFS"), "transient", /failed \(ENOBUFS\)/],
    [system("EMFILE"), "transient", /EMFILE/],
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
      const { kind: _, message, explanation, ...rest } = fault;
      assert.deepEqual(rest, {});
      if (explanation !== undefined) assert.equal(message, `${explanation.found}: ${explanation.remedy}`);
    });
  }
});
