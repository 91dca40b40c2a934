import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";
import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from "node:worker_threads";
import { parseReply } from "../servers/redis-client.js";
import { type KillPoint, type NumberedWork, type WatchedRun, type Work, watchVariable } from "./kill-point.js";

/**
 * Synchronous functions that take a path, or two, or a descriptor. Closing a descriptor changes
 * nothing and is not counted.
 */
const watchedFunctions = [
  ...["openSync", "readSync", "fstatSync", "lstatSync", "statSync", "existsSync", "opendirSync", "readdirSync"],
  ...["renameSync", "linkSync", "unlinkSync", "rmSync", "rmdirSync", "mkdirSync"],
  ...["writeSync", "writeFileSync", "copyFileSync", "truncateSync", "ftruncateSync", "utimesSync"],
] as const;

/**
 * Functions that do the same later and then call back: by which a run reads depends on how long its
 * file system lets it wait.
 */
const awaitedFunctions = {
  open: "openSync",
  read: "readSync",
  lstat: "lstatSync",
  access: "existsSync",
} as const satisfies Record<string, (typeof watchedFunctions)[number]>;

/**
 * Counts the work of the run that it is loaded into (`--import`) and ends it where it is told to.
 * It is loaded into worker threads too: they all count together, and the one that comes to the
 * point ends them all.
 */
function watchWork({ directory, redisPorts, point, signal = "SIGKILL", log }: WatchedRun): void {
  const work: NumberedWork[] = [];
  const counts = sharedCounts();

  /** Takes note of what is done next, and tells on which side of it the run ends, if it does. */
  function note(next: Work): KillPoint["side"] | undefined {
    if (log !== undefined) work.push({ ...next, number: Atomics.add(counts, 0, 1) });
    if (next.kind !== point?.kind) return undefined;
    if (next.kind === "file operation" && next.name !== (point.name ?? next.name)) return undefined;
    return Atomics.add(counts, 1, 1) + 1 === point.at ? point.side : undefined;
  }

  const end = (): void => {
    process.kill(process.pid, signal);
  };
  watchFiles(directory, (name, path) => {
    const side = note({ kind: "file operation", name, path });
    if (side === "before") end();
    return () => {
      if (side === "after") end();
    };
  });
  watchReplies(redisPorts, (type) => note({ kind: "reply", type }), end);

  if (log === undefined) return;
  const path = isMainThread ? log : `${log}.${threadId}`;
  process.on("exit", () => fs.writeFileSync(path, JSON.stringify(work)));
}

/** What is counted by all threads: all work, and that which the point is one of. */
function sharedCounts(): Int32Array {
  const known: unknown = getEnvironmentData(watchVariable);
  const shared = known instanceof SharedArrayBuffer ? known : new SharedArrayBuffer(8);
  setEnvironmentData(watchVariable, shared);
  return new Int32Array(shared);
}

/**
 * Has `watch` told of every call that concerns the directory, also of those by a descriptor opened
 * in it, and calls what that gives back once the call is done.
 */
function watchFiles(directory: string, watch: (name: string, path: string) => () => void): void {
  const opened = new Map<number, string>();

  function pathOf(argument: unknown): string | undefined {
    if (typeof argument === "number") return opened.get(argument);
    if (typeof argument !== "string") return undefined;
    if (argument === directory || argument.startsWith(`${directory}/`)) return argument;
    const [, descriptor, rest = ""] = /^\/proc\/self\/fd\/(\d+)(\/.*)?$/.exec(argument) ?? [];
    const parent = descriptor === undefined ? undefined : opened.get(Number(descriptor));
    return parent === undefined ? undefined : parent + rest;
  }

  for (const name of watchedFunctions) {
    const original = functionOf(name);
    const watched = (...args: unknown[]): unknown => {
      const path = pathOf(args[0]) ?? pathOf(args[1]);
      if (path === undefined) return Reflect.apply(original, fs, args);
      const done = watch(name, path);
      try {
        const result = Reflect.apply(original, fs, args);
        if (name === "openSync" && typeof result === "number") opened.set(result, path);
        return result;
      } finally {
        done();
      }
    };
    Reflect.set(fs, name, Object.assign(watched, original));
  }
  for (const [name, countedAs] of Object.entries(awaitedFunctions)) {
    const original = functionOf(name);
    Reflect.set(fs, name, (...args: unknown[]): unknown => {
      const path = pathOf(args[0]);
      const callback = args.at(-1);
      if (path === undefined || typeof callback !== "function") return Reflect.apply(original, fs, args);
      const done = watch(countedAs, path);
      const calledBack = (...results: unknown[]) => {
        if (name === "open" && typeof results[1] === "number") opened.set(results[1], path);
        done();
        Reflect.apply(callback, undefined, results);
      };
      return Reflect.apply(original, fs, [...args.slice(0, -1), calledBack]);
    });
  }
  const close = fs.closeSync;
  Reflect.set(fs, "closeSync", (descriptor: number): void => {
    opened.delete(descriptor);
    close(descriptor);
  });
  syncBuiltinESMExports();
}

function functionOf(name: string): (...args: unknown[]) => unknown {
  const found: unknown = Reflect.get(fs, name);
  if (typeof found !== "function") throw new Error(`node:fs has no ${name}`);
  return (...args) => Reflect.apply(found, fs, args);
}

/**
 * Has `note` told of every whole reply on connections to these ports, and calls `end` on the side of
 * it that `note` gives back.
 */
function watchReplies(
  ports: readonly number[],
  note: (type: string) => KillPoint["side"] | undefined,
  end: () => void,
): void {
  const emit: unknown = Socket.prototype.emit;
  if (typeof emit !== "function") throw new Error("node:net has other sockets than this was written for");
  const unfinished = new WeakMap<Socket, Buffer>();

  function takeChunk(socket: Socket, chunk: Buffer, deliver: (bytes: Buffer) => void): void {
    const held = unfinished.get(socket) ?? Buffer.alloc(0);
    const bytes = Buffer.concat([held, chunk]);
    let delivered = held.length;
    const deliverTo = (offset: number): void => {
      if (offset > delivered) deliver(bytes.subarray(delivered, offset));
      delivered = Math.max(delivered, offset);
    };

    let start = 0;
    for (let parsed = parseReply(bytes, start); "reply" in parsed; parsed = parseReply(bytes, start)) {
      const side = note(String.fromCharCode(bytes[start] ?? 0));
      if (side === "before") {
        deliverTo(start);
        end();
      }
      start = parsed.end;
      if (side !== "after") continue;
      deliverTo(start);
      unfinished.delete(socket);
      socket.pause();
      // What the run does upon the reply is done by then.
      setImmediate(() => {
        end();
        takeChunk(socket, bytes.subarray(start), deliver);
        socket.resume();
      });
      return;
    }
    unfinished.set(socket, bytes.subarray(start));
    deliverTo(bytes.length);
  }

  Reflect.set(Socket.prototype, "emit", function (this: Socket, ...args: unknown[]): unknown {
    const [event, chunk] = args;
    if (event !== "data" || !Buffer.isBuffer(chunk) || !ports.includes(this.remotePort ?? 0))
      return Reflect.apply(emit, this, args);
    takeChunk(this, chunk, (bytes) => Reflect.apply(emit, this, ["data", bytes]));
    return true;
  });
}

const told = process.env[watchVariable];
if (told === undefined) throw new Error(`${watchVariable} is not set`);
const run: WatchedRun = JSON.parse(told);
watchWork(run);
