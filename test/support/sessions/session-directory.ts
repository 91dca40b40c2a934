import { mkdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Layout, SessionFile } from "../../../src/model/session-file.js";
import { makeTemporaryDirectory } from "../process/temporary-directory.js";

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/** The sid of a session with a number: 40 hex digits. */
export function sidOf(number: number): string {
  return number.toString(16).padStart(4, "0").padEnd(40, "e");
}

/** A session of somebody who is logged in, as Python writes it: its file equals its value. */
export function sessionText(note: string | number = 1): string {
  return `{"db": "d", "uid": 1, "note": ${JSON.stringify(note)}}`;
}

/** Bytes of any length that are a session. */
export function sessionOfLength(length: number): string {
  return sessionText("x".repeat(length - sessionText("").length));
}

/** How a session file is saved: flat and an hour ago by default. */
export interface SavedAs {
  readonly layout?: Layout;
  readonly mtimeMs?: number;
}

/** A session directory and what servers do in it. */
export class SessionDirectory {
  readonly path = makeTemporaryDirectory();

  /** The file of a session, whether or not it is there. */
  file(number: number, layout: Layout = "flat"): SessionFile {
    const sid = sidOf(number);
    const name = layout === "flat" ? `werkzeug_${sid}.sess` : `${sid.slice(0, 2)}/${sid}`;
    return { directory: this.path, name, layout, sid };
  }

  /** Saves a session file as servers do: under another name, then renamed to its own. */
  save(number: number, content: string, { layout = "flat", mtimeMs }: SavedAs = {}): SessionFile {
    const file = this.file(number, layout);
    const path = join(this.path, file.name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.__wz_sess`, content);
    const savedAt = (mtimeMs ?? Date.now() - hourMs) / 1000;
    utimesSync(`${path}.__wz_sess`, savedAt, savedAt);
    renameSync(`${path}.__wz_sess`, path);
    return file;
  }
}
