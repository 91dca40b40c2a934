import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { basename, join } from "node:path";
import { type ExactStamp, newScanTally, type SessionFile } from "../src/model/session-file.js";
import { OpenDirectory } from "../src/source/open-directory.js";
import { readPlaceExactly } from "../src/source/read-session-file.js";
import { removeSessionFile } from "../src/source/removal/remove-session-file.js";
import { scanSessions } from "../src/source/scan-sessions.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../test/support/process/temporary-directory.js";
import { makeSessions } from "../test/support/sessions/make-sessions.js";

const files = 100_000;
/** Medians are of these; one round before them warms up and is not counted. */
const rounds = 5;
const largestFile = 2 ** 20;
const batchSize = 256;

const ways = ["find -delete", "tele-sessions"] as const;
type Way = (typeof ways)[number];

/** What one removal took, seconds: by the clock, and of the processor, in the program and in the system for it. */
interface Taken {
  readonly clock: number;
  readonly processor: number;
}

/**
 * Whether removing proven session files takes at most 1.8 times as long as `find -delete`, which
 * proves nothing. Every directory is made before the first is emptied: a file system that has just
 * removed many files makes new ones slowly, and that is nobody's time here.
 */
async function measureRemoval(): Promise<void> {
  const place = makeTemporaryDirectory();
  try {
    const plan: { readonly way: Way; readonly directory: string }[] = [];
    for (let round = 0; round <= rounds; round++) {
      // By turns, for the machine's speed drifts.
      for (const way of round % 2 === 0 ? ways : [...ways].reverse()) {
        const directory = mkdtempSync(join(place, "s"));
        await makeSessions(directory, { count: files, layouts: ["flat"], formats: ["pickle4"] });
        plan.push({ way, directory });
      }
    }
    console.log(`made ${plan.length} directories of ${files} session files`);
    spawnSync("sync");

    const results: Record<Way, Taken[]> = { "find -delete": [], "tele-sessions": [] };
    for (const [index, { way, directory }] of plan.entries()) {
      const taken = way === "find -delete" ? findAndDelete(directory) : removeProven(directory);
      const counted = index >= ways.length;
      if (counted) results[way].push(taken);
      console.log(`${way}: ${describe(taken)}${counted ? "" : " (warm-up)"}`);
    }
    for (const kind of ["clock", "processor"] as const) {
      const [base = [], ours = []] = ways.map((way) => results[way].map((taken) => taken[kind]));
      console.log(`${kind === "clock" ? "by the clock" : "of the processor"}: ${summary(base, ours)}`);
    }
  } finally {
    removeTemporaryDirectory(place);
  }
}

function findAndDelete(directory: string): Taken {
  // Both ways find what they remove in the system's caches.
  prove(directory).close();
  const began = performance.now();
  const script = 'find "$0" -type f -delete && times';
  const { status, stdout } = spawnSync("sh", ["-c", script, directory], { encoding: "utf8" });
  const clock = (performance.now() - began) / 1000;
  if (status !== 0) throw new Error(`find ended with ${status}`);
  return { clock, processor: childrenSeconds(stdout) };
}

/**
 * The seconds of the processor that a shell's `times` says its children took: the second of its
 * lines, `0m0.018s 0m0.314s`.
 */
function childrenSeconds(times: string): number {
  const [, line = ""] = times.trim().split("\n");
  return [...line.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
}

/** What a purge does once all is proven and Redis has been asked. */
function removeProven(directory: string): Taken {
  const { proven, open, close } = prove(directory);
  const before = process.cpuUsage();
  const began = performance.now();
  let removed = 0;
  for (const { file, exact } of proven) {
    const folder = open.folderOf(file);
    if (folder === undefined) continue;
    if (removeSessionFile(folder, basename(file.name), exact).kind === "removed") removed++;
  }
  const clock = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  close();
  if (removed !== files) throw new Error(`${removed} of ${files} were removed`);
  return { clock, processor: (user + system) / 1e6 };
}

interface ProvenFile {
  readonly file: SessionFile;
  readonly exact: ExactStamp;
}

interface Proven {
  readonly proven: readonly ProvenFile[];
  readonly open: OpenDirectory;
  readonly close: () => void;
}

/** Reads every file, as the proof does. */
function prove(directory: string): Proven {
  const open = new OpenDirectory(directory);
  const proven: ProvenFile[] = [];
  for (const batch of scanSessions(directory, batchSize, newScanTally(), { shard: null })) {
    for (const file of batch) {
      const reading = readPlaceExactly(`${open.folderOf(file)}/${file.name}`, largestFile);
      if (reading.kind !== "read") throw new Error(`a session file is ${reading.kind}`);
      proven.push({ file, exact: reading.exact });
    }
  }
  return { proven, open, close: () => open.close() };
}

function describe({ clock, processor }: Taken): string {
  return `${clock.toFixed(2)} s, of the processor ${processor.toFixed(2)} s`;
}

/** The medians, how far apart the rounds are, and how often the one goes into the other. */
function summary(base: readonly number[], ours: readonly number[]): string {
  const spread = (values: readonly number[]) =>
    `${median(values).toFixed(2)} s (${Math.min(...values).toFixed(2)} to ${Math.max(...values).toFixed(2)})`;
  const ratios = ours.map((value, round) => value / (base[round] ?? Number.NaN));
  const ratio = (median(ours) / median(base)).toFixed(2);
  const range = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)} in a round`;
  return `find -delete ${spread(base)}, tele-sessions ${spread(ours)}: ${ratio} times as long (${range})`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

await measureRemoval();
