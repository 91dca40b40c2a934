import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { Socket } from "node:net";
import { isMainThread, threadId } from "node:worker_threads";
import { type WatchedRun, type Work, watchVariable } from "./kill-point.js";
import { parseReply } from "./redis-client.js";

/** Synchronous functions that take a path, or two, or a descriptor. Closing a descriptor changes nothing and is not counted. */
const watchedFunctions = [
  ...["openSync", "readSync", "fstatSync", "lstatSync", "statSync", "opendirSync", "readdirSync"],
  ...["renameSync", "linkSync", "unlinkSync", "rmSync", "rmdirSync", "mkdirSync"],
  ...["writeSync", "writeFileSync", "copyFileSync", "truncateSync", "ftruncateSync", "utimesSync"],
] as const;

/**
 * Counts the work of the run that it is loaded into (`--import`) and kills it, -9, where it is told to. It is loaded into worker
 * threads too: each counts for itself, and the first that comes to the point ends them all.
 */
function watchWork({ directory, redisPort, point, log }: WatchedRun): void {
  const work: Work[] = [];
  const counts = { reply: 0, "file operation": 0 };

  function isNext(kind: Work["kind"], side: "before" | "after"): boolean {
    return point?.kind === kind && point.side === side && point.at === counts[kind] + 1;
  }

  function note(done: Work): void {
    counts[done.kind] += 1;
    if (log !== undefined) work.push(done);
  }

  watchFiles(directory, (name, path, call) => {
    if (isNext("file operation", "before")) endAtOnce();
    const last = isNext("file operation", "after");
    try {
      return call();
    } finally {
      if (last) endAtOnce();
      note({ kind: "file operation", name, path });
    }
  });

  watchReplies(redisPort, (type) => {
    if (isNext("reply", "before")) return "end before";
    const last = isNext("reply", "after");
    note({ kind: "reply", type });
    return last ? "end after" : "go on";
  });

  if (log === undefined) return;
  const path = isMainThread ? log : `${log}.${threadId}`;
  process.on("exit", () => fs.writeFileSync(path, JSON.stringify(work)));
}

function endAtOnce(): void {
  process.kill(process.pid, "SIGKILL");
}

/** Has every call that concerns the directory go through `watch`, also those by a descriptor opened in it. */
function watchFiles(
  directory: string,
  watch: (name: string, path: string, call: () => unknown) => unknown,
): void {
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
      const result = watch(name, path, () => Reflect.apply(original, fs, args));
      if (name === "openSync" && typeof result === "number") opened.set(result, path);
      return result;
    };
    Reflect.set(fs, name, Object.assign(watched, original));
  }
  const close = fs.closeSync;
  Reflect.set(fs, "closeSync", (descriptor: number): void => {
    opened.delete(descriptor);
    close(descriptor);
  });
  syncBuiltinESMExports();
}

function functionOf(name: (typeof watchedFunctions)[number]): (...args: unknown[]) => unknown {
  const found: unknown = Reflect.get(fs, name);
  if (typeof found !== "function") throw new Error(`node:fs has no ${name}`);
  return (...args) => Reflect.apply(found, fs, args);
}

type Verdict = "go on" | "end before" | "end after";

/** Has `judge` told of every whole reply on connections to that port, and ends the run where it says so. */
function watchReplies(port: number, judge: (type: string) => Verdict): void {
  const emit: unknown = Socket.prototype.emit;
  if (typeof emit !== "function") throw new Error("node:net has other sockets than this was written for");
  const unfinished = new WeakMap<Socket, Buffer>();
  let isEnding = false;

  function takeChunk(socket: Socket, chunk: Buffer, deliver: (bytes: Buffer) => void): void {
    if (isEnding) return;
    const held = unfinished.get(socket)?.length ?? 0;
    const bytes = Buffer.concat([unfinished.get(socket) ?? Buffer.alloc(0), chunk]);
    let start = 0;
    for (let parsed = parseReply(bytes, start); "reply" in parsed; parsed = parseReply(bytes, start)) {
      const verdict = judge(String.fromCharCode(bytes[start] ?? 0));
      if (verdict === "end before") {
        if (start > held) deliver(chunk.subarray(0, start - held));
        endAtOnce();
      }
      start = parsed.end;
      if (verdict === "end after") {
        isEnding = true;
        deliver(chunk.subarray(0, start - held));
        // What the run does upon the reply is done by then; no other reply comes through.
        setImmediate(endAtOnce);
        return;
      }
    }
    unfinished.set(socket, bytes.subarray(start));
    deliver(chunk);
  }

  Reflect.set(Socket.prototype, "emit", function (this: Socket, ...args: unknown[]): unknown {
    const [event, chunk] = args;
    if (event !== "data" || !Buffer.isBuffer(chunk) || this.remotePort !== port)
      return Reflect.apply(emit, this, args);
    takeChunk(this, chunk, (bytes) => Reflect.apply(emit, this, ["data", bytes]));
    return true;
  });
}

const told = process.env[watchVariable];
if (told === undefined) throw new Error(`${watchVariable} is not set`);
const run: WatchedRun = JSON.parse(told);
watchWork(run);
