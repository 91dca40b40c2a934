import { execFileSync, spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import {
  listNodeVersions,
  newestOf,
  nodeCache,
  type ProvidedNode,
  provideNode,
} from "./support/programs/provide-node.js";
import { projectRoot } from "./support/project.js";

// Runs the tests on the newest release of each of these, one after the other. Words on the command
// line are filters, as for `npm test`.
const majors = [20, 22, 24, 26];
const filters = process.argv.slice(2);

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The environment in which a Node is the one that scripts and #! lines find. */
function environmentOf({ folder }: ProvidedNode): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` };
}

/** Builds `dist`: part of it is code that V8 compiled, and another version refuses that. */
function build(environment: NodeJS.ProcessEnv): void {
  execFileSync("npm", ["run", "--silent", "build"], { cwd: projectRoot, env: environment, stdio: "inherit" });
}

async function runTests(node: ProvidedNode): Promise<Counts & { readonly output: string }> {
  const child = spawn(join(node.folder, "node"), [join(projectRoot, "build/test/run.js"), ...filters], {
    env: environmentOf(node),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const output = await text(child.stdout);
  const exitCode = await ended;
  const [, passed = "0", failed = "0"] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  // A run that ends badly without a count is one failure.
  const leastFailed = exitCode === 0 ? 0 : 1;
  return { passed: Number(passed), failed: Math.max(leastFailed, Number(failed)), output };
}

const versions = await listNodeVersions();
const total = { passed: 0, failed: 0 };
try {
  for (const major of majors) {
    const node = await provideNode(newestOf(major, versions), nodeCache);
    build(environmentOf(node));
    const began = performance.now();
    const { passed, failed, output } = await runTests(node);
    const seconds = Math.round((performance.now() - began) / 1000);
    if (failed > 0) console.log(output);
    console.log(`Node ${node.version}: ${passed} passed, ${failed} failed, ${seconds} s`);
    total.passed += passed;
    total.failed += failed;
  }
} finally {
  build(process.env);
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
