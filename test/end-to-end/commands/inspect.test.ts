import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { compileNative } from "../../../bench/native/compile-native.js";
import { provideRivalTools } from "../../../bench/rivals/rival-programs.js";
import { between } from "../../support/process/between.js";
import { type CommandOptions, runCommand } from "../../support/process/command.js";
import { makeTemporaryDirectory } from "../../support/process/temporary-directory.js";
import { projectRoot } from "../../support/project.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { makeSessions } from "../../support/sessions/make-sessions.js";
import { openTerminal } from "../../support/terminal/terminal.js";
import { dayMs, hourMs, saveSession } from "../support/made-session.js";
import { run } from "../support/observed-run.js";
import { redisOf } from "../support/redis-of-test.js";

/** What `inspect --json` printed. */
type Printed = Readonly<Record<string, unknown>> & {
  readonly sessions: Readonly<Record<string, number>>;
  readonly redis: { readonly keys: number; readonly bytes: number };
  readonly failures: readonly Readonly<Record<string, unknown>>[];
  readonly warnings: readonly string[];
};

async function inspect(args: readonly string[], options: CommandOptions = {}) {
  const result = await runCommand(["inspect", "--json", ...args], options);
  assert.match(result.stdout, /^\{.*\}\n$/, "stdout holds one line and nothing else");
  const printed: Printed = JSON.parse(result.stdout);
  assert.equal(printed["exitCode"], result.exitCode);
  const text = result.stderr.trimEnd();
  // Off a terminal, a run begins with a line that says what it reads.
  const lines = text.replace(/^Reading [\d,]+ session files? in .*\n/, "").split("\n");
  for (const line of lines.filter((one) => !/^(error:|warning:|Exit )/.test(one))) {
    // A path cannot be wrapped, and those of tests are long.
    const shown = line.replace(/\/\S*tele-sessions-\w+/, "/srv");
    assert.match(shown, /^[\x20-\x7e]{0,80}$/, "plain ASCII that fits into 80 columns");
  }
  return { ...result, printed, lines };
}

/** The lines of a text from one that begins so, to the next that does not begin with a space. */
function blockOf(lines: readonly string[], label: string): string[] {
  const start = lines.findIndex((line) => line.startsWith(label));
  const rest = lines.slice(start + 1);
  const length = rest.findIndex((line) => !line.startsWith(" "));
  return start < 0 ? [] : lines.slice(start, start + 1 + (length < 0 ? rest.length : length));
}

const short = (text: string) => `\x8c${String.fromCharCode(text.length)}${text}`;
const decimal = "cdecimal\nDecimal\n(S'1.5'\ntR";
const system = "cposix\nsystem\n(S'id'\ntR.";

const asNobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

/** Lets everybody read a directory. */
function openUp(directory: string): string {
  for (let path = directory; path !== tmpdir() && path !== "/"; path = dirname(path)) chmodSync(path, 0o755);
  return directory;
}

/** A session directory in which everything is known. */
function makeKnown(): string {
  const directory = join(makeTemporaryDirectory(), "sessions");
  mkdirSync(directory);
  const now = Date.now();
  const save = (number: number, content: string, ageMs: number, layout: "flat" | "scattered" = "flat") => {
    const path = saveSession(directory, number, "", { layout });
    writeFileSync(path, Buffer.from(content, "latin1"));
    utimesSync(path, (now - ageMs) / 1000, (now - ageMs) / 1000);
  };
  // Logged in: one of each age.
  for (const [index, ageMs] of [60_000, 2 * hourMs, 2 * dayMs, 5 * dayMs, 9 * dayMs].entries()) {
    save(index, `{"db": "prod", "uid": 2, "login": "a"}`, ageMs);
  }
  // Anonymous: pickles of protocol 4, 2, 1 and 0, one of them scattered.
  save(16, `\x80\x04}(${short("db")}${short("test")}${short("uid")}Nu.`, 2 * hourMs, "scattered");
  save(17, "\x80\x02}(U\x02dbU\x04testU\x03uidNu.", 2 * hourMs);
  save(18, "}q\x01(U\x02dbq\x02U\x04testq\x03U\x03uidq\x04Nu.", 2 * hourMs);
  save(19, "(dp0\nS'db'\np1\nS'a\\x1b[31mb'\np2\nsS'uid'\np3\nNs.", 2 * hourMs);
  // Lossy, without a database, large.
  save(20, `\x80\x04}(${short("uid")}N${short("db")}N${short("t")}K\x01K\x02\x86u.`, 2 * hourMs);
  save(21, `{"uid": null, "context": {}, "x": "${"x".repeat(300)}"}`, 2 * hourMs);
  save(22, `{"uid": null, "context": {}, "x": "${"x".repeat(2000)}"}`, 2 * hourMs);
  save(23, `{"uid": null, "context": {}, "x": "${"x".repeat(20_000)}"}`, 2 * hourMs);
  // Over by its own expiration, and one whose expiration is no number.
  save(24, `{"db": "prod", "uid": 2, "expiration": -5}`, 2 * hourMs);
  save(25, `{"db": "prod", "uid": 2, "expiration": "soon"}`, 2 * hourMs);
  // What fails.
  save(32, system, 2 * hourMs);
  save(33, `(dS'uid'\nI1\nsS'a'\n${decimal}s.`, 2 * hourMs);
  save(34, `(dS'uid'\nI1\nsS'a'\n${decimal}s.`, 2 * hourMs);
  save(35, '{"uid": 2', 2 * hourMs);
  save(36, '{"name": 2}', 2 * hourMs);
  // What is no session.
  writeFileSync(join(directory, "README"), "x");
  save(48, "", hourMs);
  return directory;
}

