import { ageBuckets } from "../../../src/model/counts.js";
import { failureReasons } from "../../../src/model/outcome.js";
import type { Report } from "../../../src/report/schema/report-schema.js";
import { sampleReport } from "./sample-report.js";

/** Paths and words that do harm wherever they are not escaped. */
export const hostileTexts = [
  "<script>document.title = 'hacked'</script>",
  `"><img src="http://198.51.100.1/x.png" onerror="alert(1)">`,
  "</style></title><svg onload=alert(1)>",
  "\u001b[2J\u0007\u0000 control characters \u202e",
  "`\u0024{1 + 1}` {{constructor}}",
] as const;

/** A whole session id, as a report made with `--show-ids` has it. */
export const wholeId = "0123456789abcdef0123456789abcdef01234567";

/** The report of a large copy in which everything went wrong that can, with this many failures. */
export function eventfulReport(failures: number): Report {
  const reasons = failureReasons.map((reason, index) => [reason, Math.ceil(failures / (index + 2))] as const);
  return sampleReport({
    outcome: "partial",
    exitCode: 1,
    source: {
      directories: [`/srv/${hostileTexts[0]}`, "/srv/sessions"],
      shards: [],
      layouts: { flat: 1_200_000, scattered: 4331 },
      formats: { pickle: 1_190_222, json: 14_109 },
      ignored: 16,
      empty: 2,
    },
    redis: {
      version: "7.2.4",
      runId: "4f9a12…",
      role: "master",
      persistence: false,
      memoryBefore: 180 * 2 ** 20,
      memoryAfter: 731 * 2 ** 20,
      memoryLimit: 2 ** 30,
      evicted: 0,
    },
    listed: 1_204_333,
    sessions: {
      ...{ found: 1_204_331, copied: 1_100_000, identical: 14_186, kept: 12, expired: 101, ended: 9 },
      ...{ superseded: 3, vanished: 20, failed: failures, authenticated: 412_806, anonymous: 791_485 },
      ...{ lossy: 9466, unvisited: 40, retracted: 7, purged: 0 },
    },
    stillChanging: 4,
    byDirectory: [
      { directory: `/srv/${hostileTexts[1]}`, found: 4331, failed: 3 },
      { directory: "/srv/sessions", found: 1_200_000, failed: failures - 3 },
      ...Array.from({ length: 40 }, (_, index) => ({ directory: `/srv/b${index}`, found: 10, failed: 0 })),
    ],
    byReason: Object.fromEntries(reasons),
    databases: { prod: 1_199_871, [hostileTexts[2]]: 4460 },
    ages: ageBuckets.map((hours, index) => ({
      underHours: Number.isFinite(hours) ? hours : null,
      authenticated: 30_000 - 1000 * index,
      anonymous: 2000 * index,
    })),
    lifetimes: Array.from({ length: 168 }, (_, hour) => ({
      hour: new Date(Date.UTC(2026, 4, 4, 22 + hour)).toISOString(),
      sessions: 1000 + ((hour * 7919) % 9000),
    })),
    phases: [
      { name: "listing", seconds: 2.1 },
      { name: "copying", seconds: 57 },
    ],
    throughput: {
      samples: Array.from({ length: 600 }, (_, at) => ({
        seconds: at / 10,
        sessions: at < 200 ? at * 2500 : at < 300 ? 500_000 : (at - 100) * 2410,
      })),
      marks: [
        { seconds: 2.1, kind: "pass" },
        { seconds: 20, kind: "redis-away" },
        { seconds: 30, kind: "redis-back" },
        { seconds: 30.5, kind: "restart" },
        { seconds: 55, kind: "pass" },
      ],
    },
    failures: Array.from({ length: failures }, (_, index) => ({
      session: wholeId,
      file: `/srv/sessions/werkzeug_${wholeId}.sess ${hostileTexts[index % hostileTexts.length]}`,
      reason: failureReasons[index % failureReasons.length] ?? "corrupt",
      detail: `${hostileTexts[index % hostileTexts.length]} at byte ${index}`,
      ...(index === failures - 1 ? { suspicious: true as const, detail: "names posix.system" } : {}),
    })),
    differences: Array.from({ length: Math.min(failures, 2000) }, (_, index) => ({
      session: `${index}…`,
      file: `/srv/sessions/a-very-long-name-without-a-place-to-break-it-${"x".repeat(30)}/${index}`,
      kind: index % 2 === 0 ? ("kept" as const) : ("denied" as const),
      detail: hostileTexts[3],
    })),
    settings: hostileTexts.map((value) => ({ name: "--prefix", value, origin: "TELE_SESSION_REDIS_PREFIX" })),
    warnings: [...hostileTexts],
    errors: [{ code: "ECONNREFUSED", message: hostileTexts[0], remedy: "Start Redis." }],
    seconds: 60,
    sessionsPerSecond: 20_072,
  });
}
