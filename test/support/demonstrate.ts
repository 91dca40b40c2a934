import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import type { WriteStream } from "node:tty";
import { type DemoTarget, openDemoTarget } from "./demo-target.js";
import { caretaker } from "./process/caretaker.js";
import { binary } from "./process/command.js";
import { makeTemporaryDirectory, removeTemporaryDirectory } from "./process/temporary-directory.js";
import { redisCommand } from "./servers/redis-command.js";
import { type CheckedSessions, checkSessions } from "./sessions/check-sessions.js";
import { type MadeSession, makeSessions, readManifest } from "./sessions/make-sessions.js";

/** So many of the sessions are over before they are read; they are made as strays. */
const expiredCount = 10;
const number = new Intl.NumberFormat("en");

/**
 * Shows the main job on real session files and a real Redis: a dry run, a copy, what Redis holds
 * then, and a check of every session. Gives the exit code: 0 where every one is right. Leaves
 * nothing behind, after Ctrl-C neither.
 */
export async function demonstrate(
  sessionCount: number,
  environment: NodeJS.ProcessEnv,
  output: WriteStream,
): Promise<number> {
  const signals = watchSignals();
  const page = makePage(environment, output);
  const directory = makeTemporaryDirectory();
  const manifest = join(directory, "manifest");
  let target: DemoTarget | undefined;
  try {
    target = await openDemoTarget(environment["TELE_SESSIONS_DEMO_REDIS_URL"]);
    return await show({ sessionCount, page, target, environment, signals, directory, manifest });
  } catch (error) {
    if (signals.caught() !== undefined) {
      page.line("Stopped. Everything that the demo made is gone again.");
      return 128 + (constants.signals[signals.caught() ?? "SIGINT"] ?? 0);
    }
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await target?.cleanUp(keysOf(manifest));
    removeTemporaryDirectory(directory);
    signals.stopWatching();
  }
}

interface Stage {
  readonly sessionCount: number;
  readonly page: Page;
  readonly target: DemoTarget;
  readonly environment: NodeJS.ProcessEnv;
  readonly signals: SignalWatch;
  readonly directory: string;
  readonly manifest: string;
}

async function show(stage: Stage): Promise<number> {
  const { sessionCount, page, target, directory, manifest } = stage;
  const sessions = join(directory, "sessions");
  const args = ["copy", "--session-dir", sessions, ...target.args];

  page.line(page.bold("tele-sessions: the main job, on files made for the occasion"));

  page.heading("Session files, as Odoo 8 to 19 and Tele leave them");
  const made = await makeSessions(sessions, {
    count: sessionCount - expiredCount,
    strays: true,
    mtimes: "spread",
    manifest,
  });
  stage.signals.throwIfCaught();
  const { flat = 0, scattered = 0 } = made.layouts;
  page.line(`${number.format(made.sessions)} sessions in ${sessions}`);
  page.line(`${number.format(flat)} in one flat directory, ${number.format(scattered)} scattered over many`);
  page.line("pickles of protocols 0 to 5, pickles of Python 2, JSON; made by Python");
  page.line(`${number.format(made.authenticated)} of people logged in, ${number.format(made.anonymous)} anonymous`);
  page.line(
    `${made.expired} are over already; beside them lie ${made.empty} empty files ` +
      `and ${made.ignored} other things that are no sessions`,
  );
  page.line(`They go to ${target.description}.`);

  page.heading("A dry run reads everything and writes nothing");
  await runShown([...args, "--dry-run"], stage);
  page.line(`Redis holds ${number.format(await countKeys(target))} sessions.`);

  page.heading("The copy");
  const beganMs = Date.now();
  await runShown(args, stage);
  const endedMs = Date.now();
  page.line(`Redis holds ${number.format(await countKeys(target))} sessions.`);

  page.heading("Some of them");
  await showKeys(stage);

  page.heading("Every one compared with what Python would have written");
  const checked = await checkSessions(target.address, readManifest(manifest), { beganMs, endedMs });
  stage.signals.throwIfCaught();
  return judge(page, sessionCount, checked);
}

function judge(page: Page, sessionCount: number, { right, absent, differences }: CheckedSessions): number {
  for (const difference of differences.slice(0, 10)) page.line(difference);
  if (differences.length === 0) {
    page.line(
      page.good(
        `All ${number.format(right)} live sessions are in Redis, byte for byte, each with its full lifetime; ` +
          `the ${absent} that were over are not.`,
      ),
    );
    return 0;
  }
  page.line(
    page.bad(
      `${number.format(differences.length)} of ${number.format(sessionCount)} sessions are not as they must be.`,
    ),
  );
  return 1;
}

