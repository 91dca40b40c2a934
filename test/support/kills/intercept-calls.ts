import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename } from "node:path";

const intercepted = [
  "opendirSync",
  "openSync",
  "readSync",
  "lstatSync",
  "renameSync",
  "linkSync",
  "unlinkSync",
] as const;

/** A function of node:fs that a purge is made of. */
export type FileCall = (typeof intercepted)[number];

/** A call into the file system that is about to be made. */
export interface PendingCall {
  readonly name: FileCall;
  /** The paths that it was given: one, two, or none where it was given a descriptor. */
  readonly paths: readonly string[];
  /** Makes the call. Throws what it throws. */
  readonly proceed: () => unknown;
}

/**
 * Has these calls of this process go through `around`, which gives back their results; what
 * `around` calls itself goes straight. Gives back what ends that.
 */
export function interceptCalls(around: (call: PendingCall) => unknown): () => void {
  let within = false;
  const originals = intercepted.map((name) => [name, functionOf(name)] as const);
  for (const [name, original] of originals) {
    const through = (...args: unknown[]): unknown => {
      const proceed = () => Reflect.apply(original, fs, args);
      if (within) return proceed();
      within = true;
      try {
        return around({ name, paths: args.filter((one) => typeof one === "string"), proceed });
      } finally {
        within = false;
      }
    };
    Reflect.set(fs, name, Object.assign(through, original));
  }
  // A purge whose files are waited for opens many at a time. What it opened counts from then on.
  const { open } = fs;
  const opening = (path: string, flags: number, callback: (error: unknown, descriptor: number) => void) =>
    open(path, flags, (error, descriptor) => {
      if (error === null && !within) {
        within = true;
        try {
          around({ name: "openSync", paths: [path], proceed: () => descriptor });
        } finally {
          within = false;
        }
      }
      callback(error, descriptor);
    });
  Reflect.set(fs, "open", Object.assign(opening, open));
  syncBuiltinESMExports();
  return () => {
    Reflect.set(fs, "open", open);
    for (const [name, original] of originals) Reflect.set(fs, name, original);
    syncBuiltinESMExports();
  };
}

/** A moment in a run, by the calls that concern one session file. */
export interface Moment {
  readonly side: "before" | "after";
  readonly call: FileCall;
  /** The file's own name; calls with the name that it was set aside under are meant too. */
  readonly file: string;
  /** Which of these calls, from 1, which it is by default. */
  readonly at?: number;
}

/**
 * Does something at each of some moments, once. What is done before a call may throw in its stead.
 * Gives back what ends that.
 */
export function tamper(moments: readonly (Moment & { readonly action: () => void })[]): () => void {
  const counts = moments.map(() => 0);
  return interceptCalls(({ name, paths, proceed }) => {
    const due = moments.filter(({ call, file, at = 1 }, index) => {
      if (call !== name || ownName(paths[0] ?? "") !== file) return false;
      counts[index] = (counts[index] ?? 0) + 1;
      return counts[index] === at;
    });
    for (const { side, action } of due) if (side === "before") action();
    const result = proceed();
    for (const { side, action } of due) if (side === "after") action();
    return result;
  });
}

/** The last part of a path, without what a file's name has before it while it is set aside. */
export function ownName(path: string): string {
  return basename(path).replace(/^\.tele-sessions-\d+-[0-9a-f]{16}-/, "");
}

/** The error that the system answers a call with. */
export function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

function functionOf(name: FileCall): (...args: unknown[]) => unknown {
  const found: unknown = Reflect.get(fs, name);
  if (typeof found !== "function") throw new Error(`node:fs has no ${name}`);
  return (...args) => Reflect.apply(found, fs, args);
}
