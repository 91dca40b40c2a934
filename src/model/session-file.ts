/** Where a session file lies inside its session directory (`flat`: Odoo 8 to 15 and Tele; `scattered`: Odoo 16 on). */
export type Layout = "flat" | "scattered";

/** A name that a scan found, before anything of it was opened. */
export interface SessionFile {
  /** The session directory, resolved, absolute. */
  readonly directory: string;
  /** The path inside `directory`, `/` between the parts: `werkzeug_<sid>.sess` or `<first two of sid>/<sid>`. */
  readonly name: string;
  readonly layout: Layout;
  /** The session id. A credential: it is never shown whole. */
  readonly sid: string;
}

/** A session file's content and the times that its lifetime is counted from. */
export interface ReadSession {
  readonly bytes: Buffer;
  /** Last modification, milliseconds since the epoch, with a fraction where the file system has one. */
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
