import { writtenFormatOf } from "../../convert/decide-export.js";
import { SettingsError } from "../../model/errors.js";
import type { RunOptions } from "../../model/run-options.js";
import { type FileFormat, type Layout, servers } from "../../model/session-file.js";
import { showablePath } from "../../model/showable.js";
import { statsAt } from "../../source/file-identity.js";
import { type Listing, spreadOver } from "../../source/list-sessions.js";
import { readSessionFile } from "../../source/read-session-file.js";
import { pathOf } from "../../source/recent-files.js";
import type { FileOwner } from "../../source/writing/session-file-writer.js";

/** Where session files are written, and how. */
export interface FileTarget {
  readonly directory: string;
  readonly layout: Layout;
  readonly format: FileFormat;
  readonly owner: FileOwner;
}

/** As servers give their session files [werkzeug/contrib/sessions.py]. */
const fileMode = 0o644;
/** Session files of a directory that are looked at, to see how its server writes them. */
const maxLookedAt = 50;
const maxFileSize = 16 * 2 ** 20;

/** What a directory shows of its server. */
interface Shown {
  readonly layout?: Layout;
  readonly format?: FileFormat;
  readonly mode: number;
}

/**
 * Chooses directory, layout and format: as they are named, or else as the directory holds sessions
 * already, or else as the server does.
 * @throws SettingsError if that leaves one open, or a server would not read the result.
 */
export function chooseFileTarget({ source, files }: RunOptions, listing: Listing): FileTarget {
  const [listed, ...others] = listing.directories;
  const isNamed = source.names.every((name) => statsAt(name)?.isDirectory() === true);
  if (listed === undefined || others.length > 0 || !isNamed) {
    throw new SettingsError(
      "session files are written to one directory that exists, and no glob: name it with --session-dir",
    );
  }
  const { directory } = listed;
  const shown = lookAt(listed);
  const server = files.server === null ? undefined : servers[files.server];
  const layout = files.layout ?? shown.layout ?? server?.layout;
  const name = files.format ?? shown.format?.name ?? server?.format.name;
  if (layout === undefined || name === undefined) {
    const open = [...(layout === undefined ? ["--layout"] : []), ...(name === undefined ? ["--format"] : [])];
    throw new SettingsError(
      `${showablePath(directory)} holds no session file that shows how the server writes them: give --server, ` +
        `or ${open.join(" and ")}`,
    );
  }
  refuseOther(`--server ${files.server}`, [
    ["--layout", layout, files.layout === null, server?.layout],
    ["--format", name, files.format === null, server?.format.name],
  ]);
  const known = [server?.format, shown.format].find((one) => one?.name === name);
  // Every Python reads protocol 2.
  const format: FileFormat = known ?? (name === "json" ? { name } : { name, protocol: 2 });
  const { uid, gid } = statsAt(directory) ?? { uid: 0, gid: 0 };
  return { directory, layout, format, owner: { uid, gid, mode: shown.mode } };
}

/** How the latest of some session files is written, and where they lie. */
function lookAt({ sample }: Listing["directories"][number]): Shown {
  // Servers that scatter move flat files on their first use.
  const layout: Layout = sample.some((file) => file.layout === "scattered") ? "scattered" : "flat";
  const found = sample.length === 0 ? {} : { layout };
  let latestMs = 0;
  let seen: Shown = { ...found, mode: fileMode };
  for (const file of spreadOver(sample, maxLookedAt)) {
    const reading = readSessionFile(file, maxFileSize);
    if (reading.kind !== "read" || reading.read.mtimeMs < latestMs) continue;
    latestMs = reading.read.mtimeMs;
    const mode = (statsAt(pathOf(file))?.mode ?? fileMode) & 0o777;
    seen = { ...found, format: writtenFormatOf(reading.read.bytes), mode };
  }
  return seen;
}

type Chosen = readonly [flag: string, chosen: string, isShown: boolean, ofServer: string | undefined];

/** Throws `SettingsError` if the server uses another layout or format. */
function refuseOther(server: string, all: readonly Chosen[]): void {
  const problems = all.flatMap(([flag, chosen, isShown, ofServer]) => {
    if (ofServer === undefined || ofServer === chosen) return [];
    const what = isShown ? `the directory holds ${chosen} session files` : `${flag} ${chosen} was given`;
    const next = isShown ? `give ${flag} ${ofServer} if that is right` : `leave it out, or give ${ofServer}`;
    return [`${what}, and ${server} reads ${ofServer}: ${next}`];
  });
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
}
