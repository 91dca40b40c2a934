import { goesOn, impatience, type NamedFault, staysAway } from "./named-fault.js";

/** What happens to a connection. */
export const connectionFaults: readonly NamedFault[] = [
  ...(["cut-before", "cut-after", "reset", "truncate", "cut-command"] as const).map(
    (kind): NamedFault => ({ name: kind, faults: (at) => [{ kind, at }], exitCodes: goesOn }),
  ),
  ...(["stall", "late"] as const).map(
    (kind): NamedFault => ({ name: kind, faults: (at) => [{ kind, at }], exitCodes: goesOn, watchdogs: 1 }),
  ),
  {
    name: "delay",
    faults: (at) => [{ kind: "delay", at, milliseconds: 200 }],
    exitCodes: () => [0],
  },
  {
    name: "refuses three connections",
    faults: (at) => [{ kind: "refuse", at, connections: 3 }],
    exitCodes: goesOn,
  },
  {
    name: "refuses connections for good",
    faults: (at) => [{ kind: "refuse", at, connections: Number.POSITIVE_INFINITY }],
    exitCodes: staysAway,
    args: impatience,
  },
];
