import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Invocation, parseCommandLine } from "../../src/cli/program.js";
import { exitCodes } from "../../src/report/exit-code.js";
import { settingEntries } from "../../src/settings/definitions.js";
import { isNotBuilt } from "../../src/settings/not-built.js";

function parse(...commandLine: string[]): Invocation {
  return parseCommandLine(commandLine, "1.2.3", 100);
}

function textOf(...commandLine: string[]): string {
  const invocation = parse(...commandLine);
  assert.ok("text" in invocation);
  return invocation.text;
}

describe("command line: what it asks for", () => {
  const rows: readonly (readonly [commandLine: string, invocation: Invocation])[] = [
    ["copy", { kind: "copy", typed: {} }],
    ["copy --json --db 2", { kind: "copy", typed: { json: true, db: "2" } }],
    ["copy --session-dir a --session-dir b", { kind: "copy", typed: { sessionDir: ["a", "b"] } }],
    ["--db 1 --json copy --db 2", { kind: "copy", typed: { db: "2", json: true } }],
    ["--session-dir a copy --session-dir b", { kind: "copy", typed: { sessionDir: ["a", "b"] } }],
    ["purge --unverified --yes", { kind: "purge", typed: { unverified: true, yes: true } }],
    ["--db 1 verify --sample 5%", { kind: "verify", typed: { db: "1", sample: "5%" } }],
    ["copy --no-progress", { kind: "copy", typed: { noProgress: true } }],
    ["copy --prefix -x", { kind: "copy", typed: { prefix: "-x" } }],
    ["copy --prefix=--json", { kind: "copy", typed: { prefix: "--json" } }],
    ["--stop-after-init", { kind: "stop-after-init", typed: {} }],
    ["--stop-after-init --json", { kind: "stop-after-init", typed: { json: true } }],
    ["--json --stop-after-init", { kind: "stop-after-init", typed: { json: true } }],
    ["copy -n -q -v", { kind: "copy", typed: { dryRun: true, quiet: true, verbose: true } }],
    ["copy -nq", { kind: "copy", typed: { dryRun: true, quiet: true } }],
    ["purge -n", { kind: "purge", typed: { dryRun: true } }],
    ["verify -q", { kind: "verify", typed: { quiet: true } }],
    ["-n copy", { kind: "copy", typed: { dryRun: true } }],
    ["-V", { kind: "version", text: "1.2.3\n" }],
    ["--version", { kind: "version", text: "1.2.3\n" }],
  ];
  for (const [commandLine, invocation] of rows) {
    it(commandLine, () => assert.deepEqual(parse(...commandLine.split(" ")), invocation));
  }
});

