import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { binary } from "../process/command.js";
import type { RedisServer } from "../servers/redis-server.js";
import { terminalPicture } from "./terminal-picture.js";
import { type WatchedScreen, watchScreen } from "./watched-screen.js";

const columns = 80;
const shownDirectory = "/srv/sessions";
const shownRedis = "redis-1";

/** Where terminals are recorded, and of what. */
export interface Recording {
  /** A session directory of some 20,000 files. */
  readonly directory: string;
  readonly redis: RedisServer;
  /** Gets one SVG for each terminal. */
  readonly images: string;
}

/** Draws what a person sees of `check`, and of a copy half way and at its end. */
export async function recordTerminals({ directory, redis, images }: Recording): Promise<void> {
  const clean: (() => unknown)[] = [];
  const watch = (...words: readonly string[]) =>
    watchScreen({ after: (end) => clean.push(end as () => unknown) }, [
      process.execPath,
      binary,
      ...words,
      ...["--session-dir", directory, "--host", redis.host, "--port", String(redis.port)],
    ]);
  const draw = async (screen: WatchedScreen, name: string, title: string, command: string) => {
    const seen = (await screen.history())
      .replaceAll(directory, shownDirectory)
      .replaceAll(`${redis.host}:${redis.port}`, `${shownRedis}:6379`)
      // The real directory and host are longer, so that the command line was folded.
      .replaceAll(/ \\\n +(?=--)/g, " ")
      .replaceAll(`--host ${redis.host} --port ${redis.port}`, `--host ${shownRedis}`)
      .replace(/\n+Pane is dead.*/s, "");
    const prompt = `$ tele-sessions ${command} --session-dir ${shownDirectory} --host ${shownRedis}`;
    const text = `${prompt}\n${seen}`;
    writeFileSync(join(images, `${name}.svg`), terminalPicture({ text, columns, title }));
  };
  try {
    const check = await watch("check");
    await check.ended();
    await draw(check, "check", "tele-sessions check", "check");
    const copy = await watch("copy", "--max-rate", "4000");
    await copy.waitFor(/ [67]\d%/);
    await draw(copy, "copying", "tele-sessions copy, while it runs", "copy");
    await copy.ended();
    await draw(copy, "copied", "tele-sessions copy, at its end", "copy");
  } finally {
    for (const end of clean) await end();
  }
}
