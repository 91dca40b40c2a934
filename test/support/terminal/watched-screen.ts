import { execFile } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { caretaker } from "../process/caretaker.js";
import { cleanEnvironment } from "../process/clean-environment.js";
import { searchOutput } from "../process/search-output.js";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";
import { provideTool } from "../programs/provide-tools.js";

export interface ScreenOptions {
  /** 80 by default. */
  readonly columns?: number;
  /** Variables beside the clean ones of `cleanEnvironment`; TERM is tmux's own by default. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A command that runs in a real terminal, and what a person sees there. */
export interface WatchedScreen {
  /** The process id of the command. */
  readonly pid: number;
  /** The lines that can be seen, without the empty ones at the end. */
  lines(): Promise<readonly string[]>;
  /** Everything that was shown, with what scrolled off and with colours as escape sequences. */
  history(): Promise<string>;
  /** Waits until what can be seen matches. Rejects, showing it, if that does not come within 30 s. */
  waitFor(pattern: RegExp): Promise<readonly string[]>;
  /** Waits until the command ends. Rejects if that takes over 30 s. */
  ended(): Promise<void>;
  /** The command stands still meanwhile. */
  resize(columns: number): Promise<void>;
  /** Presses keys, as tmux names them: `C-c`, `Enter`, or characters. */
  type(...keys: readonly string[]): Promise<void>;
}

const rows = 24;
const limitMs = 30_000;
/** Runs a command in tmux, which redraws its lines at a resize as other terminals do. */
export async function watchScreen(
  t: Pick<TestContext, "after">,
  command: readonly string[],
  { columns = 80, environment = {} }: ScreenOptions = {},
): Promise<WatchedScreen> {
  const tmux = await provideTool("tmux");
  const home = makeTemporaryDirectory();
  const socket = join(home, "tmux");
  const env = cleanEnvironment(home);
  const call = async (...words: readonly string[]): Promise<string> =>
    (await promisify(execFile)(tmux, ["-S", socket, "-f", "/dev/null", ...words], { env, cwd: home })).stdout;
  const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const line = ["exec", "env", ...variables, ...command]
    .map(quoted)
    .join(" ")
    .replace(/^'exec'/, "exec");
  const options = [..."set -g status off ; set -g remain-on-exit on ;".split(" ")];
  await call(
    ...["start-server", ";", ...options],
    ...["new-session", "-d", "-x", String(columns), "-y", String(rows), line],
  );
  const [ids = "", terminal = ""] = (await call("display", "-p", "#{pid} #{pane_pid}\n#{pane_tty}")).split("\n");
  const [server = 0, pid = 0] = ids.split(" ").map(Number);
  const spare = caretaker.killAtEnd(server);
  t.after(async () => {
    await call("kill-server").finally(spare);
  });

  const lines = async () => {
    const shown = (await call("capture-pane", "-p")).split("\n").map((one) => one.trimEnd());
    while (shown.at(-1) === "") shown.pop();
    return shown;
  };
  return {
    pid,
    lines,
    history: async () => {
      const text = await call("capture-pane", "-p", "-e", "-J", "-S", "-");
      searchOutput(text, command);
      return text;
    },
    waitFor: async (pattern) => {
      const giveUpAt = Date.now() + limitMs;
      for (;;) {
        const shown = await lines();
        if (pattern.test(shown.join("\n"))) return shown;
        if (Date.now() > giveUpAt) throw new Error(`The screen never showed ${pattern}:\n${shown.join("\n")}`);
        await sleep(30);
      }
    },
    ended: async () => {
      const giveUpAt = Date.now() + limitMs;
      for (;;) {
        if ((await call("display", "-p", "#{pane_dead}")).trim() === "1") return;
        if (Date.now() > giveUpAt) throw new Error(`It has not ended:\n${(await lines()).join("\n")}`);
        await sleep(30);
      }
    },
    resize: async (wanted) => {
      // tmux wraps the lines that are there, and tells the command of the new size a moment later.
      process.kill(pid, "SIGSTOP");
      // What the command wrote before must not reach tmux only after the resize.
      let before: string;
      do {
        before = await call("capture-pane", "-p");
        await sleep(100);
      } while (before !== (await call("capture-pane", "-p")));
      await call("resize-window", "-x", String(wanted), "-y", String(rows));
      const sizeOf = async () => (await promisify(execFile)("stty", ["-F", terminal, "size"])).stdout.trim();
      while ((await sizeOf()) !== `${rows} ${wanted}`) await sleep(10);
      process.kill(pid, "SIGCONT");
    },
    type: async (...keys) => {
      await call("send-keys", ...keys);
    },
  };
}
