import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { provideTool } from "../programs/provide-tools.js";
import { projectRoot } from "../project.js";

/** How Python writes a session: `python2` is its protocol 2 with byte strings. */
export type MadeFormat = "python2" | "pickle0" | "pickle1" | "pickle2" | "pickle3" | "pickle4" | "pickle5" | "json";

export interface MakeSessionsOptions {
  /** 10,000 by default; strays come on top. */
  readonly count?: number;
  readonly seed?: number;
  /** Both by default. */
  readonly layouts?: readonly ("flat" | "scattered")[];
  /** All by default. */
  readonly formats?: readonly MadeFormat[];
  /** Also files that are no sessions, and 10 sessions that are over already. */
  readonly strays?: boolean;
  /** `spread`: modified over the last days, some longer ago. `now` by default. */
  readonly mtimes?: "now" | "spread";
  /** Where the manifest goes: outside of the session directory. None by default. */
  readonly manifest?: string;
  /** Whether the manifest holds values instead of their hashes. */
  readonly values?: boolean;
}

export interface MadeSessions {
  readonly sessions: number;
  readonly authenticated: number;
  readonly anonymous: number;
  readonly expired: number;
  /** Files of 0 bytes that have a session's name. */
  readonly empty: number;
  /** Names that are no sessions. */
  readonly ignored: number;
  readonly bytes: number;
  readonly layouts: Readonly<Record<string, number>>;
  readonly formats: Readonly<Record<string, number>>;
  readonly seconds: number;
}

/** What was made in one file, and what must come of it. */
export interface MadeSession {
  /** Inside the session directory, `/` between the parts. */
  readonly path: string;
  readonly sid: string;
  readonly layout: "flat" | "scattered";
  readonly format: MadeFormat;
  readonly authenticated: boolean;
  /** The full lifetime in seconds. */
  readonly lifetime: number;
  readonly outcome: "copied" | "expired";
  readonly bytes: number;
  /** The value that the server would have written, or its hash: as Python's `json.dumps` has it. */
  readonly value?: string;
  readonly sha256?: string;
  /** Nanoseconds since the epoch, where the times are spread. */
  readonly mtimeNs?: string;
}

/** Makes session files in a directory with Python, the same ones for the same options. */
export async function makeSessions(directory: string, options: MakeSessionsOptions = {}): Promise<MadeSessions> {
  const { count, seed, layouts, formats, strays = false, mtimes, manifest, values = false } = options;
  const args = [
    join(projectRoot, "test", "python", "make_sessions.py"),
    directory,
    ...(count === undefined ? [] : ["--count", String(count)]),
    ...(seed === undefined ? [] : ["--seed", String(seed)]),
    ...(layouts === undefined ? [] : ["--layouts", layouts.join(",")]),
    ...(formats === undefined ? [] : ["--formats", formats.join(",")]),
    ...(strays ? ["--strays"] : []),
    ...(mtimes === undefined ? [] : ["--mtimes", mtimes]),
    ...(manifest === undefined ? [] : ["--manifest", manifest]),
    ...(values ? ["--values"] : []),
  ];
  const { stdout } = await promisify(execFile)(await provideTool("python"), args);
  return JSON.parse(stdout);
}

/** The sessions of a manifest, one after the other; strays are left out. */
export async function* readManifest(path: string): AsyncGenerator<MadeSession> {
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    const made: MadeSession | { readonly stray: string } = JSON.parse(line);
    if (!("stray" in made)) yield made;
  }
}
