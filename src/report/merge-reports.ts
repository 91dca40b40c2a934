import { SettingsError } from "../model/errors.js";
import { countOf } from "../model/number-text.js";
import { maxSamples, type Sample } from "../model/progress/timeline.js";
import { overlap, parseShard } from "../model/shard.js";
import { explainExitCode, worstOf } from "./exit-code.js";
import type { Report } from "./schema/report-schema.js";
import { missingShards } from "./shards.js";

/**
 * One report of several, such as the shards of one job. Counts add up; what happened is put side by
 * side by the clock; the exit code is the worst.
 * @throws SettingsError if they are not parts of one job.
 */
export function mergeReports(reports: readonly Report[]): Report {
  const [first, ...others] = reports;
  if (first === undefined) throw new SettingsError("report: name a report file");
  if (others.length === 0) return first;
  for (const other of others) refuseOther(first, other);
  refuseSameSessions(reports);

  const exitCode = worstOf(reports.map((each) => each.exitCode));
  const all = <Part>(part: (report: Report) => Part | readonly Part[]): Part[] => reports.flatMap(part);
  const sum = (count: (report: Report) => number) => reports.reduce((total, each) => total + count(each), 0);
  const [startedAt = null] = all(({ startedAt }) => startedAt ?? []).toSorted();
  const ends = all(({ endedAt }) => endedAt ?? []).toSorted();
  const endedAt = ends.at(-1) ?? null;
  const seconds =
    startedAt === null || endedAt === null
      ? Math.max(...reports.map((each) => each.seconds))
      : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  const sessions = addCounts(reports.map((each) => each.sessions));
  const shards = all(({ source }) => source.shards).toSorted(byIndex);
  const passes = Math.max(...reports.map((each) => each.passes.length));
  const databases = all<NonNullable<Report["databases"]>>(({ databases }) => databases ?? []);
  return {
    ...first,
    version: distinct(all(({ version }) => version)).join(", "),
    outcome: explainExitCode(exitCode).outcome,
    exitCode,
    startedAt,
    endedAt,
    host: distinct(all(({ host }) => host ?? [])).join(", ") || null,
    user: common(reports, ({ user }) => JSON.stringify(user)) === null ? null : first.user,
    source: {
      directories: distinct(all(({ source }) => source.directories)),
      shards,
      layouts: addCounts(reports.map(({ source }) => source.layouts)),
      formats: addCounts(reports.map(({ source }) => source.formats)),
      ignored: sum(({ source }) => source.ignored),
      empty: sum(({ source }) => source.empty),
    },
    target: {
      ...first.target,
      keyLayoutEvidence: common(reports, ({ target }) => target.keyLayoutEvidence),
      serverWorks: common(reports, ({ target }) => target.serverWorks) ?? "unknown",
    },
    redis: mergeRedis(all(({ redis }) => redis ?? [])),
    listed: reports.some(({ listed }) => listed === null) ? null : sum(({ listed }) => listed ?? 0),
    sessions,
    passes: Array.from({ length: passes }, (_, index) => addCounts(all((each) => each.passes[index] ?? []))),
    stillChanging: sum((each) => each.stillChanging),
    byDirectory: addUpBy(reports, ({ byDirectory }) => byDirectory, "directory", ["found", "failed"]),
    byReason: addCounts(reports.map(({ byReason }) => byReason)),
    databases: databases.length === 0 ? null : addCounts(databases),
    ages: addUpBy(reports, ({ ages }) => ages, "underHours", ["authenticated", "anonymous"]),
    lifetimes: addUpBy(reports, ({ lifetimes }) => lifetimes, "hour", ["sessions"]).toSorted(byHour),
    phases: addUpBy(reports, ({ phases }) => phases, "name", ["seconds"]).map(toTheMillisecond),
    throughput: mergeThroughput(reports, startedAt),
    failures: all(({ failures }) => failures),
    failuresOmitted: sum((each) => each.failuresOmitted),
    differences: all(({ differences }) => differences),
    differencesOmitted: sum((each) => each.differencesOmitted),
    settings: distinct(all(({ settings }) => settings)),
    warnings: [...missingText(shards), ...distinct(all(({ warnings }) => warnings))],
    errors: distinct(all(({ errors }) => errors)),
    bytes: addCounts(reports.map(({ bytes }) => bytes)),
    seconds,
    sessionsPerSecond: seconds > 0 ? Math.round(sessions.found / seconds) : 0,
    peakMemoryBytes: Math.max(...reports.map((each) => each.peakMemoryBytes)),
  };
}

/** Throws `SettingsError` if another report is of another command or target. */
function refuseOther(first: Report, other: Report): void {
  const facts: readonly (readonly [name: string, of: (report: Report) => string | null])[] = [
    ["command", ({ command, dryRun }) => (dryRun ? `${command} --dry-run` : command)],
    ["Redis", ({ target }) => target.redis],
    ["key layout", ({ target }) => target.keyLayout],
    ["prefix", ({ target }) => target.prefix],
  ];
  for (const [name, of] of facts) {
    const [one, its] = [of(first), of(other)];
    if (one === its) continue;
    throw new SettingsError(
      `report: only parts of one job can be merged, and the ${name} differs: ` +
        `${one ?? "none"} and ${its ?? "none"}. Make a page of each`,
    );
  }
}