/** Keys of sessions: the mark that a copy leaves is none. */
async function countKeys({ address }: DemoTarget): Promise<number> {
  const marks = await redisCommand(address, "KEYS", "tele-sessions:mark:*");
  return Number(await redisCommand(address, "DBSIZE")) - (Array.isArray(marks) ? marks.length : 0);
}

/** Runs the built command line with our terminal and shows it as a person would type it. */
async function runShown(
  args: readonly string[],
  { page, target, environment, signals, directory }: Stage,
): Promise<void> {
  const typed = [...Object.keys(target.variables).map((name) => `${name}=…`), "tele-sessions", ...args].join(" ");
  page.line(page.bold(`$ ${typed}`));
  // The variables of a server at home here are none of the demo's business.
  const kept = Object.entries(environment).filter(([name]) => !/^(TELE|XDG_)/.test(name));
  const child = spawn(process.execPath, [binary, ...args], {
    env: { ...Object.fromEntries(kept), HOME: directory, ...target.variables },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const spare = child.pid === undefined ? () => undefined : caretaker.killAtEnd(child.pid);
  signals.passOnTo(child);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  spare();
  page.line("");
  signals.throwIfCaught();
  if (code !== 0) throw new Error(`tele-sessions ended with exit code ${code}; the demo stops here.`);
}

async function showKeys({ page, target, manifest }: Stage): Promise<void> {
  const shown = new Map<string, MadeSession>();
  for await (const session of readManifest(manifest)) {
    const kind = `${session.layout} ${session.lifetime}`;
    if (session.outcome === "copied" && !shown.has(kind)) shown.set(kind, session);
  }
  for (const { sid, layout, format, lifetime } of shown.values()) {
    const key = `session:${sid}`;
    const seconds = Number(await redisCommand(target.address, "TTL", key));
    const size = Number(await redisCommand(target.address, "STRLEN", key));
    page.line(
      [
        `session:${sid.slice(0, 6)}…`,
        `${describeSeconds(seconds)} left of ${describeSeconds(lifetime)}`.padEnd(38),
        `${String(size).padStart(4)} bytes`,
        `from ${layout}, ${format}`,
      ].join("   "),
    );
  }
}

function describeSeconds(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor((seconds % 86_400) / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  return days === 0 ? clock : `${days} d ${clock}`;
}

async function* keysOf(manifest: string): AsyncGenerator<string> {
  for await (const { sid } of readManifest(manifest)) yield `session:${sid}`;
}

interface Page {
  line(text: string): void;
  heading(text: string): void;
  bold(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

function makePage(environment: NodeJS.ProcessEnv, output: WriteStream): Page {
  const plain = !output.isTTY || (environment["NO_COLOR"] ?? "") !== "" || environment["TERM"] === "dumb";
  const style = (code: number) => (text: string) => (plain ? text : `\x1b[${code}m${text}\x1b[0m`);
  const bold = style(1);
  let headings = 0;
  const line = (text: string): void => {
    output.write(`${text}\n`);
  };
  return {
    line,
    bold,
    heading: (text) => {
      headings += 1;
      line(`\n${bold(`${headings}. ${text}`)}`);
    },
    good: style(32),
    bad: style(31),
  };
}

interface SignalWatch {
  caught(): NodeJS.Signals | undefined;
  throwIfCaught(): void;
  passOnTo(child: ChildProcess): void;
  stopWatching(): void;
}

/**
 * Catches the signals that end a run, so that the demo can tidy up, and hands them to the command
 * under way.
 */
function watchSignals(): SignalWatch {
  const watched = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  let caught: NodeJS.Signals | undefined;
  let child: ChildProcess | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    caught ??= signal;
    // Ctrl-C in a terminal reaches the command by itself; twice would make it stop at once.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child?.kill(signal);
  };
  for (const signal of watched) process.on(signal, onSignal);
  return {
    caught: () => caught,
    throwIfCaught: () => {
      if (caught !== undefined) throw new Error(`stopped by ${caught}`);
    },
    passOnTo: (next) => {
      child = next;
    },
    stopWatching: () => {
      for (const signal of watched) process.off(signal, onSignal);
    },
  };
}
