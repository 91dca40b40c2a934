import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { it } from "node:test";
import { projectRoot } from "../support/project.js";

const openConnection = new URL("../../src/redis/open-connection.js", import.meta.url).href;
/** Nothing listens there. */
const target = { address: { host: "127.0.0.1", port: 1 }, db: 0 };

/** Whether `String.prototype` is in V8's fast form after each statement, in a separate process. */
function fastAfter(...statements: readonly string[]): boolean[] {
  const script = statements.map((each) => `${each}; console.log(%HasFastProperties(String.prototype));`).join("\n");
  const args = ["--allow-natives-syntax", "--input-type=module", "--eval", script];
  const printed = execFileSync(process.execPath, args, { encoding: "utf8", cwd: projectRoot });
  return printed
    .trim()
    .split("\n")
    .map((line) => line === "true");
}

it("restore-fast-strings: ioredis makes string methods slow; opening a connection makes them fast", () => {
  const statements = [
    "",
    'await import("ioredis")',
    `const { openConnection } = await import(${JSON.stringify(openConnection)});
    await openConnection(${JSON.stringify(target)}).catch(() => undefined)`,
  ];
  // If this fails because ioredis no longer does so, restoreFastStrings can go.
  assert.deepEqual(fastAfter(...statements), [true, false, true]);
});
