import type { MessagePort } from "node:worker_threads";
import { RedisError, RedisForgotError, SourceError } from "../../model/errors.js";
import type { PackedBatch } from "../../source/packed-files.js";
import type { LaneConnection, LaneOrder } from "./lane-order.js";
import type { LaneResult } from "./lane-result.js";

/** What the main thread says to a lane's. */
export type ToLane =
  | {
      readonly kind: "open";
      readonly command: "copy" | "verify";
      readonly order: LaneOrder;
      readonly connection: LaneConnection;
    }
  | { readonly kind: "call"; readonly id: number; readonly method: string; readonly argument: unknown }
  | { readonly kind: "stop" }
  /** The lane is closed, and the thread ends. */
  | { readonly kind: "close" };

/** What a lane's thread says to the main one. */
export type FromLane =
  | { readonly kind: "done"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failed"; readonly id: number; readonly error: PackedError }
  | { readonly kind: "warning"; readonly message: string; readonly evenIfQuiet: boolean };

/** Where messages of this kind go to and come from. */
export type Port = Pick<MessagePort, "postMessage" | "on">;

/** What a lane gives back, as it crosses threads. */
export type PackedResult<R extends LaneResult = LaneResult> = Omit<R, "deferred"> & {
  readonly deferred: PackedBatch;
};

/** An error as it crosses threads, where classes do not. */
export interface PackedError {
  readonly type: "RedisError" | "RedisForgotError" | "SourceError" | "bug";
  readonly kind: RedisError["kind"];
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

export function packError(error: unknown): PackedError {
  const known = error instanceof Error ? error : new Error("what was thrown is no error");
  const classes = { RedisError, RedisForgotError, SourceError };
  const names = Object.keys(classes) as (keyof typeof classes)[];
  return {
    type: names.find((name) => known instanceof classes[name]) ?? "bug",
    kind: known instanceof RedisError ? known.kind : "unavailable",
    name: known.name,
    message: known.message,
    stack: known.stack,
  };
}

export function unpackError({ type, kind, name, message, stack }: PackedError): Error {
  switch (type) {
    case "RedisError":
      return new RedisError(kind, message);
    case "RedisForgotError":
      return new RedisForgotError(message);
    case "SourceError":
      return new SourceError(message);
    case "bug":
      return Object.assign(new Error(message), { name, stack });
  }
}
