/**
 * Where a session file lies inside its session directory (`flat`: Odoo 8 to 15 and Tele;
 * `scattered`: Odoo 16 on).
 */
export type Layout = "flat" | "scattered";

/** How a session file is written: protocol 2 is for Python 2, 4 for Python 3. */
export type FileFormat = { readonly name: "json" } | { readonly name: "pickle"; readonly protocol: 2 | 4 };

const json: FileFormat = { name: "json" };
const pickle2: FileFormat = { name: "pickle", protocol: 2 };
const pickle4: FileFormat = { name: "pickle", protocol: 4 };

/** How servers keep their session files [odoo/http.py 8.0 to 19.0; tele/http.py]. */
export const servers = {
  "8.0": { layout: "flat", format: pickle2 },
  "9.0": { layout: "flat", format: pickle2 },
  "10.0": { layout: "flat", format: pickle2 },
  "11.0": { layout: "flat", format: pickle4 },
  "12.0": { layout: "flat", format: pickle4 },
  "13.0": { layout: "flat", format: pickle4 },
  "14.0": { layout: "flat", format: pickle4 },
  "15.0": { layout: "flat", format: pickle4 },
  "16.0": { layout: "scattered", format: pickle4 },
  "17.0": { layout: "scattered", format: pickle4 },
  "18.0": { layout: "scattered", format: json },
  "19.0": { layout: "scattered", format: json },
  "tele-1.0": { layout: "flat", format: pickle4 },
} as const satisfies Record<string, { readonly layout: Layout; readonly format: FileFormat }>;
export type ServerName = keyof typeof servers;

/**
 * How far file times may lag behind the clock, milliseconds: some file systems keep only seconds.
 */
export const fileTimeSlackMs = 2000;

const anySid = /^(?:[0-9a-f]{40}|[A-Za-z0-9_-]{84,86})$/;

/** Whether a text is a session id: 40 hex digits, or 84 to 86 characters of base64url. */
export function isSid(text: string): boolean {
  return anySid.test(text);
}

/** A name that a scan found, before anything of it was opened. */
export interface SessionFile {
  /** The session directory, resolved, absolute. */
  readonly directory: string;
  /**
   * The path inside `directory`, `/` between the parts: `werkzeug_<sid>.sess` or `<first two of
   * sid>/<sid>`.
   */
  readonly name: string;
  readonly layout: Layout;
  /** The session id. A credential: it is never shown whole. */
  readonly sid: string;
}

/** A session file's content and the times that its lifetime is counted from. */
export interface ReadSession {
  readonly bytes: Buffer;
  /**
   * Last modification, milliseconds since the epoch, with a fraction where the file system has one.
   */
  readonly mtimeMs: number;
  /** Our clock just before the file was opened, milliseconds since the epoch. */
  readonly openedAtMs: number;
}

/** What tells a file from the one that takes its place: equal in all of it means unchanged. */
export interface FileStamp {
  readonly dev: number;
  readonly ino: number;
  /** Bytes. */
  readonly size: number;
  /** Last modification, milliseconds since the epoch. */
  readonly mtimeMs: number;
  /** Last change of the file or its name. */
  readonly ctimeMs: number;
}

/** What tells the file that was compared from every other, as exactly as the system has it. */
export interface ExactStamp {
  readonly dev: bigint;
  readonly ino: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Last modification, nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  /** Last change of the file or its name: nobody can set it back. */
  readonly ctimeNs: bigint;
}

/** What a scan saw besides the session files that it gave out. */
export interface ScanTally {
  readonly layouts: Record<Layout, number>;
  /**
   * Names that are no session file's: temporary files, uploads, strangers, symlinks, pipes,
   * directories.
   */
  ignored: number;
  /** Session files whose sids have 84 characters or more. */
  longSids: number;
  /** Scatter directories that could not be read: the scan goes on, and the run is not whole. */
  readonly unreadable: UnreadableFolder[];
  /** What a purge set aside under a name of ours and did not come to remove or put back. */
  readonly setAside: SetAsideFile[];
}

/** A scatter directory that could not be read. */
export interface UnreadableFolder {
  /** The session directory that it lies in. */
  readonly directory: string;
  /** Which it is, and why. */
  readonly message: string;
}

/** A session file, or what had taken its place, that lies under a name of ours. */
export interface SetAsideFile {
  /** The file under its own name. */
  readonly file: SessionFile;
  /** Its name now, in the same folder. */
  readonly asideName: string;
  /** The process that set it aside. */
  readonly pid: number;
}

export function newScanTally(): ScanTally {
  return { layouts: { flat: 0, scattered: 0 }, ignored: 0, longSids: 0, unreadable: [], setAside: [] };
}
