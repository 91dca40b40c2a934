import type { Stats } from "node:fs";
import type { FileStamp, Layout, SessionFile } from "../model/session-file.js";
import { folderAt } from "./folder-at.js";
import type { Looks } from "./looks.js";
import { layouts } from "./session-name.js";

const layoutsInOrder = ["scattered", "flat"] as const;

/**
 * How long a scatter folder counts as there, or not there, once it was looked for. What appears in one meanwhile is a file that changed
 * behind the look, and is found as such.
 */
const lookHoldsMs = 1000;

/** The other places of sessions: in the other layout, and in the other session directories. */
export class OtherPlaces {
  readonly #directories: readonly string[];
  readonly #looks: Looks;
  /** For each directory, which scatter folders are there. A symlink to one is none: no scan follows it. */
  readonly #folders = new Map<string, Map<string, boolean>>();
  #foldersSinceMs = Number.NEGATIVE_INFINITY;
  /** What was looked at before its turn. */
  readonly #ahead = new WeakMap<SessionFile, readonly SeenPlace[]>();

  constructor(directories: readonly string[], looks: Looks) {
    this.#directories = directories;
    this.#looks = looks;
  }

  /** The turn of these files comes next: looks for their other places, where each look waits. */
  async begin(batch: readonly SessionFile[]): Promise<void> {
    this.#forgetFolders();
    if (!this.#looks.wait) return;
    const places = batch.map((file) => this.#placesOf(file));
    const stamps = (await this.#looks.stampsOf(places.flat().map(({ path }) => path))).values();
    for (const [index, file] of batch.entries()) {
      const seen = places[index]?.map((place) => ({ ...place, stamp: stamps.next().value }));
      if (seen !== undefined) this.#ahead.set(file, seen);
    }
  }

  /**
   * Whether another file holds the same session later. Of two with the same time the one in the earlier directory counts, then the
   * scattered one, which is where servers move a flat one to.
   */
  isSuperseded(file: SessionFile, stamp: FileStamp): boolean {
    return this.laterFile(file, stamp) !== undefined;
  }

  /** A newer file of this session; `undefined` if there is none. */
  laterFile(file: SessionFile, stamp: FileStamp): SessionFile | undefined {
    const seen =
      this.#ahead.get(file) ??
      this.#placesOf(file).map((place) => ({ ...place, stamp: this.#looks.stampOf(place.path) }));
    const later = seen.find((place) => this.#isLater(place, place.stamp, file, stamp));
    if (later === undefined) return undefined;
    const { directory, name, layout } = later;
    return { directory, name, layout, sid: file.sid };
  }

  #isLater(place: Place, other: Stats | undefined, file: SessionFile, stamp: FileStamp): boolean {
    // Nothing, an empty file or no file holds no session; the same file under two names is a file that was moved.
    if (!other?.isFile() || other.size === 0 || (other.ino === stamp.ino && other.dev === stamp.dev))
      return false;
    return other.mtimeMs === stamp.mtimeMs
      ? this.#rankOf(place) < this.#rankOf(file)
      : other.mtimeMs > stamp.mtimeMs;
  }

  #placesOf(file: SessionFile): Place[] {
    const places: Place[] = [];
    for (const directory of this.#directories) {
      for (const layout of layoutsInOrder) {
        if (layout === file.layout && directory === file.directory) continue;
        const name = layouts[layout].nameOf(file.sid);
        if (name === undefined) continue;
        if (layout === "scattered" && !this.#isFolder(directory, file.sid.slice(0, 2))) continue;
        places.push({ path: `${directory}/${name}`, directory, name, layout });
      }
    }
    return places;
  }

  #forgetFolders(): void {
    const nowMs = performance.now();
    if (nowMs - this.#foldersSinceMs < lookHoldsMs) return;
    this.#folders.clear();
    this.#foldersSinceMs = nowMs;
  }

  #isFolder(directory: string, name: string): boolean {
    let known = this.#folders.get(directory);
    if (known === undefined) {
      known = new Map();
      this.#folders.set(directory, known);
    }
    let isThere = known.get(name);
    if (isThere === undefined) {
      isThere = folderAt(`${directory}/${name}`) !== undefined;
      known.set(name, isThere);
    }
    return isThere;
  }

  #rankOf({ directory, layout }: Pick<SessionFile, "directory" | "layout">): number {
    return 2 * this.#directories.indexOf(directory) + (layout === "scattered" ? 0 : 1);
  }
}

interface Place {
  readonly path: string;
  readonly directory: string;
  /** The path inside the directory. */
  readonly name: string;
  readonly layout: Layout;
}

/** `stamp` is absent where nothing is there. */
type SeenPlace = Place & { readonly stamp: Stats | undefined };
