import { lstatSync } from "node:fs";
import { basename, dirname } from "node:path";
import { errorCode } from "../../model/errors.js";
import type { ExactStamp, SessionFile } from "../../model/session-file.js";
import { OpenDirectory } from "../open-directory.js";
import { ReadAhead } from "../read-ahead.js";
import { type ExactReading, readOpenedExactly, readPlaceExactly } from "../read-session-file.js";
import { isModifiedSince } from "../recent-files.js";
import { type RemovalDenial, removalDenial } from "./removal-denial.js";
import { type Removal, removeSessionFile } from "./remove-session-file.js";

/** Session directories, opened once, and the files in them. */
export type OpenFiles = ReturnType<typeof openFiles>;

/**
 * Opens session directories and reaches their files only through the open descriptors.
 *
 * @throws SourceError if a directory cannot be opened.
 */
export function openFiles(directories: readonly string[], maxFileSize: number, startedMs: number) {
  const opened = new Map(directories.map((directory) => [directory, new OpenDirectory(directory)]));
  let isInUse = false;
  const denials = new Map<string, RemovalDenial | undefined>();
  const folderOf = (file: SessionFile) => opened.get(file.directory)?.folderOf(file);
  const readInPlace = (file: SessionFile): ExactReading => {
    try {
      const folder = folderOf(file);
      if (folder === undefined) return { kind: "vanished" };
      return readPlaceExactly(`${folder}/${basename(file.name)}`, maxFileSize);
    } catch (error) {
      return { kind: "failed", reason: "unreadable", detail: errorCode(error) };
    }
  };
  const ahead = new ReadAhead({ read: readInPlace, readOpened: readOpenedExactly, maxFileSize });
  return {
    /** Reads the next files before their turn, many at a time, if each waits long. */
    prefetch: async (files: readonly SessionFile[]): Promise<void> => {
      if (!ahead.waits) return;
      for (const some of byFolder(files)) {
        const [first] = some;
        await opened
          .get(first.directory)
          ?.whileOpen(first, (folder) => ahead.prefetch(some, ({ name }) => `${folder}/${basename(name)}`));
      }
    },
    read: (file: SessionFile): ExactReading => {
      const reading = ahead.read(file);
      if (reading.kind === "read") isInUse ||= isModifiedSince(reading.stamp, startedMs);
      return reading;
    },
    remove: (file: SessionFile, exact: ExactStamp): Removal => {
      try {
        const folder = folderOf(file);
        if (folder === undefined) return { kind: "vanished" };
        const name = basename(file.name);
        const removal = removeSessionFile(folder, name, exact);
        // A save after the proof shows that a server is back.
        const there =
          removal.kind === "changed" ? lstatSync(`${folder}/${name}`, { throwIfNoEntry: false }) : undefined;
        if (there !== undefined) isInUse ||= isModifiedSince(there, startedMs);
        return removal;
      } catch (error) {
        return { kind: "failed", code: errorCode(error) };
      }
    },
    /** Why this process may not remove a file, and from which folder; `undefined` if it may. */
    denialOf: (file: SessionFile) => {
      const folder = folderNameOf(file);
      if (!denials.has(folder)) denials.set(folder, removalDenial(folder));
      const why = denials.get(folder);
      return why === undefined ? undefined : { folder, why };
    },
    /** Whether a server saved any of the files after `startedMs`. */
    isInUse: () => isInUse,
    close: () => {
      for (const directory of opened.values()) directory.close();
    },
  };
}

/** Files that follow each other in one folder. */
function byFolder(files: readonly SessionFile[]): [SessionFile, ...SessionFile[]][] {
  const groups: [SessionFile, ...SessionFile[]][] = [];
  for (const file of files) {
    const last = groups.at(-1);
    if (last !== undefined && folderNameOf(last[0]) === folderNameOf(file)) last.push(file);
    else groups.push([file]);
  }
  return groups;
}

function folderNameOf({ directory, name }: SessionFile): string {
  return dirname(`${directory}/${name}`);
}
