import type { Layout, SessionFile } from "../model/session-file.js";
import { layouts } from "./session-name.js";

/** A server moves a flat file to its scattered place, never back: looked for in this order, one that is moved meanwhile is found. */
const layoutsInOrder: readonly Layout[] = ["flat", "scattered"];

/** Every place where a session's file may lie: in each of the session directories, in either layout. */
export function sessionPlaces(sid: string, directories: readonly string[]): SessionFile[] {
  return directories.flatMap((directory) =>
    layoutsInOrder.flatMap((layout) => {
      const name = layouts[layout].nameOf(sid);
      return name === undefined ? [] : [{ directory, name, layout, sid }];
    }),
  );
}
