import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { makeTemporaryDirectory } from "../../../support/process/temporary-directory.js";

/**
 * Makes two authorities, `ca.pem` and `other.pem`, and of the first a certificate for `localhost`,
 * `redis.pem`, and one for a client, `client.pem`; each with its key. Returns their directory.
 */
export function makeCertificates(): string {
  const directory = makeTemporaryDirectory();
  const openssl = (...args: readonly string[]) => execFileSync("openssl", args, { cwd: directory, stdio: "pipe" });
  const make = (name: string, subject: string, ...more: readonly string[]) => {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
    openssl("req", "-x509", ...key, "-days", "2", ...files, "-subj", `/CN=${subject}`, ...more);
  };
  for (const name of ["ca", "other"]) make(name, name);
  const signed = ["-CA", join(directory, "ca.pem"), "-CAkey", join(directory, "ca.key")];
  make("redis", "localhost", ...signed, "-addext", "subjectAltName=DNS:localhost");
  make("client", "client", ...signed);
  return directory;
}
