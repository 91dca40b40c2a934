import type { ContestantName } from "./runs/contestants.js";
import type { Format, Layout } from "./runs/session-directories.js";
import { openColdCache } from "./surroundings/cold-cache.js";
import { openDistantRedis } from "./surroundings/distant-redis.js";
import { openLocalSurroundings } from "./surroundings/local-surroundings.js";
import { openNode24 } from "./surroundings/node-24.js";
import { openClusterRedis, openRedisBehindSentinel } from "./surroundings/other-topologies.js";
import { openSlowFiles } from "./surroundings/slow-files.js";
import type { OpenSurroundings } from "./surroundings/surroundings.js";

/** What is measured side by side. */
export interface CaseKind {
  readonly title: string;
  readonly layout: Layout;
  readonly format: Format;
  readonly open: OpenSurroundings;
  /** In groups that keep their order; the groups come by turns. */
  readonly contestants: readonly (readonly ContestantName[])[];
  /** Who would take longer than this is measured on so many sessions, and scaled. */
  readonly sample: number;
  readonly longestRunS: { readonly rivals: number; readonly ours: number };
  readonly rounds: number;
  /** How long it takes, against the others: its share of the time. */
  readonly weight: number;
}

const everyone = [["server"], ["script"], ["pipe"], ["reader"], ["dry-run"], ["copy", "verify", "purge"]] as const;
const base = {
  layout: "flat",
  format: "pickle",
  open: openLocalSurroundings,
  contestants: everyone,
  sample: 5_000,
  longestRunS: { rivals: 8, ours: 60 },
  rounds: 3,
  weight: 1,
} as const;

/** The base, and what differs from it in one thing each. */
export const caseKinds = {
  warm: {
    ...base,
    title: "flat pickle, warm and local",
    contestants: [...everyone, ["copy-one"], ["copy-four"]],
    // Our own memory at a million sessions is not to be seen on fewer.
    longestRunS: { ...base.longestRunS, ours: Number.POSITIVE_INFINITY },
    rounds: 5,
    weight: 3,
  },
  node24: {
    ...base,
    title: "flat pickle, warm and local, on Node 24",
    open: openNode24,
    contestants: [["copy", "verify"]],
    weight: 0.4,
  },
  scattered: {
    ...base,
    title: "scattered pickle, warm and local",
    layout: "scattered",
    contestants: [["server"], ["script"], ["dry-run"], ["copy", "verify"]],
    weight: 0.8,
  },
  json: {
    ...base,
    title: "scattered JSON, warm and local",
    layout: "scattered",
    format: "json",
    contestants: [["server"], ["script"], ["pipe"], ["reader"], ["dry-run"], ["copy", "verify"]],
  },
  redis: {
    ...base,
    title: "flat pickle, Redis 1 ms away",
    open: openDistantRedis,
    contestants: [["server"], ["script"], ["pipe"], ["dry-run"], ["copy", "verify"]],
    sample: 2_000,
    weight: 1.2,
  },
  files: {
    ...base,
    title: "flat pickle, files 2 ms away",
    open: openSlowFiles,
    contestants: [["server"], ["script"], ["reader"], ["dry-run"], ["copy", "verify"]],
    sample: 2_000,
    weight: 1.5,
  },
  cold: {
    ...base,
    title: "flat pickle, cold cache",
    open: openColdCache,
    contestants: [["server"], ["script"], ["reader"], ["dry-run"], ["copy", "verify"]],
    weight: 1.5,
  },
  cluster: {
    ...base,
    title: "flat pickle, a Redis Cluster",
    open: openClusterRedis,
    contestants: [["copy", "verify"]],
    weight: 0.5,
  },
  sentinel: {
    ...base,
    title: "flat pickle, Redis behind a Sentinel",
    open: openRedisBehindSentinel,
    contestants: [["copy", "verify"]],
    weight: 0.4,
  },
} satisfies Record<string, CaseKind>;

export type CaseKindName = keyof typeof caseKinds;

export const caseKindNames: readonly CaseKindName[] = [
  "warm",
  "node24",
  "scattered",
  "json",
  "redis",
  "files",
  "cold",
  "cluster",
  "sentinel",
];

export interface BenchCase {
  readonly kind: CaseKindName;
  readonly sessions: number;
}
