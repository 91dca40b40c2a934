import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { provideRivalTools } from "../bench/rival-programs.js";
import { findMemoryDirectory } from "./support/memory-directory.js";
import { providePython } from "./support/provide-python.js";
import { provideRedis } from "./support/provide-redis.js";
import { runTestFiles } from "./support/run-test-files.js";

process.env["TMPDIR"] ??= findMemoryDirectory() ?? tmpdir();

// Once, before the files run side by side and each would install for itself.
try {
  await provideRedis();
  await providePython();
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  console.log("0 passed, 1 failed");
  process.exit(1);
}

// Only the benchmark's test needs these, and says itself what is missing.
await provideRivalTools().catch(() => undefined);

// The server's own variables are none of the tests' business.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => name === "TELE_SESSIONS_NO_INSTALL" || !/^TELE/.test(name)),
);

const succeeded = await runTestFiles({
  directory: dirname(fileURLToPath(import.meta.url)),
  filters: process.argv.slice(2),
  environment,
  timeLimitMs: 600_000,
  concurrency: 3,
  say: (text) => console.log(text),
});
process.exitCode = succeeded ? 0 : 1;
