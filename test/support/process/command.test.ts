import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openTerminal, openTerminalWith } from "../terminal/terminal.js";
import { runCommand, startCommand } from "./command.js";
import { makeTemporaryDirectory } from "./temporary-directory.js";

/** A module for Node to load before the binary, in its place: what it does is this test's. */
function instead(code: string): { nodeArgs: readonly string[] } {
  return { nodeArgs: ["--import", `data:text/javascript,${encodeURIComponent(`${code}\nprocess.exit();`)}`] };
}

test("the binary runs, and its output and exit code come back", async () => {
  const { exitCode, signal, stdout } = await runCommand(["--version"]);
  assert.deepEqual([exitCode, signal], [0, null]);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("the environment is clean but for what a test sets", async () => {
  process.env["TELE_SESSION_REDIS_URL"] = "redis://somewhere";
  process.env["REDIS_HOST"] = "somewhere";
  const show = instead("console.log(JSON.stringify([process.cwd(), process.env]))");
  const { stdout } = await runCommand([], { ...show, environment: { CI: "true", TZ: undefined } });
  delete process.env["TELE_SESSION_REDIS_URL"];
  delete process.env["REDIS_HOST"];
  const [cwd, environment] = JSON.parse(stdout);
  assert.equal(environment.CI, "true");
  assert.equal(environment.HOME, cwd);
  assert.ok(!existsSync(cwd), "it is gone after the run");
  const allowed = /^(PATH|HOME|CI|LANG|LC_ALL|TMPDIR)$/;
  assert.deepEqual(
    Object.keys(environment).filter((name) => !allowed.test(name)),
    [],
  );
});

test("both streams, the input, the directory and a signal are told apart", async () => {
  const cwd = makeTemporaryDirectory();
  const code = `
    import { readFileSync } from "node:fs";
    console.log(readFileSync(0, "utf8") + process.cwd());
    console.error("beside");
    process.kill(process.pid, "SIGTERM");`;
  assert.deepEqual(await runCommand([], { ...instead(code), cwd, input: "typed " }), {
    exitCode: null,
    signal: "SIGTERM",
    stdout: `typed ${cwd}\n`,
    stderr: "beside\n",
  });
});

test("a test can wait for words and send a signal", async () => {
  const code = `
    process.on("SIGINT", () => { console.log("caught"); process.exit(7); });
    setTimeout(() => console.error("ready"), 50);
    await new Promise(() => setInterval(() => undefined, 1000));`;
  const command = startCommand([], instead(code));
  await command.waitFor(/ready/);
  command.kill("SIGINT");
  assert.deepEqual(await command.result, {
    exitCode: 7,
    signal: null,
    stdout: "caught\n",
    stderr: "ready\n",
  });
  await assert.rejects(command.waitFor(/never/), /ended without writing \/never\//);
});

test("a command that does not end is killed, and that is an error", async () => {
  const hang = instead("await new Promise(() => setInterval(() => undefined, 1000));");
  await assert.rejects(runCommand([], { ...hang, timeLimitMs: 300 }), /Not over after 0\.3 s/);
});

const describeTerminal = `
  console.log(JSON.stringify([process.stdout.columns, process.stdout.rows, process.env.TERM,
    process.stdin.isTTY, process.stdout.isTTY, process.stderr.isTTY]))`;

test("a terminal has the size and the kind that a test wants", async () => {
  for (const [columns, rows, term] of [
    [80, 24, "xterm-256color"],
    [0, 0, "dumb"],
    [213, 50, "screen"],
  ] as const) {
    const command = [process.execPath, "--input-type=module", "-e", describeTerminal];
    const { exitCode, signal, output } = await (await openTerminalWith(command, { columns, rows, term })).result;
    assert.deepEqual([exitCode, signal], [0, null]);
    assert.deepEqual(JSON.parse(output), [columns, rows, term, true, true, true]);
  }
});

test("keys are typed, Ctrl-C is a signal", async () => {
  const terminal = await openTerminalWith([
    "sh",
    "-c",
    "printf 'sure? '; read answer; echo got $answer; exec sleep 60",
  ]);
  await terminal.waitFor(/sure\? /);
  terminal.type("yes\r");
  await terminal.waitFor(/got yes/);
  terminal.type("\x03");
  const { exitCode, signal, output } = await terminal.result;
  assert.deepEqual([exitCode, signal], [null, 2]);
  assert.match(output, /^sure\? yes\r\ngot yes\r\n/);
});

test("the binary runs in a terminal", async () => {
  const { exitCode, output } = await (await openTerminal(["--version"])).result;
  assert.equal(exitCode, 0);
  assert.match(output, /^\d+\.\d+\.\d+\r\n$/);
});

test("a terminal whose command does not end is closed, and that is an error", async () => {
  const terminal = await openTerminalWith(["sleep", "60"], { timeLimitMs: 500 });
  await assert.rejects(terminal.result, /Not over after 0\.5 s/);
});

test("a command that is not there ends with 127", async () => {
  const { exitCode } = await (await openTerminalWith([join(makeTemporaryDirectory(), "absent")])).result;
  assert.equal(exitCode, 127);
});
