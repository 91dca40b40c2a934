import { join } from "node:path";
import type { RivalPrograms } from "../rivals/rival-programs.js";

/** What a contestant is to work on. */
export interface Task {
  readonly directory: string;
  readonly format: "pickle" | "json";
  /** A file of the finished commands for that directory. */
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** The flags by which tele-sessions finds Redis. */
  readonly flags: readonly string[];
  /** The tele-sessions to measure, and the Node that runs it. */
  readonly binary: string;
  readonly node: string;
}

/** How to start a process. */
export interface Start {
  readonly command: readonly string[];
  /** A file that becomes its standard input; none where absent. */
  readonly input?: string;
}

export interface Contestant {
  readonly title: string;
  readonly side: "rivals" | "ours";
  /** What Redis holds before it starts. */
  readonly finds: "nothing" | "a copy";
  /** How many keys Redis holds after it, marks aside: one for each session, or none. */
  readonly leaves: "every session" | "nothing";
  /** It uses up the session files, so each run needs files of its own. */
  readonly removes: boolean;
  readonly start: (programs: RivalPrograms, task: Task) => Start;
  /** The number of sessions that it says it has dealt with. */
  readonly count: (stdout: string) => number;
}

function countOfRival(stdout: string): number {
  const said: { readonly sessions: number } = JSON.parse(stdout);
  return said.sessions;
}

function rivalInPython(script: string): Contestant["start"] {
  return ({ python, rivals }, { directory, format, host, port }) => ({
    command: [python, join(rivals, script), directory, format, host, String(port)],
  });
}

/** tele-sessions, started as an operator starts it. `outcome` is what every session comes to. */
function ourselves(
  title: string,
  words: readonly string[],
  outcome: string,
  how: Pick<Contestant, "finds" | "leaves" | "removes">,
): Contestant {
  return {
    title,
    side: "ours",
    ...how,
    start: (_, { directory, flags, binary, node }) => ({
      command: [node, binary, ...words, "--session-dir", directory, ...flags, "--json"],
    }),
    count: (stdout) => {
      const report: { readonly sessions: Readonly<Record<string, number>> } = JSON.parse(stdout);
      return report.sessions[outcome] ?? 0;
    },
  };
}

const copies = { finds: "nothing", leaves: "every session", removes: false } as const;

/** Everything that is measured, in the order of the table. */
export const contestants = {
  server: {
    title: "the server's way: Python, SET and EXPIRE, one by one",
    side: "rivals",
    ...copies,
    start: rivalInPython("server_way.py"),
    count: countOfRival,
  },
  script: {
    title: "a script of an hour: Python, pipelines of 500",
    side: "rivals",
    ...copies,
    start: rivalInPython("pipelined_script.py"),
    count: countOfRival,
  },
  pipe: {
    title: "redis-cli --pipe, protocol ready-made",
    side: "rivals",
    ...copies,
    start: ({ redisCli }, { host, port, protocol }) => ({
      command: [redisCli, "-h", host, "-p", String(port), "--pipe"],
      input: protocol,
    }),
    count: (stdout) => Number(/errors: 0, replies: (\d+)/.exec(stdout)?.[1]),
  },
  reader: {
    title: "C reader: open, read, close",
    side: "rivals",
    finds: "nothing",
    leaves: "nothing",
    removes: false,
    start: ({ reader }, { directory }) => ({ command: [reader, directory] }),
    count: countOfRival,
  },
  "dry-run": ourselves("tele-sessions copy --dry-run", ["copy", "--dry-run"], "copied", {
    ...copies,
    leaves: "nothing",
  }),
  copy: ourselves("tele-sessions copy", ["copy"], "copied", copies),
  "copy-one": ourselves("tele-sessions copy, one reader", ["copy", "--lanes", "1"], "copied", copies),
  "copy-four": ourselves("tele-sessions copy, four readers", ["copy", "--lanes", "4"], "copied", copies),
  verify: ourselves("tele-sessions verify", ["verify"], "equal", { ...copies, finds: "a copy" }),
  purge: ourselves("tele-sessions purge", ["purge"], "removed", {
    finds: "a copy",
    leaves: "every session",
    removes: true,
  }),
} satisfies Record<string, Contestant>;

export type ContestantName = keyof typeof contestants;
