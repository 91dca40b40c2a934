import type { Layout } from "../model/session-file.js";

interface LayoutContract {
  /** The sid that a file's name holds, or `undefined` for a stranger's. `folder` is the scatter directory, empty for the session directory itself. */
  readonly sidOf: (folder: string, name: string) => string | undefined;
  /** The path of a sid's file inside a session directory; `undefined` where this layout has none for such a sid. */
  readonly nameOf: (sid: string) => string | undefined;
}

const flatStart = "werkzeug_";
const flatEnd = ".sess";
const anySid = /^(?:[0-9a-f]{40}|[A-Za-z0-9_-]{84,86})$/;
const flatSidLength = 40;
const scatterFolder = /^[A-Za-z0-9_-]{2}$/;

/** Whether a text is a session id of any server: 40 hex digits, or 84 to 86 of `A-Za-z0-9_-`. */
export function isSid(text: string): boolean {
  return anySid.test(text);
}

/** Where session files lie and how they are named [werkzeug/contrib/sessions.py; odoo/http.py 14.0 to master]. */
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

/** Whether a directory's name is that of one which scattered sessions lie in. `-` and `_` may begin a sid. */
export function isScatterFolder(name: string): boolean {
  return scatterFolder.test(name);
}

/** Whether the characters from one place up to another are lower-case hex digits. A pattern takes several times as long, of every name twice. */
function isHex(text: string, from: number, end: number): boolean {
  for (let index = from; index < end; index++) {
    const unit = text.charCodeAt(index);
    if (!((unit >= 0x30 && unit <= 0x39) || (unit >= 0x61 && unit <= 0x66))) return false;
  }
  return true;
}
