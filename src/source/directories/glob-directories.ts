import { isUtf8 } from "node:buffer";
import { lstat, readdir, stat } from "node:fs";
import type { FileSystemAdapter } from "fast-glob";
import { SourceError, systemReason } from "../../model/errors.js";
import { showablePath } from "../../model/showable.js";

/** Whether a text contains glob characters. */
export async function isGlob(text: string): Promise<boolean> {
  const { default: fastGlob } = await import("fast-glob");
  return fastGlob.isDynamicPattern(text);
}

/**
 * The directories that a glob matches, sorted. Bytes that are not UTF-8 come back as lone
 * surrogates, as with Python's surrogateescape; other functions of Node cannot open such a path.
 *
 * @throws SourceError if a directory cannot be read.
 */
export async function globDirectories(glob: string, workingDirectory: string): Promise<string[]> {
  const { default: fastGlob } = await import("fast-glob");
  const options = {
    onlyDirectories: true,
    absolute: true,
    dot: true,
    unique: true,
    cwd: workingDirectory,
    fs: byteExact,
  };
  try {
    return (await fastGlob(anyCharacterAsClass(glob), options)).sort();
  } catch (error) {
    throw new SourceError(`${showablePath(glob)} cannot be searched: ${systemReason(error)}`);
  }
}

/** A path as messages show it, with bytes that are not UTF-8 written like `\xe9`. */
export function showableBytes(path: string): string {
  const parts = partsOf(path);
  return parts.map((part) => (typeof part === "number" ? `\\x${part.toString(16)}` : showablePath(part))).join("");
}

// The casts drop overloads that the library never calls with these options.
const byteExact: Partial<FileSystemAdapter> = {
  lstat: ((path, callback) => lstat(toBytes(path), callback)) as FileSystemAdapter["lstat"],
  stat: ((path, callback) => stat(toBytes(path), callback)) as FileSystemAdapter["stat"],
  readdir: ((path, _options, callback) =>
    readdir(toBytes(path), { withFileTypes: true, encoding: "buffer" }, (error, entries) =>
      callback(error, error ? [] : entries.map((entry) => Object.assign(entry, { name: toText(entry.name) }))),
    )) as FileSystemAdapter["readdir"],
};

function toBytes(path: string): Buffer {
  return Buffer.concat(partsOf(path).map((part) => (typeof part === "number" ? Buffer.of(part) : Buffer.from(part))));
}

/** The texts in a path, and between them the bytes that are not UTF-8, as numbers. */
function partsOf(path: string): (string | number)[] {
  return path.split(/([\udc80-\udcff])/u).map((part, place) => (place % 2 === 1 ? part.charCodeAt(0) - 0xdc00 : part));
}

function toText(name: Buffer): string {
  if (isUtf8(name)) return name.toString("utf8");
  let text = "";
  for (let at = 0; at < name.length; ) {
    const length = [1, 2, 3, 4].find((count) => isUtf8(name.subarray(at, at + count)));
    text += length ? name.toString("utf8", at, at + length) : String.fromCharCode(0xdc00 + (name[at] ?? 0));
    at += length ?? 1;
  }
  return text;
}

/** The glob library finds no directories for a bare `?`, but does for an equivalent class. */
function anyCharacterAsClass(glob: string): string {
  return glob.replace(/\\.|\[[^\]]*\]|\?(?!\()/g, (part) => (part === "?" ? "[^/]" : part));
}
