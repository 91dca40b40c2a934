import { isSid, type Layout, type SessionFile } from "../model/session-file.js";

interface LayoutContract {
  /**
   * The sid in a file's name; `undefined` for any other name. `folder` is the scatter folder, empty
   * for the session directory itself.
   */
  readonly sidOf: (folder: string, name: string) => string | undefined;
  /** The path of a sid's file inside a session directory; `undefined` if the layout has none. */
  readonly nameOf: (sid: string) => string | undefined;
}

const flatStart = "werkzeug_";
const flatEnd = ".sess";
const flatSidLength = 40;
const scatterFolder = /^[A-Za-z0-9_-]{2}$/;

/** Where session files lie [werkzeug/contrib/sessions.py; odoo/http.py 14.0 to master]. */
export const layouts = {
  flat: {
    sidOf: (folder, name) => {
      const end = flatStart.length + flatSidLength;
      const isFlat =
        folder === "" &&
        name.length === end + flatEnd.length &&
        name.startsWith(flatStart) &&
        name.endsWith(flatEnd) &&
        isHex(name, flatStart.length, end);
      return isFlat ? name.slice(flatStart.length, end) : undefined;
    },
    nameOf: (sid) => (sid.length === flatSidLength ? `${flatStart}${sid}.sess` : undefined),
  },
  scattered: {
    sidOf: (folder, name) => (folder !== "" && name.startsWith(folder) && isSid(name) ? name : undefined),
    nameOf: (sid) => `${sid.slice(0, 2)}/${sid}`,
  },
} satisfies Record<Layout, LayoutContract>;

/** Whether a folder may hold scattered sessions, by its name. A sid may begin with `-` or `_`. */
export function isScatterFolder(name: string): boolean {
  return scatterFolder.test(name);
}

/** Servers only move flat files to scattered ones, so this order finds one that is being moved. */
const layoutsAsMoved: readonly Layout[] = ["flat", "scattered"];

/** Every location where a session's file may lie: in each directory, each layout in order. */
export function sessionLocations(sid: string, directories: readonly string[]): SessionFile[] {
  const locations: SessionFile[] = [];
  for (const directory of directories) {
    for (const layout of layoutsAsMoved) {
      const name = layouts[layout].nameOf(sid);
      if (name !== undefined) locations.push({ directory, name, layout, sid });
    }
  }
  return locations;
}

/** Whether part of a text is lower-case hex. Several times as fast as a pattern, for every name. */
function isHex(text: string, from: number, end: number): boolean {
  for (let index = from; index < end; index++) {
    const unit = text.charCodeAt(index);
    if (!((unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66))) return false;
  }
  return true;
}
