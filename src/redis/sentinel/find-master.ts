import type { Redis } from "ioredis";
import { describeAddress, type HostAndPort, type WatchedMaster } from "../../model/redis-target.js";
import { logIn } from "../client/log-in.js";
import { newClient } from "../client/new-client.js";
import { isBug } from "../redis-fault.js";
import { withinTime } from "../time-limit.js";
import { noMaster } from "./explain-no-master.js";
import { masterNames } from "./master-names.js";
import type { SentinelAnswer } from "./no-master-error.js";

/** Where the Sentinels say that the master is. */
export interface FoundMaster {
  readonly address: HostAndPort;
  /** What the operator should know about the Sentinels. */
  readonly warnings: readonly string[];
}

/** For connection, TLS, login and answer of each Sentinel. */
const answerWithinMs = 2000;
/** How long others may take once one has named an address. */
const othersWithinMs = 300;

/**
 * Asks all Sentinels at once, and returns as soon as more than half of them name the same address;
 * otherwise the address that most of them name, the first if several do. So neither a silent
 * Sentinel nor one that was cut off from the others decides. Takes up to two seconds. Throws
 * `NoMasterError` if none of them names an address.
 */
export async function findMaster(master: WatchedMaster): Promise<FoundMaster> {
  const { sentinels, tls } = master;
  const asked = sentinels.map((sentinel) => ({ sentinel, ...newClient(sentinel, tls, answerWithinMs) }));
  const inOrder: (SentinelAnswer | undefined)[] = sentinels.map(() => undefined);
  const answers = () => inOrder.filter((answer) => answer !== undefined);
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      for (const [index, { sentinel, client, causeOf }] of asked.entries()) {
        const note = (answer: SentinelAnswer) => {
          inOrder[index] = answer;
          const most = mostNamed(answers());
          if (most !== undefined) timer ??= setTimeout(resolve, othersWithinMs);
          const isSettled = most !== undefined && most.count * 2 > sentinels.length;
          if (isSettled || answers().length === sentinels.length) resolve();
        };
        withinTime(answerWithinMs, client, () => askOne(client, sentinel, master)).then(note, (error) => {
          if (isBug(error)) reject(error);
          else note({ kind: "failed", sentinel, error: causeOf(error) });
        });
      }
    });
  } finally {
    clearTimeout(timer);
    for (const { client } of asked) client.disconnect();
  }
  const most = mostNamed(answers());
  if (most === undefined) throw noMaster(master, answers());
  const isLoginIdle = answers().some((answer) => answer.kind === "master" && !answer.wantsLogin);
  return {
    address: most.address,
    warnings: isLoginIdle ? ["a Sentinel password was given, but the Sentinels do not ask for one"] : [],
  };
}

async function askOne(client: Redis, sentinel: HostAndPort, master: WatchedMaster): Promise<SentinelAnswer> {
  await client.connect();
  const wantsLogin = (await logIn(client, master)) === "done";
  const reply = await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master.masterName);
  if (Array.isArray(reply)) {
    const [host, port] = reply;
    return { kind: "master", address: { host: String(host), port: Number(port) }, wantsLogin };
  }
  return { kind: "unknown", sentinel, known: await masterNames(client) };
}

/** The address that most Sentinels name, the first of them if several do; `undefined` if none does. */
function mostNamed(answers: readonly SentinelAnswer[]) {
  const named = answers.flatMap((answer) => (answer.kind === "master" ? [answer.address] : []));
  const counted = named.map((address) => ({
    address,
    count: named.filter((other) => describeAddress(other) === describeAddress(address)).length,
  }));
  return counted.toSorted((one, other) => other.count - one.count)[0];
}
