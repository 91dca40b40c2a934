import type { SessionFile } from "../model/session-file.js";
import { layouts } from "./layouts.js";

/** Session files of one directory and layout as one string; a file's name follows from its sid. */
interface PackedFiles extends Pick<SessionFile, "directory" | "layout"> {
  /** The sids, one per line. */
  sids: string;
}

/** A batch that crosses threads or waits: one string is far cheaper than many objects. */
export type PackedBatch = readonly Readonly<PackedFiles>[];

export function packBatch(batch: readonly SessionFile[]): PackedBatch {
  const packed: PackedFiles[] = [];
  for (const { directory, layout, sid } of batch) {
    const last = packed.at(-1);
    if (last?.directory === directory && last.layout === layout) last.sids += `\n${sid}`;
    else packed.push({ directory, layout, sids: sid });
  }
  return packed;
}

export function unpackBatch(packed: PackedBatch): SessionFile[] {
  return packed.flatMap(({ directory, layout, sids }) =>
    sids.split("\n").map((sid) => ({ directory, name: layouts[layout].nameOf(sid) ?? "", layout, sid })),
  );
}
