import type { CommandHead } from "../proxies/resp-messages.js";
import { makeRandom } from "../random.js";
import { openingReplies } from "./allowed-exit-codes.js";
import type { NamedFault } from "./named-fault.js";
import { namedFaults } from "./named-faults.js";
import { isOnCluster } from "./swept-cluster.js";
import type { SweptCommand } from "./swept-commands.js";
import type { PlannedFault, PlannedRun } from "./swept-run.js";

/** What an undisturbed run of a command is answered. */
export interface Calibration {
  readonly command: SweptCommand;
  /** For each reply, in order, its Redis command. */
  readonly replies: readonly CommandHead[];
}

/** Sessions of a batch. */
const batchSize = 256;
/** Keys that a run looks at before it begins. */
const mostSurveyed = 300;
const mostFaults = 3;

/** Where in a batch a fault falls. */
export const places = ["first", "middle", "last"] as const;
export type Place = (typeof places)[number];

/** A named fault at a reply of the second batch of each phase of a command. */
export function planNamed({ command, replies }: Calibration, fault: NamedFault, place: Place): PlannedRun[] {
  if (!suits(fault, command)) return [];
  return command.phases.map((phase) => {
    const numbers = replies.flatMap(({ name, key }, index) =>
      name === phase && key.startsWith("session:") ? [index + 1] : [],
    );
    // A GET that is denied while the run looks where the server works leaves that unknown: then a
    // missing key may have ended.
    const asked = command.afterCopy === "files" ? numbers.slice(mostSurveyed) : numbers;
    const [first, next] = [asked[batchSize], asked[2 * batchSize]];
    if (first === undefined || next === undefined) throw new Error(`${command.name} has no second batch.`);
    const at = { first, middle: (first + next) >> 1, last: next - 1 }[place];
    return {
      name: `${command.name}: ${fault.name} at the ${place} reply of a batch of ${phase}`,
      command,
      faults: [{ fault, at }],
    };
  });
}

/** A run with one to three faults at any replies; the same for the same seed. */
export function planRandom(calibrations: readonly Calibration[], seed: number): PlannedRun {
  const random = makeRandom(seed);
  const { command, replies } = pick(calibrations, random);
  const suitable = namedFaults.filter((fault) => suits(fault, command));
  const passing = suitable.filter((fault) => !endsRuns(fault, command));
  const numbers = Array.from({ length: Math.ceil(random() * mostFaults) }, () =>
    Math.ceil(random() * replies.length),
  ).toSorted((one, other) => one - other);
  // A fault at the very start ends the run, and others may: they come last, so that the rest
  // happens.
  const chosen = numbers.slice(0, (numbers[0] ?? 0) <= openingReplies ? 1 : undefined);
  const faults = chosen.map(
    (at, index): PlannedFault => ({
      fault: pick(index === chosen.length - 1 ? suitable : passing, random),
      at,
    }),
  );
  const named = faults.map(({ fault, at }) => `${fault.name} at ${at}`);
  const hasLanes = seed % 3 === 0 && command.args[0] !== "purge";
  return {
    name: `${command.name}${hasLanes ? " --lanes 2" : ""}, seed ${seed}: ${named.join(", ")}`,
    command: hasLanes ? { ...command, args: [...command.args, "--lanes", "2"] } : command,
    faults,
  };
}

/** What a server saved in Redis is gone with a Redis that forgets it. */
function suits(fault: NamedFault, { afterCopy }: SweptCommand): boolean {
  if (isOnCluster && fault.needsSingleServer === true) return false;
  return afterCopy === undefined || (fault.forgets !== true && fault.replacesKeys !== true);
}

/** Whether a run may end of a fault in the middle of a batch. */
function endsRuns(fault: NamedFault, swept: SweptCommand): boolean {
  return swept.phases.some((on) =>
    fault.exitCodes({ on, isBatch: true, isOpening: false, swept }).some((code) => code !== 0),
  );
}

function pick<T>(items: readonly T[], random: () => number): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("There is nothing to pick from.");
  return item;
}
