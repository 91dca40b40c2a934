import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { runCommand } from "../test/support/process/command.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "../test/support/process/temporary-directory.js";
import { redisCommand } from "../test/support/servers/redis-command.js";
import { startRedis } from "../test/support/servers/redis-server.js";
import { makeSessions } from "../test/support/sessions/make-sessions.js";
import { compileNative } from "./native/compile-native.js";
import { provideCompiler } from "./rivals/rival-programs.js";

/** Sessions in two flat directories: 100,000, and the first argument or 1,000,000. */
const sizes = [100_000, Number(process.argv[2] ?? 1_000_000)] as const;
const rounds = 3;
const timeLimitMs = 1_800_000;

interface Measured {
  readonly microsecondsPerSession: number;
  readonly peakMB: number;
}

/** Whether a copy takes the same time per session and the same memory, however many files lie in one directory. */
async function measureScale(): Promise<void> {
  const redis = await startRedis();
  const place = makeTemporaryDirectory();
  try {
    const reader = await compileNative(await provideCompiler(), "read_files", place, []);
    const directories = sizes.map((size) => [size, join(place, String(size))] as const);
    for (const [count, directory] of directories) {
      await makeSessions(directory, { count, layouts: ["flat"], formats: ["pickle4"] });
      console.log(`made ${count} session files`);
    }
    const measured = new Map<number, Measured[]>(sizes.map((size) => [size, []]));
    // Interleaved, for the machine's speed drifts; the first round warms the caches and is not counted.
    for (let round = 0; round <= rounds; round++) {
      for (const [count, directory] of directories) {
        await redisCommand(redis, "FLUSHALL", "SYNC");
        // A virtual machine may give idle caches back between two runs.
        await promisify(execFile)(reader, [directory]);
        const result = await copy(count, directory, redis.port);
        if (round > 0) measured.get(count)?.push(result);
        console.log(
          `${count} sessions: ${result.microsecondsPerSession.toFixed(1)} µs each, ` +
            `peak ${result.peakMB.toFixed(0)} MB${round === 0 ? " (warm-up)" : ""}`,
        );
      }
    }
    const [small, large] = sizes.map((size) => measured.get(size) ?? []);
    const times = [small, large].map((results = []) => median(results.map((result) => result.microsecondsPerSession)));
    const ratio = (times[1] ?? Number.NaN) / (times[0] ?? Number.NaN);
    const peak = Math.max(...(large ?? []).map((result) => result.peakMB));
    console.log(`time per session at ${sizes[1]} against ${sizes[0]}: ${ratio.toFixed(3)} (median of ${rounds})`);
    console.log(`peak memory at ${sizes[1]}: ${peak.toFixed(0)} MB`);
  } finally {
    await redis.stop();
    removeTemporaryDirectory(place);
  }
}

async function copy(count: number, directory: string, port: number): Promise<Measured> {
  const args = ["copy", "--session-dir", directory, "--port", String(port), "--json"];
  const { exitCode, stdout } = await runCommand(args, { timeLimitMs });
  const report: {
    readonly seconds: number;
    readonly peakMemoryBytes: number;
    readonly sessions: { readonly copied: number };
  } = JSON.parse(stdout);
  if (exitCode !== 0 || report.sessions.copied !== count) throw new Error(`a copy ended with ${exitCode}: ${stdout}`);
  return {
    microsecondsPerSession: (report.seconds * 1e6) / count,
    peakMB: report.peakMemoryBytes / 1e6,
  };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

await measureScale();
