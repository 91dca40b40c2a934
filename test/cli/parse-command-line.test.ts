import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Invocation, parseCommandLine } from "../../src/cli/command-line/parse-command-line.js";
import { failureAdvice, outcomeAdvice } from "../../src/model/outcome-advice.js";
import { exitCodes } from "../../src/report/exit-code.js";
import { settingEntries } from "../../src/settings/definitions.js";

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
    ["copi", /^unknown command 'copi'\n\(Did you mean copy\?\)$/],
    ["copyy", /Did you mean copy\?/],
    ["Verify", /^unknown command 'Verify'\n\(Did you mean verify\?\)$/],
    ["dry-run", /^dry-run is a flag: tele-sessions copy --dry-run$/],
    ["dry_run", /^dry-run is a flag: tele-sessions copy --dry-run$/],
    ["unverified", /^unverified is a flag: tele-sessions purge --unverified$/],
    ["stop_after_init", /^stop-after-init is a flag: tele-sessions --stop-after-init$/],
    ["constructor", /^unknown command; tele-sessions --help lists them$/],
    ["report", /^name the report files: tele-sessions report /],
    ["help nonsense", /^there is no help on that: tele-sessions help takes .*environment, exit-codes, outcomes$/],
    ["help copy verify", /^there is no help on that/],
    ["help constructor", /^there is no help on that/],
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
    "help hunter2",
  ];
  for (const commandLine of secrets) {
    it(`shows no value: ${commandLine}`, () => {
      assert.throws(
        () => parse(...commandLine.split(" ")),
        (error) => error instanceof Error && error.name === "SettingsError" && !error.message.includes("hunter2"),
      );
    });
  }

  it("a flag for a password: the message names the two ways to give one", () => {
    assert.throws(() => parse("copy", "--password=x"), /--password-file or TELE_SESSION_REDIS_PASSWORD/);
  });
});

describe("command line: help", () => {
  const commands = ["inspect", "check", "copy", "purge", "verify", "report", "export"] as const;
  const screenOf = (...words: string[]) => textOf(...words);

  it("--help, -h and help show one screen, at any width", () => {
    const screen = screenOf("--help");
    for (const words of [["-h"], ["help"], ["--db", "1", "--help"]]) assert.equal(screenOf(...words), screen);
    const lines = screen.trimEnd().split("\n");
    assert.ok(lines.length <= 50, `${lines.length} lines`);
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    );
    assert.match(screen, /^tele-sessions 1\.2\.3 - /);
    for (const command of commands) assert.match(screen, new RegExp(`^ {2}${command}\\b`, "m"));
    for (const [, flag = ""] of screen.matchAll(/(--[a-z-]+)/g)) {
      const known = [
        ...settingEntries.map(([, definition]) => definition.flag),
        "--stop-after-init",
        "--help",
        "--version",
      ];
      assert.ok(known.includes(flag), flag);
    }
  });

  it("without a command: the same screen, for stderr", () => {
    for (const words of [[], ["--json"], ["--db", "1"]]) {
      assert.deepEqual(parse(...words), { kind: "none", text: screenOf("--help") });
    }
  });

  for (const command of commands) {
    const help = screenOf("help", command);
    it(`help ${command}, ${command} --help and ${command} -h: every flag`, () => {
      assert.equal(screenOf(command, "--help"), help);
      assert.equal(screenOf(command, "-h"), help);
      for (const [, { flag, commands: takenBy }] of settingEntries) {
        if (flag === undefined || !takenBy.includes(command)) continue;
        assert.match(help, new RegExp(`^ +(-\\w, )?${flag}(?![\\w-])`, "m"));
      }
    });
    it(`help ${command}: examples that parse, and the topics`, () => {
      const examples = [...help.matchAll(/^ {2}tele-sessions (.*)$/gm)].map(([, words = ""]) => words);
      assert.ok(examples.length > 0);
      for (const words of examples) assert.equal(parse(...words.split(" ")).kind, command);
      assert.match(help, /tele-sessions help environment \| exit-codes \| outcomes$/m);
    });
  }

  it("help environment names every variable", () => {
    const help = screenOf("help", "environment");
    for (const [, { variable }] of settingEntries) {
      if (variable !== undefined) assert.match(help, new RegExp(`^ +${variable}(?!\\w)`, "m"));
    }
  });

  it("help exit-codes and help outcomes say what each means and what to do", () => {
    const codes = screenOf("help", "exit-codes").replace(/\s+/g, " ");
    for (const { code, meaning, todo } of exitCodes) {
      assert.ok(codes.includes(` ${code} ${meaning}${todo === null ? "" : `. What to do: ${todo}`}`), `${code}`);
    }
    const outcomes = screenOf("help", "outcomes").replace(/\s+/g, " ");
    for (const [kind, { means }] of Object.entries({ ...outcomeAdvice, ...failureAdvice })) {
      assert.ok(outcomes.includes(` ${kind} `) && outcomes.includes(means), kind);
    }
  });

  for (const columns of [80, 100]) {
    it(`${columns} columns: no line of help is longer, but for what a shell takes`, () => {
      for (const topic of [...commands, "environment", "exit-codes", "outcomes"]) {
        const invocation = parseCommandLine(["help", topic], "1.2.3", columns);
        assert.ok("text" in invocation);
        const long = invocation.text
          .split("\n")
          .filter((line) => line.length > columns && !/^ {2}tele-sessions |^ {2}\S+$/.test(line));
        assert.deepEqual(long, [], topic);
      }
    });
  }
});
