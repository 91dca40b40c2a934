import { execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { makeSessions } from "../../test/support/sessions/make-sessions.js";
import type { RivalPrograms } from "../rivals/rival-programs.js";

export type Layout = "flat" | "scattered";
export type Format = "pickle" | "json";

/** A session directory to work on. */
export interface SessionDirectory {
  readonly sessions: number;
  readonly directory: string;
  /** A file of the finished commands that copy it. */
  readonly protocol: string;
}

/** tele-sessions waits for files younger than 2 s, and looks again at those changed so shortly before it began. */
const settledMs = 2_500;

/** Makes session directories below a place, each once; the same sessions for the same layout and format. */
export class SessionDirectories {
  readonly #place: string;
  readonly #programs: Pick<RivalPrograms, "python" | "rivals">;
  readonly #made = new Map<string, SessionDirectory>();
  #copies = 0;
  #lastMadeMs = 0;

  constructor(place: string, programs: Pick<RivalPrograms, "python" | "rivals">) {
    this.#place = place;
    this.#programs = programs;
  }

  async get(sessions: number, layout: Layout, format: Format): Promise<SessionDirectory> {
    const name = `${layout}-${format}-${sessions}`;
    const known = this.#made.get(name);
    if (known !== undefined) return known;
    const made = {
      sessions,
      directory: join(this.#place, name),
      protocol: join(this.#place, `${name}.protocol`),
    };
    if (sessions === 0) mkdirSync(made.directory);
    else {
      const formats = [format === "json" ? "json" : "pickle4"] as const;
      await makeSessions(made.directory, { count: sessions, layouts: [layout], formats });
    }
    await this.#makeProtocol(made, format);
    this.#lastMadeMs = Date.now();
    await sync();
    this.#made.set(name, made);
    return made;
  }

  /** The same files anew, with their times. Whoever asked for it removes it. */
  async copyOf(original: SessionDirectory): Promise<SessionDirectory> {
    this.#copies += 1;
    const directory = join(this.#place, `copy-${this.#copies}`);
    await promisify(execFile)("cp", ["-a", original.directory, directory]);
    await sync();
    return { ...original, directory };
  }

  /** Waits until no file that was made is so young. */
  async waitUntilOld(): Promise<void> {
    await sleep(Math.max(0, this.#lastMadeMs + settledMs - Date.now()));
  }

  async #makeProtocol({ directory, protocol }: SessionDirectory, format: Format): Promise<void> {
    const { python, rivals } = this.#programs;
    const output = openSync(protocol, "w");
    const child = spawn(python, [join(rivals, "make_protocol.py"), directory, format], {
      stdio: ["ignore", output, "inherit"],
    });
    const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
    closeSync(output);
    if (status !== 0) throw new Error(`make_protocol.py ended with ${status}`);
  }
}

/** What has yet to reach the disk is not to disturb a measurement. */
async function sync(): Promise<void> {
  await promisify(execFile)("sync");
}
