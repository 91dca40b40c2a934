import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { errorCode, orElse } from "../model/errors.js";
import type { FailureReason } from "../model/outcome.js";
import {
  type ExactStamp,
  type FileStamp,
  fileTimeSlackMs,
  type ReadSession,
  type SessionFile,
} from "../model/session-file.js";
import { explainUnread } from "./directories/explain-unread.js";
import { isUnchanged } from "./file-identity.js";
import { layouts } from "./layouts.js";
import { ReadBlocks } from "./read-blocks.js";
import { retryWhileShort } from "./retry-while-short.js";

/** The result of reading a session file. */
export type Reading =
  | { readonly kind: "read"; readonly read: ReadSession; readonly stamp: FileStamp }
  /** Gone since it was listed. */
  | { readonly kind: "vanished" }
  /** No bytes. A full disk leaves such files; they hold no session. */
  | { readonly kind: "empty" }
  /** No longer a regular file. */
  | { readonly kind: "ignored" }
  | { readonly kind: "failed"; readonly reason: FailureReason; readonly detail: string };

/** A reading with the exact stamp that a removal compares. */
export type ExactReading =
  | Exclude<Reading, { readonly kind: "read" }>
  | (Extract<Reading, { readonly kind: "read" }> & { readonly exact: ExactStamp });

/** Never blocks on a pipe, never follows a symlink at the end of the path. */
export const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const blocks = new ReadBlocks();
const maxReads = 5;
const changedRepeatedly = {
  kind: "failed",
  reason: "changed-repeatedly",
  detail: `at each of ${maxReads} reads`,
} as const;
/** Error codes of a name that has become a symlink or a socket since it was listed. */
export const noFileCodes: ReadonlySet<string> = new Set(["ELOOP", "ENXIO", "EMLINK"]);

/**
 * Reads a session file, which may have moved to its scattered place, whole and unchanged while it
 * was read. Fails a file of more than `maxFileSize` bytes without reading it. System errors are
 * results too; only bugs are thrown.
 */
export function readSessionFile(file: SessionFile, maxFileSize: number): Reading {
  const reading = readPlace(`${file.directory}/${file.name}`, maxFileSize, readOpened);
  if (reading.kind !== "vanished" || file.layout !== "flat") return reading;
  // Odoo 16 moves a flat file to its scattered place on first use [odoo/http.py 16.0].
  const moved = `${file.directory}/${layouts.scattered.nameOf(file.sid)}`;
  return isSymlink(dirname(moved)) ? reading : readPlace(moved, maxFileSize, readOpened);
}

/** Whether a symlink is in a scatter folder's place: no scan follows it, so neither do we. */
function isSymlink(path: string): boolean {
  // If it cannot be statted, reading from the folder will say why.
  return orElse(false, () => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true);
}

/**
 * Reads a session file at one path only, with the stamp that tells it from a file that takes its
 * place. System errors are results; only bugs are thrown.
 */
export function readPlaceExactly(path: string, maxFileSize: number): ExactReading {
  return readPlace(path, maxFileSize, readOpenedExactly);
}

function readPlace<Result extends Reading>(
  path: string,
  maxFileSize: number,
  readDescriptor: (descriptor: number, openedAtMs: number, maxFileSize: number) => Result,
): Result | Exclude<Reading, { readonly kind: "read" }> {
  const openedAtMs = Date.now();
  try {
    const descriptor = retryWhileShort(() => openSync(path, openFlags));
    try {
      return readDescriptor(descriptor, openedAtMs, maxFileSize);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return { kind: "vanished" };
    if (noFileCodes.has(code)) return { kind: "ignored" };
    return { kind: "failed", reason: "unreadable", detail: explainUnread(path, code) };
  }
}

/** Reads an open file, whole and unchanged while it was read. Throws the system's error. */
export function readOpened(descriptor: number, openedAtMs: number, maxFileSize: number): Reading {
  return readSettled(descriptor, openedAtMs, maxFileSize) ?? readBetweenStats(descriptor, openedAtMs, maxFileSize);
}

/**
 * Reads a small file that has not been written to since it was opened, with one stat after the
 * read: its times show any write during the read. `undefined` for any other file, which needs more
 * care.
 */
function readSettled(descriptor: number, openedAtMs: number, maxFileSize: number): Reading | undefined {
  const bytes = blocks.read(descriptor);
  if (bytes === undefined) return undefined;
  const stamp = fstatSync(descriptor);
  const isSettled = Math.max(stamp.mtimeMs, stamp.ctimeMs) < openedAtMs - fileTimeSlackMs;
  if (!isSettled || !stamp.isFile() || bytes.length !== stamp.size || stamp.size > maxFileSize) return undefined;
  return { kind: "read", read: { bytes, mtimeMs: stamp.mtimeMs, openedAtMs }, stamp };
}

function readBetweenStats(descriptor: number, openedAtMs: number, maxFileSize: number): Reading {
  for (let reads = 0; reads < maxReads; reads++) {
    const before = fstatSync(descriptor);
    if (!before.isFile()) return { kind: "ignored" };
    if (before.size === 0) return { kind: "empty" };
    if (before.size > maxFileSize) {
      return { kind: "failed", reason: "too-large", detail: `a file of ${before.size} bytes` };
    }
    const bytes = readWhole(descriptor, before.size);
    const after = fstatSync(descriptor);
    if (bytes.length === before.size && after.size === before.size && after.mtimeMs === before.mtimeMs) {
      return { kind: "read", read: { bytes, mtimeMs: before.mtimeMs, openedAtMs }, stamp: before };
    }
  }
  return changedRepeatedly;
}

/** As `readOpened`, with the exact stamp. Throws the system's error. */
export function readOpenedExactly(descriptor: number, openedAtMs: number, maxFileSize: number): ExactReading {
  for (let reads = 0; reads < maxReads; reads++) {
    const before = exactStampOf(descriptor);
    const reading = readOpened(descriptor, openedAtMs, maxFileSize);
    if (reading.kind !== "read") return reading;
    const exact = exactStampOf(descriptor);
    if (isUnchanged(exact, before)) return { ...reading, exact };
  }
  return changedRepeatedly;
}

/** Only the fields that are compared, because a purge keeps very many of these. */
function exactStampOf(descriptor: number): ExactStamp {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(descriptor, { bigint: true });
  return { dev, ino, size, mtimeNs, ctimeNs };
}

/** Reads a file of that size. One byte more comes back if it grew, fewer if it shrank. */
function readWhole(descriptor: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size + 1);
  let filled = 0;
  for (;;) {
    const count = readSync(descriptor, bytes, filled, size + 1 - filled, filled);
    filled += count;
    if (count === 0 || filled >= size) return bytes.subarray(0, filled);
  }
}
