import { spawn } from "node:child_process";
import { chmodSync, chownSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { ConfigMap } from "kubernetes-models/v1/ConfigMap";
import { letOthersPass } from "../../support/process/call-unprivileged.js";
import { caretaker } from "../../support/process/caretaker.js";
import type { CommandResult } from "../../support/process/command.js";
import { searchOutput } from "../../support/process/search-output.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import type { BuiltImage } from "./build-image.js";
import { manifestText, ourContainerOf, podOf, readManifest } from "./manifest.js";

/** What stands in the test for the volumes and the Redis of a cluster. */
export interface Place {
  readonly directory: string;
  readonly passwordFile: string;
  readonly port: number;
}

export interface PodResult extends Pick<CommandResult, "exitCode" | "stdout" | "stderr"> {
  /** What `kubectl describe pod` would show. */
  readonly terminationLog: string;
}

/**
 * Runs what a manifest runs in a container of the image, with its arguments and variables, as its
 * user. This user owns the sessions. A directory that is mounted read-only cannot be written, and
 * nor can anything else but the termination log.
 */
export async function runPod(
  image: BuiltImage,
  name: string,
  { directory, passwordFile, port }: Place,
  variables: Readonly<Record<string, string>> = {},
): Promise<PodResult> {
  const settings = readManifest(manifestText("settings.yaml"));
  const pod = podOf(readManifest(manifestText(name)));
  if (pod === undefined || !(settings instanceof ConfigMap)) throw new Error(`${name} makes no pod`);
  const { args = [], env = [], volumeMounts = [], terminationMessagePath = "" } = ourContainerOf(pod);
  const { runAsUser: uid = 0, runAsGroup: gid = 0 } = pod.securityContext ?? {};

  const isReadOnly = volumeMounts.find((mount) => mount.name === "data")?.readOnly === true;
  own(directory, { uid, gid, isReadOnly });
  const terminationLog = join(makeTemporaryDirectory(), "termination-log");
  writeFileSync(terminationLog, "");
  chmodSync(terminationLog, 0o666);
  for (const path of [image.root, ...[directory, passwordFile, terminationLog].map(dirname)]) letOthersPass(path);

  const [program = "", ...words] = image.entrypoint;
  const given = args.map((word) => (word === terminationMessagePath ? terminationLog : word));
  const child = spawn(program, [...words, ...given], {
    cwd: image.root,
    uid,
    gid,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: image.path,
      // What a container of a user without a name gets.
      HOME: "/",
      TMPDIR: "/read-only",
      ...settings.data,
      ...Object.fromEntries(env.map(({ name, value = "" }) => [name, value])),
      TELE_SESSION_DIR: directory,
      TELE_SESSION_REDIS_HOST: "127.0.0.1",
      TELE_SESSION_REDIS_PORT: String(port),
      TELE_SESSION_REDIS_PASSWORD_FILE: passwordFile,
      ...variables,
    },
  });
  const spare = caretaker.killAtEnd(child.pid ?? 0);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  spare();
  searchOutput(stdout + stderr, given);
  return { exitCode, stdout, stderr, terminationLog: readFileSync(terminationLog, "utf8") };
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly isReadOnly: boolean;
}

/** Gives a session directory to a user, with the modes that a server gives it. */
function own(directory: string, { uid, gid, isReadOnly }: Owner): void {
  for (const name of ["", ...readdirSync(directory, { recursive: true, encoding: "utf8" })]) {
    const path = join(directory, name);
    const mode = statSync(path).isDirectory() ? 0o700 : 0o600;
    chmodSync(path, isReadOnly ? mode & 0o500 : mode);
    chownSync(path, uid, gid);
  }
}
