import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { projectRoot } from "./support/project.js";
import { listNodeVersions, newestOf, type ProvidedNode, provideNode } from "./support/provide-node.js";

// Runs the tests on the newest release of each of these, one after the other. Words on the command
// line are filters, as for `npm test`.
const majors = [20, 22, 24, 26];
const filters = process.argv.slice(2);

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

async function runTests({ folder }: ProvidedNode): Promise<Counts & { readonly output: string }> {
  const child = spawn(join(folder, "node"), [join(projectRoot, "build/test/run.js"), ...filters], {
    // What tests start by name, or by a #! line, is this Node too.
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const output = await text(child.stdout);
  const exitCode = await ended;
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  // A run that ends badly without a count is one failure.
  const counted = { passed: Number(passed ?? 0), failed: Number(failed ?? 1) };
  return { ...counted, failed: exitCode === 0 ? counted.failed : Math.max(1, counted.failed), output };
}

const versions = await listNodeVersions();
const total = { passed: 0, failed: 0 };
for (const major of majors) {
  const node = await provideNode(newestOf(major, versions), join(projectRoot, "node_modules/.cache/nodes"));
  const began = performance.now();
  const { passed, failed, output } = await runTests(node);
  const seconds = Math.round((performance.now() - began) / 1000);
  if (failed > 0) console.log(output);
  console.log(`Node ${node.version}: ${passed} passed, ${failed} failed, ${seconds} s`);
  total.passed += passed;
  total.failed += failed;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