/** Throws `SettingsError` if two reports of shards count the same sessions. */
function refuseSameSessions(reports: readonly Report[]): void {
  const taken = reports.flatMap(({ source }) =>
    source.shards.flatMap((text) => ({ text, shard: parseShard(text), directories: source.directories })),
  );
  for (const [index, one] of taken.entries()) {
    for (const other of taken.slice(0, index)) {
      const share = one.directories.some((directory) => other.directories.includes(directory));
      if (!share || !one.shard || !other.shard || !overlap(one.shard, other.shard)) continue;
      throw new SettingsError(
        one.text === other.text
          ? `report: two of these are of shard ${one.text}: give the last one only`
          : `report: shards ${other.text} and ${one.text} hold the same sessions: give the reports of one job`,
      );
    }
  }
}

/** A page of fewer shards than the job has does not account for every session. */
function missingText(shards: readonly string[]): readonly string[] {
  const missing = missingShards(shards);
  if (missing === undefined) return [];
  const others = missing.count === 1 ? "" : ` and ${countOf(missing.count - 1, "other")}`;
  return [`the report of shard ${missing.first}${others} is missing: its sessions are not counted here`];
}

function byIndex(one: string, other: string): number {
  return Number.parseInt(one, 10) - Number.parseInt(other, 10);
}

function byHour(one: Report["lifetimes"][number], other: Report["lifetimes"][number]): number {
  return Date.parse(one.hour) - Date.parse(other.hour);
}

/** What all of them say alike; null if they differ. */
function common<Item, Value>(items: readonly Item[], of: (item: Item) => Value): Value | null {
  const [value = null, ...others] = new Set(items.map(of));
  return others.length === 0 ? value : null;
}

/** Each once, in order; objects count by what they hold. */
function distinct<Item>(items: readonly Item[]): readonly Item[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

type Counts = Readonly<Partial<Record<string, number>>>;

/** The sum, name by name. */
function addCounts<These extends Counts>(all: readonly These[]): These {
  const sums: Partial<Record<string, number>> = {};
  for (const counts of all) {
    for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + (count ?? 0);
  }
  // Every name of the sum is a name of one of them.
  return sums as These;
}

/** The server as all of them saw it; the memory before of the first, the memory after of the last. */
function mergeRedis(all: readonly NonNullable<Report["redis"]>[]): Report["redis"] {
  const last = all.at(-1);
  if (last === undefined) return null;
  const counted = all.flatMap(({ memoryAfter }) => memoryAfter ?? []);
  const before = all.flatMap(({ memoryBefore }) => memoryBefore ?? []);
  return {
    version: common(all, ({ version }) => version),
    runId: common(all, ({ runId }) => runId),
    role: common(all, ({ role }) => role),
    persistence: common(all, ({ persistence }) => persistence),
    // Shards run at the same time, so each sees what the others write.
    memoryBefore: before.length === 0 ? null : Math.min(...before),
    memoryAfter: counted.length === 0 ? null : Math.max(...counted),
    memoryLimit: last.memoryLimit,
    evicted: all.some(({ evicted }) => evicted === null) ? null : Math.max(...all.map(({ evicted }) => evicted ?? 0)),
  };
}

/** One item for each value of `key`, in the order in which they first come; its counts add up. */
function addUpBy<Item>(
  reports: readonly Report[],
  listOf: (report: Report) => readonly Item[],
  key: keyof Item,
  counts: readonly (keyof Item)[],
): Item[] {
  const sums = new Map<unknown, Item>();
  for (const item of reports.flatMap(listOf)) {
    const before = sums.get(item[key]);
    const added = counts.map((name) => [name, Number(before?.[name] ?? 0) + Number(item[name])]);
    sums.set(item[key], { ...item, ...Object.fromEntries(added) });
  }
  return [...sums.values()];
}

function toTheMillisecond<Timed extends { readonly seconds: number }>(one: Timed): Timed {
  return { ...one, seconds: Number(one.seconds.toFixed(3)) };
}

/** What all had done together at up to `maxSamples` instants, and what happened to any of them. */
function mergeThroughput(reports: readonly Report[], startedAt: string | null): Report["throughput"] {
  const parts = reports.map(({ throughput, startedAt: its }) => {
    const lateBy = startedAt === null || its === null ? 0 : (Date.parse(its) - Date.parse(startedAt)) / 1000;
    const later = <Timed extends { readonly seconds: number }>(one: Timed): Timed =>
      toTheMillisecond({ ...one, seconds: one.seconds + lateBy });
    return { samples: throughput.samples.map(later), marks: throughput.marks.map(later) };
  });
  const instants = [...new Set(parts.flatMap(({ samples }) => samples.map(({ seconds }) => seconds)))];
  const inOrder = instants.toSorted((one, other) => one - other);
  const stride = Math.max(1, (inOrder.length - 1) / (maxSamples - 1));
  const kept = Array.from(
    { length: Math.min(inOrder.length, maxSamples) },
    (_, index) => inOrder[Math.round(index * stride)] ?? 0,
  );
  return {
    samples: kept.map((seconds) => ({
      seconds,
      sessions: Math.round(parts.reduce((total, { samples }) => total + doneBy(samples, seconds), 0)),
    })),
    marks: parts.flatMap(({ marks }) => marks).toSorted((one, other) => one.seconds - other.seconds),
  };
}

/** How many were done at an instant, as if the work went on evenly between two samples. */
function doneBy(samples: readonly Sample[], seconds: number): number {
  const at = samples.findIndex((sample) => sample.seconds >= seconds);
  if (at === -1) return samples.at(-1)?.sessions ?? 0;
  const [before, after] = [samples[at - 1], samples[at]];
  if (after === undefined || before === undefined) return after?.seconds === seconds ? after.sessions : 0;
  const share = (seconds - before.seconds) / (after.seconds - before.seconds || 1);
  return before.sessions + share * (after.sessions - before.sessions);
}
