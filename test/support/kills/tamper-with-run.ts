import fs from "node:fs";
import { basename } from "node:path";
import { makeRandom } from "../random.js";
import { interceptCalls, ownName, tamper } from "./intercept-calls.js";
import { type FileWork, type FoundContent, type TamperedRun, tamperVariable } from "./tampered-run.js";

const sessionName = /^(?:werkzeug_[0-9a-f]{40}\.sess|[0-9a-f]{40})$/;

/** Does to the run that it is loaded into (`--import`) what it is told to. */
function tamperWithRun({ moments, log, pauses }: TamperedRun): void {
  if (moments !== undefined) {
    tamper(
      moments.map(({ steps, ...moment }) => ({
        ...moment,
        action: () => {
          for (const [name, ...args] of steps) perform(name, args);
        },
      })),
    );
  }
  if (log === undefined && pauses === undefined) return;
  const work: FileWork[] = [];
  watch(work, pauses === undefined ? () => undefined : makePause(pauses));
  if (log !== undefined) process.on("exit", () => fs.writeFileSync(log, JSON.stringify(work)));
}

function perform(name: string, args: readonly unknown[]): void {
  const found: unknown = Reflect.get(fs, name);
  if (typeof found !== "function") throw new Error(`node:fs has no ${name}`);
  Reflect.apply(found, fs, args);
}

/** Takes note of what is read and removed. What is linked to its own name before is not removed. */
function watch(work: FileWork[], pause: () => void): void {
  const seen = new Map<string, (FoundContent & { readonly size: number }) | undefined>();
  const linked = new Set<string>();
  interceptCalls(({ name, paths, proceed }) => {
    const [path = "", target = ""] = paths;
    const file = ownName(path);
    if (!sessionName.test(file)) return proceed();
    const isAside = basename(path) !== file;
    if (name === "renameSync" || isAside) pause();
    if (name === "unlinkSync" && !linked.delete(path)) {
      const standing = seen.get(file);
      const removed = foundAt(path);
      const result = proceed();
      work.push({ kind: "removed", file, ...removed, ...(standing === undefined ? {} : { standing }) });
      return result;
    }
    if (name === "renameSync" && sessionName.test(basename(target))) {
      const replaced = fs.lstatSync(target, { throwIfNoEntry: false }) && foundAt(target);
      const standing = { ...foundAt(path), size: fs.lstatSync(path).size };
      const result = proceed();
      if (replaced !== undefined) work.push({ kind: "removed", file, ...replaced, standing });
      return result;
    }
    const result = proceed();
    if (name === "linkSync") {
      linked.add(path);
      work.push({ kind: "put back", file, ...foundAt(path) });
    }
    // What stood there before is set aside now.
    if (name === "renameSync" && !isAside) seen.delete(file);
    if (name === "lstatSync" && !isAside) seen.set(file, isStats(result) ? seenOf(result) : undefined);
    if (name === "openSync" && !isAside && typeof result === "number") {
      work.push({ kind: "read", file, ...foundIn(result) });
    }
    return result;
  });
}

function isStats(result: unknown): result is fs.Stats | fs.BigIntStats {
  return typeof result === "object" && result !== null && "mtimeMs" in result;
}

/** What a look at a name told the run: whatever it is, its content is not part of that. */
function seenOf(stats: fs.Stats | fs.BigIntStats): FoundContent & { readonly size: number } {
  const mtimeNs = "mtimeNs" in stats ? stats.mtimeNs : BigInt(Math.floor(stats.mtimeMs * 1e6));
  return { mtimeNs: String(mtimeNs), size: Number(stats.size), ...(stats.isFile() ? { content: "" } : {}) };
}

function foundAt(path: string): FoundContent {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return { mtimeNs: "0" };
  }
  try {
    return foundIn(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Read without moving the place that the run reads from. */
function foundIn(descriptor: number): FoundContent {
  const stats = fs.fstatSync(descriptor, { bigint: true });
  const mtimeNs = String(stats.mtimeNs);
  if (!stats.isFile()) return { mtimeNs };
  const bytes = Buffer.alloc(Number(stats.size));
  const length = fs.readSync(descriptor, bytes, 0, bytes.length, 0);
  return { mtimeNs, content: bytes.toString("latin1", 0, length) };
}

function makePause({ seed, share, milliseconds }: NonNullable<TamperedRun["pauses"]>): () => void {
  const random = makeRandom(seed);
  const nobodyWakes = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  return () => {
    if (random() < share) Atomics.wait(nobodyWakes, 0, 0, milliseconds);
  };
}

const told = process.env[tamperVariable];
if (told === undefined) throw new Error(`${tamperVariable} is not set`);
const run: TamperedRun = JSON.parse(told);
tamperWithRun(run);
