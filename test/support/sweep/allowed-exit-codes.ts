import type { HappenedFault } from "../proxies/fault-schedule.js";
import type { Occasion } from "./named-fault.js";
import { isOnCluster } from "./swept-cluster.js";
import type { SweptCommand } from "./swept-commands.js";
import type { PlannedFault } from "./swept-run.js";

/** A fault that was carried out, and the planned one that it is part of. */
export interface NamedHappening extends HappenedFault {
  readonly origin: PlannedFault;
}

/**
 * AUTH, CLIENT SETNAME and INFO: then a run's first connection is made; on a Cluster one to the node
 * that is named, which is asked for the slots, and one to each of three masters.
 */
export const openingReplies = isOnCluster ? 12 : 3;
/** How often a Redis may forget everything before a run ends. */
const mostForgotten = 2;

export function occasionOf({ command, number }: HappenedFault, swept: SweptCommand): Occasion {
  const isBatch = command.key.startsWith("session:");
  return { on: command.name, isBatch, isOpening: number <= openingReplies, swept };
}

/** Every exit code that a run may give after these faults. */
export function allowedExitCodes(
  happenings: readonly NamedHappening[],
  swept: SweptCommand,
  isImpatient: boolean,
): Set<number> {
  if (happenings.length === 0) return new Set([0]);
  const judged = happenings.map((happening) => ({
    mayBeUnheard: happening.isBehindAnswer || (happening.fault.kind === "answer" && happenings.length > 1),
    codes: happening.origin.fault.exitCodes(occasionOf(happening, swept)),
  }));
  const ending = judged.filter(({ codes }) => !codes.includes(0));
  // An answer is heard once, and not where its connection ends at the same time; on a connection
  // that an answer ended nothing is heard any more.
  const certain = ending.filter(({ mayBeUnheard }) => !mayBeUnheard);
  const codes = new Set((certain.length > 0 ? ending : judged).flatMap((one) => one.codes));
  const forgotten = happenings.filter(({ origin }) => origin.fault.forgets === true).length;
  if (isImpatient || forgotten > mostForgotten) codes.add(3);
  if (certain.length < ending.length) codes.add(0);
  return codes;
}
