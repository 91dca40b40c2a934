import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import type { Readable } from "node:stream";
import { caretaker } from "../../test/support/process/caretaker.js";
import type { Start } from "./contestants.js";
import { watchTreeMemory } from "./tree-memory.js";

/** What one process took, from before its start until after its end. */
export interface Taken {
  readonly seconds: number;
  /** Of the processor, in the program and in the system for it, all threads together. */
  readonly processorSeconds: number;
  /** The largest resident memory of the whole process tree: see `watchTreeMemory`. */
  readonly peakBytes: number;
  readonly stdout: string;
}

export interface TimedRunOptions {
  /** The program of `native/measure_run.c`. */
  readonly measurer: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const timeLimitMs = 1_800_000;

/** Runs a process and measures it. Throws where it does not end with 0, with what it wrote to stderr. */
export async function timedRun(
  { command, input }: Start,
  { measurer, environment, cwd }: TimedRunOptions,
): Promise<Taken> {
  const inputFile = input === undefined ? undefined : openSync(input, "r");
  try {
    const began = performance.now();
    const child = spawn(measurer, [...command], {
      cwd,
      env: environment,
      stdio: [inputFile ?? "ignore", "pipe", "pipe", "pipe"],
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`${measurer} cannot be started.`);
    const spare = caretaker.killAtEnd(pid);
    const memory = watchTreeMemory(pid);
    const [, stdout, stderr, counted] = child.stdio.map(collect);
    const limit = setTimeout(() => child.kill("SIGKILL"), timeLimitMs);
    let ended = began;
    child.once("exit", () => {
      ended = performance.now();
      spare();
    });
    const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearTimeout(limit);
    const watchedBytes = memory.stop();
    const [peakKiB = Number.NaN, userUs = Number.NaN, systemUs = Number.NaN] = (counted?.() ?? "")
      .trim()
      .split(" ")
      .map(Number);
    if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}\n${stderr?.()}`);
    return {
      seconds: (ended - began) / 1000,
      processorSeconds: (userUs + systemUs) / 1e6,
      peakBytes: Math.max(peakKiB * 1024, watchedBytes),
      stdout: stdout?.() ?? "",
    };
  } finally {
    if (inputFile !== undefined) closeSync(inputFile);
  }
}

/** Reads a stream and gives what came of it until now. */
function collect(stream: unknown): () => string {
  const parts: string[] = [];
  if (isReadable(stream)) stream.setEncoding("utf8").on("data", (text: string) => parts.push(text));
  return () => parts.join("");
}

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === "object" && stream !== null && "setEncoding" in stream;
}
