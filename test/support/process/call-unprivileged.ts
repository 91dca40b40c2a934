import { spawnSync } from "node:child_process";
import { chmodSync, chownSync } from "node:fs";
import { dirname, sep } from "node:path";

const nobody = 65_534;

/**
 * What a function body that uses a compiled `module` returns when it runs under an account that
 * permissions hold for: root's child becomes one that owns `directory` and may pass through the
 * directories above it. The answer travels as JSON.
 */
export function callUnprivileged<Answer>(directory: string, module: URL, body: string): Answer {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) {
    letOthersPass(directory);
    chownSync(directory, nobody, nobody);
  }
  // The module is loaded before, for its own path may be closed to others.
  const script = `
    const module = await import(${JSON.stringify(module.href)});
    if (${isRoot}) {
      process.setgroups([]);
      process.setgid(${nobody});
      process.setuid(${nobody});
    }
    const call = async () => { ${body} };
    process.stdout.write(JSON.stringify(await call()));`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`the unprivileged process ended with ${status}: ${stderr}`);
  const answer: Answer = JSON.parse(stdout);
  return answer;
}

/** Lets every user pass through a temporary directory, and those above it that are ours. */
export function letOthersPass(directory: string): void {
  for (let path = directory; path.includes(`${sep}tele-sessions-`); path = dirname(path)) chmodSync(path, 0o711);
}
