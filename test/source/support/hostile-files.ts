import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** A day ago, in seconds: when files were modified. */
export const dayAgo = Math.floor(Date.now() / 1000) - 86_400;

/** Saves a file as servers do, by a rename of a new one. Modified a day ago by default. */
export function save(path: string, content: string, seconds = dayAgo): void {
  const temporary = `${path}.__wz_sess`;
  writeFileSync(temporary, content);
  utimesSync(temporary, seconds, seconds);
  renameSync(temporary, path);
}

/** What may take a session file's place. Each makes it at a free path. */
export const strangers = {
  "a symlink to a file outside": (path, outside) => symlinkSync(outside, path),
  "a symlink to nothing": (path) => symlinkSync("nowhere", path),
  "a pipe": (path) => void execFileSync("mkfifo", [path]),
  "an empty directory": (path) => mkdirSync(path),
  "a directory": (path) => {
    mkdirSync(path);
    writeFileSync(join(path, "file"), "in it");
  },
} satisfies Record<string, (path: string, outside: string) => void>;

/** Replaces what a path holds, which is moved out of the way. */
export function replace(path: string, make: (path: string) => void): void {
  renameSync(path, `${path}.moved`);
  make(path);
}

/** Describes what a path holds. */
export function describePlace(path: string): string {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return "nothing";
  if (stats.isFile()) return `file: ${readFileSync(path, "utf8")}`;
  if (stats.isSymbolicLink()) return `symlink: ${readlinkSync(path)}`;
  if (stats.isDirectory()) return `directory: ${readdirSync(path).join()}`;
  return stats.isFIFO() ? "pipe" : "something else";
}

/** The names of ours in a folder. */
export function asideIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith(".tele-sessions-"));
}