describe("inspect", { concurrency: 2 }, () => {
  test("a directory in which everything is known", async (t) => {
    const directory = makeKnown();
    const { exitCode, lines, stderr, printed } = await inspect(["--session-dir", directory]);
    assert.equal(exitCode, 0, stderr);
    assert.match(lines.join(" "), /^20 session files in \/.*\/sessions, read in/);
    const rows: readonly (readonly [label: string, block: readonly RegExp[]])[] = [
      [
        "Users",
        [
          /^Users {3}logged in {10}7 {2}#+\.+ {2}35%$/,
          /^ {8}anonymous {10}8 {2}#+\.+ {2}40%$/,
          /^ {8}unreadable {9}5$/,
        ],
      ],
      [
        "Saved",
        [
          /^Saved {3}< 1 hour {11}1 {2}##\.+ {3}5%$/,
          /^ {8}< 1 day {11}16 {2}#+\.+ {2}80%$/,
          /^ {8}< 3 days {11}1 /,
          /^ {8}< 7 days {11}1 /,
          /^ {8}older {14}1 /,
        ],
      ],
      [
        "Size",
        [
          /^Size {4}< 256 B {11}17 /,
          /^ {8}< 1 KiB {12}1 /,
          /^ {8}< 16 KiB {11}1 /,
          /^ {8}larger {13}1 {2}largest 19\.6 KiB$/,
        ],
      ],
      ["Format", [/^Format {2}JSON {14}10 {3}pickle 4 2 {3}pickle 0 1 {3}pickle 1 1 {3}pickle 2 1$/]],
      ["Layout", [/^Layout {2}flat {14}19 {3}scattered 1$/]],
      ["Db", [/^Db {6}prod {15}7 {3}test 3 {3}a\\u001b\[31mb 1 {3}\(none\) 4$/]],
      ["Redis", [/^Redis {5}about \d+\.\d KiB for 14 keys$/]],
      ["Expired", [/^Expired {3}1 now; 2 with --ttl remaining$/]],
      [
        "Failing",
        [
          /^Failing {3}5: unsupported-type 3 \(decimal\.Decimal 2\), corrupt 1, not-a-session 1$/,
          /^ {10}1 names posix\.system, which no server writes: werkzeug_0020ee\.\.\.\.sess$/,
          /^ {10}werkzeug_002[12]ee\.\.\.\.sess {2}unsupported-type: decimal\.Decimal$/,
          /^ {10}werkzeug_0023ee\.\.\.\.sess {2}corrupt: /,
          /^ {10}werkzeug_0024ee\.\.\.\.sess {2}not-a-session: a dict with none of /,
          /^ {10}.*session_token, context, debug$/,
          /^ {10}and 1 more: --json lists the first 100$/,
        ],
      ],
      ["Lossy", [/^Lossy {5}1 holds tuples or integer keys \(the applet loses the same\)$/]],
      ["Ignored", [/^Ignored {3}1 name that is no session, 1 empty file$/]],
      ["Odd", [/^Odd {7}1: a session's own expiration is not a number of seconds, so the$/, /^ {10}default applies$/]],
    ];
    for (const [label, expected] of rows) {
      await t.test(label, () => {
        const block = blockOf(lines, label);
        assert.equal(block.length, expected.length, block.join("\n"));
        for (const [index, pattern] of expected.entries()) assert.match(block[index] ?? "", pattern);
      });
    }
    const alarm = lines.findIndex((line) => line.startsWith("! 1 file names posix.system: no server writes"));
    assert.ok(alarm > 0 && alarm < lines.length - 1);
    const next = lines.slice(lines.findIndex((line) => line.startsWith("Next"))).join(" ");
    assert.equal(next.replaceAll(/ \\ +/g, " "), `Next  tele-sessions check --session-dir ${directory} --url URL`);
    assert.equal(printed.failures.length, 5);
    assert.equal(printed.failures[0]?.["suspicious"], true);
    const { found, authenticated = 0, anonymous = 0, failed = 0 } = printed.sessions;
    assert.equal(found, authenticated + anonymous + failed);
    assert.deepEqual(printed["databases"], {
      listed: [
        { name: "prod", sessions: 7 },
        { name: "test", sessions: 3 },
        { name: "a\\u001b[31mb", sessions: 1 },
      ],
      others: 0,
      none: 4,
    });
    assert.equal(printed["suspicious"], 1);
    assert.match(printed.warnings[0] ?? "", /^1 file names posix\.system: /);
  });

  test("--quiet shows the planted file and nothing else; LANG=C shows the same as UTF-8", async () => {
    const directory = makeKnown();
    const quiet = await inspect(["--session-dir", directory, "--quiet"]);
    assert.match(quiet.stderr, /^warning: 1 file names posix\.system: [^\n]*\n$/);
    const texts = await Promise.all(
      ["C", "C.UTF-8"].map(async (locale) => {
        const environment = { LANG: locale, LC_ALL: locale };
        const { stderr } = await runCommand(["inspect", "--session-dir", directory], { environment });
        return stderr.replace(/read in .*/, "");
      }),
    );
    assert.equal(texts[0], texts[1]);
  });

  test("--ttl, the expirations, --prefix and --show-ids change what they are for", async () => {
    const directory = makeKnown();
    const remaining = await inspect(["--session-dir", directory, "--ttl", "remaining"]);
    assert.match(remaining.stderr, /^Expired {3}2 now \(--ttl remaining\)$/m);
    const brief = ["--expiration", "3600", "--expiration-anonymous", "3600"];
    const { printed } = await inspect(["--session-dir", directory, ...brief]);
    assert.equal(printed.sessions["expired"], 1);
    assert.equal(printed.sessions["expiredWithTtlRemaining"], 14);
    const longer = await inspect(["--session-dir", directory, "--prefix", "p".repeat(100)]);
    assert.ok(longer.printed.redis.bytes > printed.redis.bytes + 14 * 90);
    const sid = "0123456789abcdef0123456789abcdef01234567";
    const planted = join(makeTemporaryDirectory(), "s");
    mkdirSync(planted);
    writeFileSync(join(planted, `werkzeug_${sid}.sess`), system);
    const { stderr, stdout } = await runCommand(["inspect", "--session-dir", planted, "--json", "--show-ids"]);
    assert.match(stderr, new RegExp(`names posix\\.system, which no server\\s+writes:\\s+werkzeug_${sid}\\.sess`));
    assert.ok(stdout.includes(`"session":"${sid}"`));
  });

  test("planted files come first however many others fail, and 12 of them are listed as 10 and more", async () => {
    const directory = makeTemporaryDirectory();
    for (let number = 0; number < 300; number++) {
      const isPlanted = number % 25 === 7;
      saveSession(directory, number, isPlanted ? system : '{"uid": 2');
    }
    const { exitCode, lines, printed } = await inspect(["--session-dir", directory]);
    assert.equal(exitCode, 0, "files that fail are no reason for another exit code");
    const text = blockOf(lines, "Failing").join(" ").replace(/ +/g, " ");
    assert.match(text, /^Failing 300: corrupt 288, unsupported-type 12 10 name posix\.system, which no server/);
    assert.equal(text.match(/werkzeug_\w{6}\.\.\.\.sess/g)?.length, 11);
    assert.match(text, /2 more name what no server writes/);
    assert.match(lines.join("\n"), /! 300 of 300 session files fail: check that this is the server's session$/m);
    assert.equal(printed.failures.filter(({ suspicious }) => suspicious).length, 12);
    assert.equal(
      printed.failures.findIndex(({ suspicious }) => !suspicious),
      12,
    );
    assert.equal(printed["failuresOmitted"], 200);
  });

  test("only files that cannot be read", async (t) => {
    const directory = openUp(makeTemporaryDirectory());
    for (let number = 0; number < 3; number++) chmodSync(saveSession(directory, number, "{}"), 0o600);
    const { exitCode, lines, printed } = await inspect(["--session-dir", directory], { under: asNobody });
    assert.equal(exitCode, 0, lines.join("\n"));
    assert.equal(printed.sessions["failed"], 3);
    assert.deepEqual(printed["reasons"], { unreadable: 3 });
    const text = blockOf(lines, "Failing").join(" ").replace(/ +/g, " ");
    assert.match(text, /unreadable: uid 65534 may not read it \(EACCES\); it belongs to uid 0: run as uid 0/);
    t.diagnostic(text);
  });

  test("an empty directory, one with only an upload, one with other names, none", async () => {
    const empty = makeTemporaryDirectory();
    const nothing = await inspect(["--session-dir", empty]);
    assert.equal(nothing.exitCode, 0);
    assert.deepEqual(nothing.lines.join(" ").split("  "), [
      `No session file in ${empty}.`,
      "Next",
      "nothing to copy here: is this the directory that the server uses?",
    ]);
    const other = makeTemporaryDirectory();
    writeFileSync(join(other, "tmpabc.__wz_sess"), "x");
    const { lines } = await inspect(["--session-dir", other]);
    assert.match(lines.join("\n"), /\n\nIgnored {3}1 name that is no session, 0 empty files\n\nNext/);
    const wrong = makeTemporaryDirectory();
    writeFileSync(join(wrong, "passwd"), "x");
    const refused = await inspect(["--session-dir", wrong]);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /^error: no session file in .*, but 1 other name.*\nExit 2: .*\n$/);
    const missing = await inspect(["--session-dir", join(wrong, "none")]);
    assert.equal(missing.exitCode, 2);
    assert.equal((await inspect(["--session-dir", join(wrong, "none"), "--allow-missing"])).exitCode, 0);
  });

  test("a scatter folder that cannot be read: exit 3, and what was read is shown as incomplete", async () => {
    const directory = openUp(makeTemporaryDirectory());
    for (const number of [0, 0x1100]) chmodSync(saveSession(directory, number, "{}", { layout: "scattered" }), 0o644);
    for (const name of readdirSync(directory)) chmodSync(join(directory, name), name === "11" ? 0o700 : 0o755);
    const { exitCode, lines, printed } = await inspect(["--session-dir", directory], { under: asNobody });
    assert.equal(exitCode, 3);
    assert.equal(printed["complete"], false);
    assert.match(lines[0] ?? "", /^error: the directory .* cannot be read/);
    assert.match(lines.join("\n"), /^INCOMPLETE: 1 of 1 session files? in/m);
    assert.match(lines.at(-1) ?? "", /^Exit 3: /);
  });

  test("a session in two files counts once; two directories are named; odd paths are quoted", async () => {
    const top = makeTemporaryDirectory();
    const directories = ["a b", "c'é"].map((name) => join(top, name));
    const session = '{"db": "prod", "uid": 2}';
    for (const [index, directory] of directories.entries()) {
      mkdirSync(directory);
      saveSession(directory, 1, session, { mtimeMs: Date.now() - (index + 1) * dayMs });
    }
    saveSession(directories[0] ?? "", 2, session);
    const args = directories.flatMap((directory) => ["--session-dir", directory]);
    const { lines, printed } = await inspect(args);
    assert.match(lines[0] ?? "", /^3 session files in 2 directories, read in /);
    assert.equal(lines[1], `            2  ${top}/a b`);
    assert.equal(lines[2], `            1  ${top}/c'\\u00e9`);
    assert.equal(printed.sessions["superseded"], 1);
    assert.equal(printed.redis.keys, 2);
    assert.match(lines.join("\n"), /^Outdated {2}1: another file holds a later save of the session$/m);
    const next = lines.slice(lines.findIndex((line) => line.startsWith("Next"))).join("\n");
    assert.equal(
      next,
      `Next  tele-sessions check \\\n      --session-dir '${top}/a b' \\\n` +
        `      --session-dir $'${top}/c\\'\\xc3\\xa9' \\\n      --url URL`,
    );
  });

  test("--sample: counts of the sample, Redis about all; threads count the same as none", async () => {
    const directory = join(makeTemporaryDirectory(), "sessions");
    const made = await makeSessions(directory, { count: 1400, strays: true, mtimes: "spread" });
    const all = await inspect(["--session-dir", directory, "--lanes", "1"]);
    assert.equal(all.printed.sessions["authenticated"], made.authenticated);
    assert.equal(all.printed.sessions["anonymous"], made.anonymous);
    assert.equal(all.printed.sessions["expired"], made.expired);
    assert.equal(all.printed["empty"], made.empty);
    assert.equal(all.printed["ignored"], made.ignored);
    const threads = await inspect(["--session-dir", directory, "--lanes", "3"]);
    const { seconds: _, sessionsPerSecond: __, peakMemoryBytes: ___, ...same } = all.printed;
    for (const [name, value] of Object.entries(same)) assert.deepEqual(threads.printed[name], value, name);
    const { printed, lines } = await inspect(["--session-dir", directory, "--sample", "20%"]);
    assert.match(lines.join(" "), /^\d+ of 1,\d+ session files in .* a sample of 20%, read in /);
    assert.match(lines.join(" "), /for about \d,\d+ keys/);
    assert.equal(printed["sample"], 20);
    assert.ok((printed.sessions["found"] ?? 0) < 420, "only the sample is counted");
    const ratio = printed.redis.bytes / all.printed.redis.bytes;
    assert.ok(ratio > 0.8 && ratio < 1.2, `${ratio}`);
  });

  test("what it says of Redis is what a copy then takes, within 10%", async (t) => {
    const redis = await redisOf(t);
    const directory = join(makeTemporaryDirectory(), "sessions");
    await makeSessions(directory, { count: 5000 });
    const { printed } = await inspect(["--session-dir", directory]);
    const usedMemory = async () =>
      Number(/^used_memory:(\d+)/m.exec(String(await redisCommand(redis, "INFO", "memory")))?.[1]);
    const before = await usedMemory();
    const { exitCode, report } = await run(["copy", ...between(directory, redis), "--json"]);
    assert.equal(exitCode, 0);
    assert.equal(report.sessions.copied, printed.redis.keys);
    const added = (await usedMemory()) - before;
    const ratio = printed.redis.bytes / added;
    assert.ok(ratio > 0.9 && ratio < 1.1, `${printed.redis.bytes} said, ${added} used`);
  });

  test("Ctrl-C on a terminal: what was read so far, said to be incomplete, exit 130", async () => {
    const top = makeTemporaryDirectory();
    const directory = join(top, "sessions");
    await makeSessions(directory, { count: 4000, layouts: ["flat"], formats: ["pickle4"] });
    const slowOpen = await compileNative((await provideRivalTools()).compiler, "slow_open", top, [
      ...["-shared", "-fPIC", "-DDELAY_NS=5000000", "-ldl"],
    ]);
    const terminal = await openTerminal(["inspect", "--session-dir", directory, "--lanes", "1"], {
      environment: { LD_PRELOAD: slowOpen },
    });
    await terminal.waitFor(/[1-9][\d,]* of 4,000/);
    terminal.type("\x03");
    const { exitCode, output } = await terminal.result;
    assert.equal(exitCode, 130, output);
    const text = output.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").replaceAll("\r", "");
    assert.match(text, /INCOMPLETE: [\d,]+ of 4,000 session files in/);
    assert.match(text, /^Users {3}logged in/m);
    assert.match(text, /Exit 130: stopped by Ctrl-C \(SIGINT\)\n$/);
  });

  test("docs/inspect.md names every key of the JSON object, and no other", async () => {
    const { printed } = await inspect(["--session-dir", makeKnown()]);
    const text = readFileSync(join(projectRoot, "docs", "inspect.md"), "utf8");
    const documented = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, key = ""]) => key);
    assert.deepEqual(documented.sort(), keysOf(printed).sort());
  });
});

/** The keys of an object, `a.b` for one within another, `a[].b` for one of a list's objects. */
function keysOf(object: object, before = ""): string[] {
  return Object.entries(object).flatMap(([key, value]) => {
    const path = `${before}${key}`;
    // Keys that are reasons or protocols.
    if (["reasons", "formats.pickle"].includes(path)) return [path];
    if (Array.isArray(value)) {
      const inner = value.flatMap((one) => (typeof one === "object" ? keysOf(one, `${path}[].`) : []));
      return [path, ...new Set(inner)];
    }
    return typeof value === "object" && value !== null ? keysOf(value, `${path}.`) : [path];
  });
}
