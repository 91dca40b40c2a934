import { join } from "node:path";
import { findFreePort } from "../../../support/servers/free-port.js";
import { makeCertificates } from "./make-certificates.js";
import type { SetUp } from "./set-up.js";
import type { SetUpGround } from "./set-up-ground.js";

const certificates = makeCertificates();
const file = (name: string) => join(certificates, name);

/** A Redis with a TLS port, which is named, and a plain one. */
async function startTls(ground: SetUpGround, clients: "yes" | "no"): Promise<void> {
  const port = await findFreePort();
  const files = ["cert", "key", "ca-cert"].flatMap((name) => {
    return [`--tls-${name}-file`, file({ cert: "redis.pem", key: "redis.key", "ca-cert": "ca.pem" }[name] ?? "")];
  });
  const redis = await ground.startRedis({
    args: ["--tls-port", String(port), ...files, "--tls-auth-clients", clients],
  });
  plainPorts.set(ground, redis.port);
  ground.nameRedis({ host: "localhost", port });
}

const plainPorts = new WeakMap<SetUpGround, number>();

/** Set-ups in which TLS fails. The server's certificate is for `localhost`. */
export const setUpsOfTls: readonly SetUp[] = [
  {
    name: "a TLS port without --tls",
    check: "reachable",
    found: /^the port wants TLS$/,
    remedy: /^give --tls, or a URL that begins with rediss:/,
    exit: 3,
    make: (ground) => startTls(ground, "no"),
    mend: (ground) => ground.flags.set("--tls", "").set("--cacert", file("ca.pem")),
  },
  {
    name: "a plain port with --tls",
    check: "reachable",
    found: /^the port does not speak TLS$/,
    remedy: /^leave out --tls/,
    exit: 3,
    make: async (ground) => {
      await ground.startRedis();
      ground.flags.set("--tls", "");
    },
    mend: (ground) => ground.flags.delete("--tls"),
  },
  {
    name: "another authority",
    check: "reachable",
    found: /certificate was not accepted, because its authority is unknown or it is self-signed$/,
    remedy: /^give the authority with --cacert FILE \([A-Z_]+\)$/,
    exit: 5,
    make: async (ground) => {
      await startTls(ground, "no");
      ground.flags.set("--tls", "").set("--cacert", file("other.pem"));
    },
    mend: (ground) => ground.flags.set("--cacert", file("ca.pem")),
  },
  {
    name: "a certificate with another name",
    check: "reachable",
    found: /certificate was not accepted, because it carries another name$/,
    remedy: /^give that with --tls-servername NAME \([A-Z_]+\)$/,
    exit: 5,
    make: async (ground) => {
      await startTls(ground, "no");
      ground.flags.set("--host", "127.0.0.1").set("--tls", "").set("--cacert", file("ca.pem"));
    },
    mend: (ground) => ground.flags.set("--tls-servername", "localhost"),
  },
  {
    name: "no client certificate, and Redis asks for one",
    check: "reachable",
    found: /asks for a client certificate$/,
    remedy: /^give one with --cert FILE and its key with --key FILE/,
    exit: 5,
    make: async (ground) => {
      await startTls(ground, "yes");
      ground.flags.set("--tls", "").set("--cacert", file("ca.pem"));
    },
    mend: (ground) => ground.flags.set("--cert", file("client.pem")).set("--key", file("client.key")),
  },
];
