import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { type Explanation, RedisError } from "../../model/errors.js";
import type { ServerTarget } from "../../model/redis-target.js";
import { codeOf, isReply } from "../redis-fault.js";

/** How an address answered one greeting. */
interface Answer {
  readonly bytes: string;
  /** Whether the connection was made; for TLS, whether the handshake succeeded. */
  readonly opened: boolean;
  readonly closed: boolean;
  /** The error's code; empty if there was none. */
  readonly code: string;
}

/** Error codes that mean that no server was reached. */
const notReached: ReadonlySet<string | undefined> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
]);

/** Whether something answers there that may not be a Redis that speaks as expected. */
export function mayBeAnotherServer(error: unknown): boolean {
  return !isReply(error) && !(error instanceof RedisError) && !notReached.has(codeOf(error));
}

/** Whether nobody answers there. */
export function isUnreached(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ETIMEDOUT" || notReached.has(code);
}

const answerWithinMs = 3000;
const ping = "PING\r\n";
const checkAddress = "check host and port";
/** Asks a PostgreSQL server for TLS. Only PostgreSQL answers S or N. */
const postgresGreeting = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** How to switch TLS on and off. */
export interface TlsRemedies {
  readonly use: string;
  readonly leaveOut: string;
}

const redisRemedies: TlsRemedies = {
  use: "give --tls, or a URL that begins with rediss:",
  leaveOut: "leave out --tls, or begin the URL with redis:",
};

/**
 * Says why an address that accepts connections does not answer like Redis; `undefined` if nothing
 * more is known. Takes up to three seconds.
 */
export async function diagnosePort(
  { address, tls }: Pick<ServerTarget, "address" | "tls">,
  remedies = redisRemedies,
): Promise<Explanation | undefined> {
  const host = "path" in address ? undefined : address.host;
  const name = host === undefined || /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const client = tls?.cert === undefined ? {} : { cert: tls.cert, ...(tls.key ? { key: tls.key } : {}) };
  const [plain, encrypted, postgres] = await Promise.all([
    converse(() => connect(address), "connect", ping),
    // The certificate is not checked: this only asks for the protocol and sends no secret.
    converse(() => connectTls({ ...address, ...name, ...client, rejectUnauthorized: false }), "secureConnect", ping),
    converse(() => connect(address), "connect", postgresGreeting),
  ]);
  const speaksTls = encrypted.opened || /ALERT/.test(encrypted.code);
  if (tls === undefined && speaksTls) return { found: "the port wants TLS", remedy: remedies.use };
  if (speaksTls && encrypted.bytes === "" && encrypted.closed) {
    const found = "it closes the connection after the TLS handshake, so it most likely ";
    return tls?.cert === undefined
      ? {
          found: `${found}asks for a client certificate`,
          remedy: "give one with --cert FILE and its key with --key FILE",
        }
      : {
          found: `${found}does not trust our client certificate`,
          remedy: "see --cert FILE and --key FILE",
        };
  }
  if (speaksTls) return otherProtocol(encrypted.bytes);
  if (/^[SN]$/.test(postgres.bytes)) {
    return { found: "a PostgreSQL server answers there, not Redis", remedy: checkAddress };
  }
  if (tls !== undefined && isRedis(plain.bytes)) {
    return { found: "the port does not speak TLS", remedy: remedies.leaveOut };
  }
  if (plain.bytes !== "") return otherProtocol(plain.bytes);
  if (plain.opened && plain.closed) {
    const found = "it closes the connection without an answer, so it is not Redis or refuses this host";
    return { found, remedy: checkAddress };
  }
  if (!plain.opened) return undefined;
  const found = "it accepts the connection and says nothing";
  return { found, remedy: "check host and port, and whether Redis hangs" };
}

function isRedis(bytes: string): boolean {
  return /^[+-][A-Z]/.test(bytes);
}

function otherProtocol(bytes: string): Explanation | undefined {
  if (isRedis(bytes) || bytes === "") return undefined;
  const protocol = /^HTTP\//.test(bytes)
    ? "a web server (HTTP)"
    : /^SSH-/.test(bytes)
      ? "an SSH server"
      : "another server";
  return { found: `${protocol} answers there, not Redis`, remedy: checkAddress };
}

function converse(
  open: () => Socket | TLSSocket,
  readyEvent: "connect" | "secureConnect",
  greeting: string | Buffer,
): Promise<Answer> {
  return new Promise((resolve) => {
    let bytes = "";
    let opened = false;
    const socket = open();
    const finish = (closed: boolean, code = "") => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ bytes, opened, closed, code });
    };
    const timer = setTimeout(() => finish(false), answerWithinMs);
    socket.once(readyEvent, () => {
      opened = true;
      socket.write(greeting);
    });
    socket.on("data", (data: Buffer) => {
      bytes += data.toString("latin1");
      finish(false);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => finish(true, error.code));
    socket.on("close", () => finish(true));
  });
}
