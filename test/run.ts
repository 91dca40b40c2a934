import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { provideRivalTools } from "../bench/rivals/rival-programs.js";
import { executableVariable } from "./support/process/command.js";
import { findMemoryDirectory } from "./support/process/memory-directory.js";
import { searchedVariable } from "./support/process/search-output.js";
import {
  makeTemporaryDirectory,
  removeTemporaryDirectory,
  temporaryVariable,
} from "./support/process/temporary-directory.js";
import { provideRedis } from "./support/programs/provide-redis.js";
import { provideTool, toolNames } from "./support/programs/provide-tools.js";
import { runTestFiles } from "./support/run-test-files.js";

process.env["TMPDIR"] ??= findMemoryDirectory() ?? tmpdir();

// Once, before the files run side by side and each would install for itself.
try {
  await provideRedis();
  await provideTool("python");
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  console.log("0 passed, 1 failed");
  process.exit(1);
}

// Only some tests need these, and say themselves what is missing.
for (const name of toolNames) await provideTool(name).catch(() => undefined);
await provideRivalTools().catch(() => undefined);

// The server's own variables are none of the tests' business.
const ours = ["TELE_SESSIONS_NO_INSTALL", executableVariable];
for (const name of Object.keys(process.env)) {
  if (/^TELE/.test(name) && !ours.includes(name)) delete process.env[name];
}
const place = makeTemporaryDirectory();
const searched = join(place, "searched");
writeFileSync(searched, "");
Object.assign(process.env, { [searchedVariable]: searched, [temporaryVariable]: place });

const { passed, failed } = await runTestFiles({
  directory: dirname(fileURLToPath(import.meta.url)),
  filters: process.argv.slice(2),
  timeLimitMs: 600_000,
});

const sizes = readFileSync(searched, "utf8").trimEnd().split("\n").filter(Boolean).map(Number);
removeTemporaryDirectory(place);
if (sizes.length > 0) {
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  console.log(`Output of ${sizes.length} runs of the binary, ${bytes} bytes, was looked through for secrets.`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
