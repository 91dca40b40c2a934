import { exportSession } from "../../convert/export-session.js";
import { type Check, passed } from "../../model/check.js";
import { bytesText, countOf, countText } from "../../model/number-text.js";
import { showablePath } from "../../model/showable.js";
import { statsAt } from "../../source/file-identity.js";
import { layouts } from "../../source/layouts.js";
import type { Listing } from "../../source/list-sessions.js";
import { roomIn, writeDenial } from "../../source/writing/room.js";
import type { FileTarget } from "../exporting/choose-file-target.js";
import type { KeyCount } from "../key-pages.js";
import type { Run } from "../run-context.js";

/** What an estimate may miss, as a factor. */
const inaccuracy = 1.1;

/** Whether this process may write session files that belong to the server. */
export function checkWritableFolders({ directory }: FileTarget, { directories }: Listing): Check {
  const folders = [directory, ...directories.flatMap((one) => one.folders)];
  const denied = folders.flatMap((folder) => {
    const why = writeDenial(folder);
    return why === undefined ? [] : [{ folder, why }];
  });
  const [first] = denied;
  const uid = process.geteuid?.() ?? 0;
  if (first === undefined) return passed("directory", `uid ${uid} may write there`);
  const { code, owner } = first.why;
  const more = denied.length === 1 ? "" : `, nor in ${countOf(denied.length - 1, "other folder")}`;
  const whose = owner === undefined || owner === uid ? "" : ` for uid ${owner}, whom it belongs to`;
  const found = `uid ${uid} may not write session files in ${showablePath(first.folder)}${whose} (${code})${more}`;
  const remedy =
    code === "EROFS" ? "Mount it read-write" : owner === uid ? "Allow it" : `Run the export as uid ${owner ?? 0}`;
  return { name: "directory", verdict: "fail", found, remedy, exitCode: 3 };
}

/** Whether the session files fit. Estimated from a sample of the keys. */
export async function checkSpace(run: Run, target: FileTarget, { count, sample }: KeyCount): Promise<Check> {
  const room = roomIn(target.directory);
  if (room === undefined) return passed("space", "the file system does not say how much is free");
  const { store } = run.redis;
  const stored = await store.read(sample.map((sid) => store.keyOf(sid)));
  let bytes = 0;
  let files = 0;
  for (const [index, sid] of sample.entries()) {
    const one = stored[index];
    const name = layouts[target.layout].nameOf(sid);
    if (one?.kind !== "text" || name === undefined) continue;
    const exported = exportSession(one, sid, target.format, run.files.conversion);
    if (exported.kind !== "file") continue;
    const standing = statsAt(`${target.directory}/${name}`);
    if (standing === undefined) files++;
    const blocksOf = (length: number) => room.blockSize * Math.ceil(length / room.blockSize);
    bytes += Math.max(0, blocksOf(exported.bytes.length) - blocksOf(standing?.size ?? 0));
  }
  const factor = sample.length === 0 ? 0 : (inaccuracy * count) / sample.length;
  const need = { bytes: Math.ceil(bytes * factor), files: Math.ceil(files * factor) };
  const lacksFiles = room.files !== undefined && need.files > room.files;
  if (need.bytes <= room.bytes && !lacksFiles) {
    return passed("space", `about ${bytesText(need.bytes)} needed, ${bytesText(room.bytes)} free`);
  }
  const found = lacksFiles
    ? `about ${countOf(need.files, "file")} to make in ${showablePath(target.directory)}, and ` +
      `${countText(room.files ?? 0)} inodes free`
    : `about ${bytesText(need.bytes)} needed in ${showablePath(target.directory)}, ${bytesText(room.bytes)} free`;
  return { name: "space", verdict: "fail", found, remedy: "Free some space there", exitCode: 3 };
}
