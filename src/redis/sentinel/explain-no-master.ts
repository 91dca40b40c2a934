import type { Explanation } from "../../model/errors.js";
import { describeAddress, listSentinels, type WatchedMaster } from "../../model/redis-target.js";
import { showable } from "../../model/showable.js";
import { explanationOf, fault, isReply, type RedisFault, redisFault } from "../redis-fault.js";
import { diagnosePort, mayBeAnotherServer } from "../server/diagnose-port.js";
import { type FailedSentinel, NoMasterError, type SentinelAnswer } from "./no-master-error.js";

/** What no Sentinel named: a master that none of them knows, or whose Sentinels did not answer. */
export function noMaster(master: WatchedMaster, answers: readonly SentinelAnswer[]): NoMasterError {
  const failed = answers.filter((answer) => answer.kind === "failed");
  const unknown = answers.filter((answer) => answer.kind === "unknown");
  const why = unknown.length > 0 ? explainUnknown(master, unknown) : explainFailed(failed);
  return new NoMasterError(why, unknown.length > 0, failed);
}

const tlsRemedies = {
  use: "set TELE_SESSION_REDIS_SENTINEL_TLS=1",
  leaveOut: "leave out TELE_SESSION_REDIS_SENTINEL_TLS",
};

/**
 * Says why no Sentinel could be asked at the start of a run: also what else answers there. Takes up
 * to three seconds.
 */
export async function explainFirst(error: NoMasterError, { tls }: WatchedMaster): Promise<Explanation> {
  const odd = error.fault.kind === "transient" ? error.failed.find((one) => mayBeAnotherServer(one.error)) : undefined;
  const diagnosis = odd && (await diagnosePort({ address: odd.sentinel, ...(tls ? { tls } : {}) }, tlsRemedies));
  if (odd === undefined || diagnosis === undefined) return explanationOf(error.fault);
  const { found, remedy } = diagnosis;
  return { found: `no Sentinel names the master (${describeAddress(odd.sentinel)}: ${found})`, remedy };
}

/** Transient: during a run, a Sentinel was most likely restarted without its configuration. */
function explainUnknown(
  { masterName }: WatchedMaster,
  unknown: readonly (SentinelAnswer & { readonly kind: "unknown" })[],
): RedisFault {
  const who = listSentinels(unknown.map(({ sentinel }) => sentinel));
  const knows = unknown.length === 1 ? `Sentinel ${who} knows` : `Sentinels ${who} know`;
  const found = `${knows} no master named ${showable(masterName)}`;
  const names = [...new Set(unknown.flatMap(({ known = [] }) => known))].map((name) => showable(name)).sort();
  const remedy =
    names.length === 0
      ? "see SENTINEL MASTERS there for its name"
      : `name one that it knows: ${names.map((name) => `--sentinel-master ${name}`).join(", ")}`;
  return fault("transient", found, remedy);
}

function explainFailed(failed: readonly FailedSentinel[]): RedisFault {
  const faults = failed.map(({ error }) => sentinelFault(error));
  const worst = faults.find(({ kind }) => kind === "refused") ?? faults[0];
  const reasons = faults.map((one) => explanationOf(one).found);
  const why =
    new Set(reasons).size === 1
      ? `${listSentinels(failed.map(({ sentinel }) => sentinel))}: ${reasons[0]}`
      : failed.map(({ sentinel }, index) => `${describeAddress(sentinel)}: ${reasons[index]}`).join("; ");
  const remedy = worst?.explanation?.remedy ?? "check that they run, and --sentinel";
  const kind = worst?.kind === "refused" ? "refused" : "transient";
  return fault(kind, `no Sentinel names the master (${why})`, remedy);
}

const passwordSettings = "--sentinel-password-file or TELE_SESSION_REDIS_SENTINEL_PASSWORD";
/** By the start of an error reply: what differs from the faults of a Redis. */
const replies: readonly (readonly [RegExp, found: string, remedy: string])[] = [
  [/^NOAUTH/, "it asks for a password of its own", `give it with ${passwordSettings}`],
  [
    /^(WRONGPASS|ERR invalid password)/,
    "it refused the user name or password",
    `check ${passwordSettings}, and TELE_SESSION_REDIS_SENTINEL_USERNAME`,
  ],
  [
    /^NOPERM/,
    "it does not allow this user SENTINEL GET-MASTER-ADDR-BY-NAME",
    "allow it on each Sentinel: ACL SETUSER NAME +sentinel|get-master-addr-by-name",
  ],
  [
    /^ERR unknown (sub)?command/,
    "it is no Sentinel",
    "give the port of a Sentinel, most often 26379; a Redis without Sentinel is named by --host and --port",
  ],
];

/** What an error of a Sentinel means. */
function sentinelFault(error: unknown): RedisFault {
  const reply = isReply(error) ? replies.find(([pattern]) => pattern.test(error.message)) : undefined;
  if (reply !== undefined) return fault("refused", reply[1], reply[2]);
  const known = redisFault(error);
  const isReached = known.kind === "refused" || known.explanation === undefined;
  return isReached ? known : fault(known.kind, known.explanation.found, "check --sentinel, and that it runs");
}