describe("command line: what it refuses", () => {
  const rows: readonly (readonly [commandLine: string, message: RegExp])[] = [
    ["", /^no command given\nUsage: tele-sessions copy/],
    ["--json", /^no command given\nUsage: tele-sessions copy/],
    ["copi", /^unknown command 'copi'\n\(Did you mean copy\?\)$/],
    ["copy --hots x", /^unknown option '--hots'\n\(Did you mean --host\?\)$/],
    ["--hots x copy", /^unknown option '--hots'/],
    ["copy --host", /^option '--host <host>' argument missing$/],
    ["copy more", /^too many arguments/],
    ["copy --session-dir a b", /put the glob in quotes or repeat --session-dir/],
    ["copy --session-dir a b c --db 1", /put the glob in quotes or repeat --session-dir/],
    ["--stop-after-init --session-dir a b", /put the glob in quotes or repeat --session-dir/],
    ["--session-dir a b copy", /put the glob in quotes or repeat --session-dir/],
    ["--session-dir a copi", /^unknown command 'copi'\n\(Did you mean copy\?\)$/],
    ["copy -h redis.example", /^-h is help; the host is --host redis\.example$/],
    ["-h redis.example copy", /^-h is help; the host is --host/],
    ["purge -n -h localhost -p 1", /^-h is help; the host is --host/],
    ["copy -hredis.example", /^-h is help; the host is --host/],
    ["copy -host redis.example", /^-h is help; the host is --host/],
    ["copy -p 6379", /^unknown option '-p'; the port is --port$/],
    ["copy --session_dir a", /^unknown option '--session_dir'\n\(Did you mean --session-dir\?\)$/],
    ["copy --password_file=a", /Did you mean --password-file\?/],
    ["copy --max_failed 1", /Did you mean --max-failed\?/],
    ["--stop_after_init", /Did you mean --stop-after-init\?/],
    ["verify -n", /^this command takes no option -n$/],
    ["copy --json=yes", /^option --json takes no value$/],
    ["--stop-after-init copy", /^--stop-after-init takes no command, but [a-z]+ was given$/],
    ["copy --stop-after-init", /^--stop-after-init takes no command, but [a-z]+ was given$/],
    ["--again purge", /^purge takes no option --again$/],
    ["purge --again", /^this command takes no option --again$/],
    ["verify --dry-run", /^this command takes no option --dry-run$/],
    ["--stop-after-init purge", /^--stop-after-init takes no command, but [a-z]+ was given$/],
    ["--stop-after-init copi", /^unknown command/],
    ["--stop-after-init --hots x", /^unknown option '--hots'/],
  ];
  for (const [commandLine, message] of rows) {
    it(commandLine || "nothing", () => {
      const words = commandLine === "" ? [] : commandLine.split(" ");
      assert.throws(() => parse(...words), { name: "SettingsError", message });
    });
  }

  const secrets = [
    "copy --password=hunter2",
    "copy --password hunter2",
    "copy --pass=hunter2",
    "copy -ahunter2",
    "copy -a hunter2",
    "copy -hunter2",
    "copy --hunter2=hunter2",
    "copy hunter2",
    "hunter2",
    "redis://:hunter2@h",
    "copy redis://:hunter2@h",
    "copy --dry-run=hunter2",
    "copy --sentinel-password=hunter2",
    "copy --url redis://:hunter2@h extra",
    "copy --url redis://:hunter2@h --host",
    "copy -- hunter2",
    "purge hunter2 --password=hunter2",
    "--stop-after-init --password=hunter2",
  ];
  for (const commandLine of secrets) {
    it(`shows no value: ${commandLine}`, () => {
      assert.throws(
        () => parse(...commandLine.split(" ")),
        (error) =>
          error instanceof Error && error.name === "SettingsError" && !error.message.includes("hunter2"),
      );
    });
  }

  it("a flag for a password: the message names the two ways to give one", () => {
    assert.throws(() => parse("copy", "--password=x"), /--password-file or TELE_SESSION_REDIS_PASSWORD/);
  });
});

describe("command line: help", () => {
  for (const [command, commandLine] of [
    ["copy", ["--help"]],
    ["copy", ["copy", "--help"]],
    ["purge", ["purge", "--help"]],
    ["verify", ["verify", "-h"]],
  ] as const) {
    const help = textOf(...commandLine);
    it(`${commandLine.join(" ")} names every setting of this version and no other`, () => {
      for (const [name, { flag, variable, commands }] of settingEntries) {
        if (!commands.includes(command)) continue;
        for (const word of [flag, variable].filter((text) => text !== undefined)) {
          const shown = new RegExp(`(?<![\\w-])${word}(?![\\w-])`).test(help);
          assert.equal(shown, !isNotBuilt(name), word);
        }
      }
    });
    it(`${commandLine.join(" ")} ends with the exit codes`, () => {
      const section = help.slice(help.indexOf("EXIT STATUS"));
      for (const { code, meaning } of exitCodes)
        assert.ok(section.replace(/\s+/g, " ").includes(` ${code} ${meaning}`), `${code}`);
    });
    it(`${commandLine.join(" ")} fits its columns`, () => {
      assert.deepEqual(
        help.split("\n").filter((line) => line.length > 100),
        [],
      );
    });
  }

  it("names every command of this version", () => {
    assert.doesNotMatch(textOf("--help"), /^ {2}export\b/m);
    for (const command of ["inspect", "check", "copy", "purge", "verify", "report"])
      assert.match(textOf("--help"), new RegExp(`^ {2}${command}\\b`, "m"));
  });
});
