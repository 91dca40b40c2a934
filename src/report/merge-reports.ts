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
  const same = <Value>(value: (report: Report) => Value, otherwise: Value): Value => {
    const values = new Set(reports.map(value));
    return values.size === 1 ? value(first) : otherwise;
  };
  const startedAt = earliest(reports);
  const endedAt =
    all(({ endedAt }) => endedAt ?? [])
      .toSorted()
      .at(-1) ?? null;
  const seconds =
    startedAt === null || endedAt === null
      ? Math.max(...reports.map((each) => each.seconds))
      : (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  const sessions = addCounts(reports.map((each) => each.sessions));
  const shards = all(({ source }) => source.shards).toSorted(byIndex);
  const passes = Math.max(...reports.map((each) => each.passes.length));
  return {
    ...first,
    version: distinct(all(({ version }) => version)).join(", "),
    outcome: explainExitCode(exitCode).outcome,
    exitCode,
    startedAt,
    endedAt,
    host: distinct(all(({ host }) => host ?? [])).join(", ") || null,
    user: same(({ user }) => JSON.stringify(user), "") === "" ? null : first.user,
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
      keyLayoutEvidence: same(({ target }) => target.keyLayoutEvidence, null),
      serverWorks: same(({ target }) => target.serverWorks, "unknown"),
    },
    redis: mergeRedis(all(({ redis }) => redis ?? [])),
    listed: reports.some(({ listed }) => listed === null) ? null : sum(({ listed }) => listed ?? 0),
    sessions,
    passes: Array.from({ length: passes }, (_, index) => addCounts(all((each) => each.passes[index] ?? []))),
    stillChanging: sum((each) => each.stillChanging),
    byDirectory: mergeDirectories(all(({ byDirectory }) => byDirectory)),
    byReason: addCounts(reports.map(({ byReason }) => byReason)),
    databases: mergeDatabases(all<Databases>(({ databases }) => databases ?? [])),
    ages: mergeAges(reports.map(({ ages }) => ages)),
    lifetimes: mergeLifetimes(all(({ lifetimes }) => lifetimes)),
    phases: mergePhases(all(({ phases }) => phases)),
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

function earliest(reports: readonly Report[]): string | null {
  return (
    reports
      .flatMap(({ startedAt }) => startedAt ?? [])
      .toSorted()
      .at(0) ?? null
  );
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
  const [first, last] = [all.at(0), all.at(-1)];
  if (first === undefined || last === undefined) return null;
  const same = <Value>(value: (facts: NonNullable<Report["redis"]>) => Value) =>
    all.every((each) => value(each) === value(first)) ? value(first) : null;
  const counted = all.flatMap(({ memoryAfter }) => memoryAfter ?? []);
  const before = all.flatMap(({ memoryBefore }) => memoryBefore ?? []);
  return {
    version: same(({ version }) => version),
    runId: same(({ runId }) => runId),
    role: same(({ role }) => role),
    persistence: same(({ persistence }) => persistence),
    // Shards run at the same time, so each sees what the others write.
    memoryBefore: before.length === 0 ? null : Math.min(...before),
    memoryAfter: counted.length === 0 ? null : Math.max(...counted),
    memoryLimit: last.memoryLimit,
    evicted: all.some(({ evicted }) => evicted === null) ? null : Math.max(...all.map(({ evicted }) => evicted ?? 0)),
  };
}

function mergeDirectories(all: Report["byDirectory"]): Report["byDirectory"] {
  return groupBy(all, ({ directory }) => directory).map(([directory, these]) => ({
    directory,
    found: these.reduce((total, { found }) => total + found, 0),
    failed: these.reduce((total, { failed }) => total + failed, 0),
  }));
}

type Databases = NonNullable<Report["databases"]>;

function mergeDatabases(all: readonly Databases[]): Report["databases"] {
  return all.length === 0 ? null : addCounts(all);
}

function mergeAges(all: readonly Report["ages"][]): Report["ages"] {
  return groupBy(all.flat(), ({ underHours }) => String(underHours)).map(([, these]) => ({
    underHours: these[0]?.underHours ?? null,
    authenticated: these.reduce((total, { authenticated }) => total + authenticated, 0),
    anonymous: these.reduce((total, { anonymous }) => total + anonymous, 0),
  }));
}

function mergeLifetimes(all: Report["lifetimes"]): Report["lifetimes"] {
  return groupBy(all, ({ hour }) => hour)
    .map(([hour, these]) => ({ hour, sessions: these.reduce((total, { sessions }) => total + sessions, 0) }))
    .toSorted((one, other) => Date.parse(one.hour) - Date.parse(other.hour));
}

/** The time that all of them spent in a phase, added up. */
function mergePhases(all: Report["phases"]): Report["phases"] {
  return groupBy(all, ({ name }) => name).map(([name, these]) => ({
    name,
    seconds: Number(these.reduce((total, { seconds }) => total + seconds, 0).toFixed(3)),
  }));
}

/** The groups in the order in which they first come. */
function groupBy<Item>(items: readonly Item[], nameOf: (item: Item) => string): [string, Item[]][] {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const name = nameOf(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups];
}

/** What all had done together at up to `maxSamples` instants, and what happened to any of them. */
function mergeThroughput(reports: readonly Report[], startedAt: string | null): Report["throughput"] {
  const parts = reports.map(({ throughput, startedAt: its }) => {
    const lateBy = startedAt === null || its === null ? 0 : (Date.parse(its) - Date.parse(startedAt)) / 1000;
    const later = <Timed extends { readonly seconds: number }>(one: Timed): Timed => ({
      ...one,
      seconds: Number((one.seconds + lateBy).toFixed(3)),
    });
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
