import type { Layout, SessionFile } from "../model/session-file.js";
import { layouts } from "./layouts.js";

/** Session files of one directory and layout as one string; a file's name follows from its sid. */
interface PackedFiles {
  readonly directory: string;
  readonly layout: Layout;
  /** The sids, one per line. */
  readonly sids: string;
}

/** A batch that crosses threads or waits: one string is far cheaper than many objects. */
export type PackedBatch = readonly PackedFiles[];

export function packBatch(batch: readonly SessionFile[]): PackedBatch {
  const packed: { directory: string; layout: Layout; sids: string }[] = [];
  let last: (typeof packed)[number] | undefined;
  for (const { directory, layout, sid } of batch) {
    if (last?.directory === directory && last.layout === layout) last.sids += `\n${sid}`;
    else {
      last = { directory, layout, sids: sid };
      packed.push(last);
    }
  }
  return packed;
}

export function unpackBatch(packed: PackedBatch): SessionFile[] {
  return packed.flatMap(({ directory, layout, sids }) =>
    sids.split("\n").map((sid) => ({ directory, name: layouts[layout].nameOf(sid) ?? "", layout, sid })),
  );
}
