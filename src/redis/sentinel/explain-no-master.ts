import type { Explanation } from "../../model/errors.js";
import { describeAddress, listSentinels, type WatchedMaster } from "../../model/redis-target.js";
import { showable } from "../../model/showable.js";
import { isReply, type RedisFault, redisFault } from "../redis-fault.js";
import { diagnosePort, mayBeAnotherServer } from "../server/diagnose-port.js";
import type { SentinelAnswer } from "./find-master.js";
import { type FailedSentinel, NoMasterError } from "./no-master-error.js";

/** What no Sentinel named: a master that none of them knows, or whose Sentinels did not answer. */
export function noMaster(master: WatchedMaster, answers: readonly SentinelAnswer[]): NoMasterError {
  const failed = answers.filter((answer) => answer.kind === "failed");
  const unknown = answers.filter((answer) => answer.kind === "unknown");
  const fault = unknown.length > 0 ? explainUnknown(master, unknown) : explainFailed(failed);
  return new NoMasterError(fault, unknown.length > 0, failed);
}

const tlsRemedies = {
  use: "set TELE_SESSION_REDIS_SENTINEL_TLS=1",
  leaveOut: "leave out TELE_SESSION_REDIS_SENTINEL_TLS",
};

/**
 * Says why no Sentinel could be asked at the start of a run: also what else answers there. Takes up
 * to three seconds.
 */
export async function explainFirst({ fault, failed }: NoMasterError, { tls }: WatchedMaster): Promise<Explanation> {
  const odd = fault.kind === "transient" ? failed.find(({ error }) => mayBeAnotherServer(error)) : undefined;
  const diagnosis = odd && (await diagnosePort({ address: odd.sentinel, ...(tls ? { tls } : {}) }, tlsRemedies));
  if (odd === undefined || diagnosis === undefined) {
    return fault.explanation ?? { found: fault.message, remedy: "" };
  }
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
  return faultOf("transient", { found, remedy });
}

function explainFailed(failed: readonly FailedSentinel[]): RedisFault {
  const explained = failed.map(({ sentinel, error }) => ({ sentinel, fault: sentinelFault(error) }));
  const worst = explained.find(({ fault }) => fault.kind === "refused") ?? explained[0];
  const reasons = [...new Set(explained.map(({ fault }) => fault.explanation?.found ?? fault.message))];
  const why =
    reasons.length === 1
      ? `${listSentinels(failed.map(({ sentinel }) => sentinel))}: ${reasons[0]}`
      : explained
          .map(({ sentinel, fault }) => {
            return `${describeAddress(sentinel)}: ${fault.explanation?.found ?? fault.message}`;
          })
          .join("; ");
  const found = `no Sentinel names the master (${why})`;
  const remedy = worst?.fault.explanation?.remedy ?? "check that they run, and --sentinel";
  return faultOf(worst?.fault.kind === "refused" ? "refused" : "transient", { found, remedy });
}

function faultOf(kind: RedisFault["kind"], explanation: Explanation): RedisFault {
  return { kind, message: `${explanation.found}: ${explanation.remedy}`, explanation };
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
  if (reply !== undefined) return faultOf("refused", { found: reply[1], remedy: reply[2] });
  const fault = redisFault(error);
  const isReached = fault.kind === "refused" || fault.explanation === undefined;
  const remedy = "check --sentinel, and that it runs";
  return isReached ? fault : faultOf(fault.kind, { found: fault.explanation.found, remedy });
}
