import { type MessageProxy, maxRewritten, startMessageProxy } from "../proxies/message-proxy.js";

/**
 * A server that no registry offers, so that a Redis stands in its place: what it lacks is refused as
 * it would refuse it, on the way.
 */
export interface OtherServer {
  /** Whether SET has no option PXAT. */
  readonly lacksPxat?: true;
  readonly lacksPexpiretime?: true;
  /** Whether scripts cannot declare flags, and errors of commands in them come wrapped. */
  readonly hasOldScripts?: true;
  /** What it says of itself. */
  readonly info: (text: string) => string;
}

const version = (text: string) => (info: string) => info.replace(/^redis_version:.*?$/m, `redis_version:${text}`);

export const otherServers: Readonly<Record<string, OtherServer>> = {
  "Redis 6.0": {
    lacksPxat: true,
    lacksPexpiretime: true,
    hasOldScripts: true,
    info: version("6.0.16\r"),
  },
  "Redis 6.2": { lacksPexpiretime: true, hasOldScripts: true, info: version("6.2.14\r") },
  KeyDB: { lacksPexpiretime: true, hasOldScripts: true, info: version("6.3.4\r") },
  Valkey: {
    info: version("7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r"),
  },
  // An old one; it may not say whose data it holds.
  Dragonfly: {
    lacksPexpiretime: true,
    info: (text) =>
      version("6.2.11\r\ndragonfly_version:df-v1.13.0\r")(text).replace(
        /^(run_id|master_replid2?|redis_mode|evicted_keys|maxmemory_policy|mem_[a-z_]+):.*\n/gm,
        "",
      ),
  },
};

/** Listens on a free port of 127.0.0.1 in place of the Redis at `redisPort` there. */
export function startOtherServer(redisPort: number, other: OtherServer): Promise<MessageProxy> {
  return startMessageProxy(redisPort, () => {
    /** For each command on its way, the error that answers it; a PING goes in its place. */
    const refusals: (string | undefined)[] = [];
    return {
      command: (command) => {
        const refusal = refusalOf(command, other);
        refusals.push(refusal);
        return refusal === undefined ? command : "PING\r\n";
      },
      reply: (reply) => {
        const refusal = refusals.shift();
        return refusal === undefined ? rewritten(reply, other) : `-${refusal}\r\n`;
      },
    };
  });
}

/** The error with which the server refuses a command; `undefined` if it takes it. */
function refusalOf(command: Buffer, { lacksPxat, lacksPexpiretime, hasOldScripts }: OtherServer) {
  const parts = command.toString("latin1").split("\r\n");
  const name = parts[2]?.toUpperCase();
  const inScript = (text: string) =>
    hasOldScripts ? `ERR Error running script (call to f_0): @user_script:2: @user_script: 2: ${text}` : text;
  if (lacksPexpiretime && name === "PEXPIRETIME") {
    return `ERR unknown command \`${parts[2]}\`, with args beginning with: \`${parts[4]}\`, `;
  }
  if (lacksPxat && name === "SET" && parts.includes("PXAT")) return "ERR syntax error";
  if (name !== "EVAL") return undefined;
  const script = scriptOf(command);
  if (hasOldScripts && script.startsWith("#!")) {
    return "ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'";
  }
  if (lacksPexpiretime && script.includes("'PEXPIRETIME'")) {
    return inScript(
      hasOldScripts ? "Unknown Redis command called from Lua script" : "ERR unknown command `PEXPIRETIME`",
    );
  }
  return lacksPxat && script.includes("'PXAT'") ? inScript("ERR syntax error") : undefined;
}

/** The text of an EVAL: it holds line breaks of its own. */
function scriptOf(command: Buffer): string {
  const [, length = "0"] =
    /^\*\d+\r\n\$4\r\n\w{4}\r\n\$(\d+)\r\n/.exec(command.subarray(0, 64).toString("latin1")) ?? [];
  const start = command.indexOf(`$${length}\r\n`) + length.length + 3;
  return command.toString("latin1", start, start + Number(length));
}

function rewritten(reply: Buffer, { hasOldScripts, info }: OtherServer): Buffer {
  if (reply.length > maxRewritten) return reply;
  const text = reply.toString("latin1");
  const [, error, sha, line] = /^-(.*?) script: (\w+), on @user_script:(\d+)/.exec(text) ?? [];
  if (hasOldScripts && error !== undefined) {
    return Buffer.from(`-ERR Error running script (call to f_${sha}): @user_script:${line}: ${error}\r\n`, "latin1");
  }
  const [, bulk] = /^\$\d+\r\n(.*)\r\n$/s.exec(text) ?? [];
  if (bulk === undefined || !/^# \w+\r\n/.test(bulk)) return reply;
  const changed = info(bulk);
  return Buffer.from(`$${changed.length}\r\n${changed}\r\n`, "latin1");
}
