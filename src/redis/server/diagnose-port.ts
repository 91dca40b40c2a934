import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { RedisTarget } from "../../model/redis-target.js";

/** How an address answered one greeting. */
interface Answer {
  readonly bytes: string;
  /** Whether the connection was made; for TLS, whether the handshake succeeded. */
  readonly opened: boolean;
  readonly closed: boolean;
  /** The error's code; empty if there was none. */
  readonly code: string;
}

const answerWithinMs = 3000;
const ping = "PING\r\n";
/** Asks a PostgreSQL server for TLS. Only PostgreSQL answers S or N. */
const postgresGreeting = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/**
 * Says in a sentence why an address that accepts connections does not answer like Redis;
 * `undefined` if nothing more is known. Takes up to three seconds.
 */
export async function diagnosePort({ address, tls }: RedisTarget): Promise<string | undefined> {
  const host = "path" in address ? undefined : address.host;
  const name = host === undefined || /^[\d.]+$|:/.test(host) ? {} : { servername: host };
  const client = tls?.cert === undefined ? {} : { cert: tls.cert, ...(tls.key ? { key: tls.key } : {}) };
  const [plain, encrypted, postgres] = await Promise.all([
    converse(() => connect(address), "connect", ping),
    // The certificate is not checked: this only asks for the protocol and sends no secret.
    converse(
      () => connectTls({ ...address, ...name, ...client, rejectUnauthorized: false }),
      "secureConnect",
      ping,
    ),
    converse(() => connect(address), "connect", postgresGreeting),
  ]);
  const speaksTls = encrypted.opened || /ALERT/.test(encrypted.code);
  if (tls === undefined && speaksTls)
    return "the port wants TLS: give --tls, or a URL that begins with rediss:";
  if (speaksTls && encrypted.bytes === "" && encrypted.closed) {
    return tls?.cert === undefined
      ? "it closes the connection after the TLS handshake, so it most likely asks for a client " +
          "certificate: give one with --cert FILE and its key with --key FILE"
      : "it closes the connection after the TLS handshake, so it most likely does not trust our " +
          "client certificate: see --cert FILE and --key FILE";
  }
  if (speaksTls) return otherProtocol(encrypted.bytes);
  if (/^[SN]$/.test(postgres.bytes))
    return "a PostgreSQL server answers there, not Redis: check host and port";
  if (tls !== undefined && isRedis(plain.bytes)) {
    return "the port does not speak TLS: leave out --tls, or begin the URL with redis:";
  }
  if (plain.bytes !== "") return otherProtocol(plain.bytes);
  if (plain.opened && plain.closed) {
    return "it closes the connection without an answer, so it is not Redis or refuses this host: check host and port";
  }
  return plain.opened
    ? "it accepts the connection and says nothing: check host and port, and whether Redis hangs"
    : undefined;
}

function isRedis(bytes: string): boolean {
  return /^[+-][A-Z]/.test(bytes);
}

function otherProtocol(bytes: string): string | undefined {
  if (isRedis(bytes) || bytes === "") return undefined;
  const protocol = /^HTTP\//.test(bytes)
    ? "a web server (HTTP)"
    : /^SSH-/.test(bytes)
      ? "an SSH server"
      : "another server";
  return `${protocol} answers there, not Redis: check host and port`;
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
