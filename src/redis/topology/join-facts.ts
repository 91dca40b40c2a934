import { durationText } from "../../model/number-text.js";
import type { RedisFacts } from "../../model/redis-facts.js";
import type { ServerFacts } from "../server/redis-facts.js";

/** Clocks that differ more than this, in milliseconds, are worth a word. */
const maxDifferenceMs = 1000;

/**
 * What all servers say together about what a run needs to know. The clock that is the least ahead
 * counts, so that no lifetime is longer than it may be.
 */
export function joinServerFacts(all: readonly ServerFacts[]): ServerFacts {
  const leads = all.map(({ clockLeadMs }) => clockLeadMs);
  const clockLeadMs = Math.min(...leads);
  const differenceMs = Math.max(...leads) - clockLeadMs;
  const differ = {
    found: `the clocks of the masters differ by ${durationText(differenceMs / 1000)}`,
    remedy: "Set them by NTP: sessions on the others end earlier by this difference",
  };
  const warning = all.find((one) => one.warning)?.warning ?? (differenceMs > maxDifferenceMs ? differ : undefined);
  return {
    version: all[0]?.version,
    clockLeadMs,
    databases: [...new Set(all.flatMap(({ databases }) => databases))],
    ...(warning === undefined ? {} : { warning }),
  };
}

/**
 * What a report says about all servers: their sums. A fact that one of them does not tell is null,
 * and there is no limit if one has none.
 */
export function joinFacts(all: readonly RedisFacts[]): RedisFacts | null {
  const [first, ...others] = all;
  if (first === undefined || others.length === 0) return first ?? null;
  const factsOf = <Name extends keyof RedisFacts>(name: Name): RedisFacts[Name][] => all.map((one) => one[name]);
  const sum = (name: "memoryBefore" | "memoryAfter" | "evicted") =>
    factsOf(name).reduce((total, one) => (total === null || one === null ? null : total + one), 0);
  const limits = factsOf("memoryLimit");
  const ids = factsOf("runId");
  return {
    version: first.version,
    runId: ids.includes(null) ? null : ids.toSorted().join(" "),
    role: first.role,
    persistence: factsOf("persistence").includes(false) ? false : factsOf("persistence").includes(null) ? null : true,
    memoryBefore: sum("memoryBefore"),
    memoryAfter: sum("memoryAfter"),
    memoryLimit: limits.includes(null)
      ? null
      : limits.includes(0)
        ? 0
        : limits.reduce((total, one) => (total ?? 0) + (one ?? 0), 0),
    evicted: sum("evicted"),
  };
}
