import { parentPort } from "node:worker_threads";
import { RedisForgotError } from "../../model/errors.js";
import type { Survey } from "../../model/mark.js";
import type { Warn } from "../../model/warn.js";
import { ResilientConnection, shutdownGraceMs } from "../../redis/resilient-connection.js";
import { type PackedBatch, packBatch, unpackBatch } from "../../source/packed-files.js";
import { composeCopyLane } from "./compose-copy-lane.js";
import { composeVerifyLane } from "./compose-verify-lane.js";
import type { CopyLane, Lane, LaterPass, MainPass } from "./copy-lane.js";
import { type FromLane, type Port, packError, type ToLane } from "./lane-messages.js";
import type { LaneConnection } from "./lane-order.js";

/** What the main pass of a lane on a thread begins with. */
export interface ThreadMainPass extends MainPass {
  /** Names the data of the server that the run talks to; `undefined` where it may not be asked. */
  readonly historyId: string | undefined;
}

/** Serves a lane to the main thread: opens it, and carries out what is asked for. */
function serveLane(port: Port): void {
  const stop = new AbortController();
  const say = (message: FromLane) => port.postMessage(message);
  let methods: Methods | undefined;
  let close: (() => Promise<void>) | undefined;
  const serve = async (id: number, method: string, argument: unknown): Promise<void> => {
    try {
      const found = methods?.[method];
      if (found === undefined) throw new Error(`a lane has no ${method}`);
      say({ kind: "done", id, result: await found(argument) });
    } catch (error) {
      say({ kind: "failed", id, error: packError(error) });
    }
  };
  port.on("message", async (message: ToLane) => {
    switch (message.kind) {
      case "open":
        ({ methods, close } = openLane(message, say, stop.signal));
        return;
      case "stop":
        stop.abort();
        return;
      case "call":
        void serve(message.id, message.method, message.argument);
        return;
      case "close":
        await close?.();
        process.exit();
    }
  });
}

/** By name, with one argument; batches and errors are packed. */
type Methods = Readonly<Record<string, (argument: unknown) => Promise<unknown>>>;

function openLane(
  { command, order, connection: { target, retryForMs, names } }: Extract<ToLane, { readonly kind: "open" }>,
  say: (message: FromLane) => void,
  stop: AbortSignal,
): { readonly methods: Methods; readonly close: () => Promise<void> } {
  const connection = ResilientConnection.openAnother({
    target,
    retryForMs,
    // The main thread's own connection has been told the same.
    onWarning: () => undefined,
    ...(names === undefined ? {} : { name: names.copying }),
    stop,
  });
  stop.addEventListener("abort", () => setTimeout(() => void connection.close(), shutdownGraceMs).unref());
  const warn: Warn = (message, { evenIfQuiet = false } = {}) =>
    say({ kind: "warning", message, evenIfQuiet });
  const closeWith = (lane: Lane) => async () => {
    await lane.close();
    await connection.close();
  };
  if (command === "verify") {
    const lane = composeVerifyLane(order, { connection, stop });
    return { methods: methodsOf(lane, connection, names), close: closeWith(lane) };
  }
  const lane = composeCopyLane(order, { connection, warn, stop });
  const methods = { ...methodsOf(lane, connection, names), ...copyMethodsOf(lane, connection, names) };
  return { methods, close: closeWith(lane) };
}

/** The main thread says only what its own side of these methods takes. */
function methodsOf(lane: Lane, connection: ResilientConnection, names: LaneConnection["names"]): Methods {
  return {
    begin: async (argument) => {
      const main = argument as ThreadMainPass;
      await connection.beginAnew();
      if (names !== undefined) await connection.rename(names.copying);
      // It was restarted or replaced between both connections.
      if (connection.historyId !== main.historyId) throw new RedisForgotError();
      return lane.begin(main);
    },
    learn: (argument) => lane.learn(argument as Survey),
    work: async (argument) => {
      const result = await lane.work(unpackBatch(argument as PackedBatch));
      const packed = { ...result, deferred: packBatch(result.deferred) };
      return "error" in packed ? { ...packed, error: packError(packed.error) } : packed;
    },
  };
}

function copyMethodsOf(
  lane: CopyLane,
  connection: ResilientConnection,
  names: LaneConnection["names"],
): Methods {
  return {
    beginPass: (argument) => lane.beginPass(argument as LaterPass),
    changedOf: async (argument) => packBatch(await lane.changedOf(unpackBatch(argument as PackedBatch))),
    takeBackEnded: () => lane.takeBackEnded(),
    countMissing: () => lane.countMissing(),
    rest: async () => {
      if (names !== undefined) await connection.rename(names.resting);
    },
  };
}

if (parentPort !== null) serveLane(parentPort);
