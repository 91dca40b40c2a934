import type { Stats } from "node:fs";
import type { FileStamp, Layout, SessionFile } from "../model/session-file.js";
import { folderAt, isSameFile } from "./file-identity.js";
import { layouts } from "./layouts.js";
import { pathOf } from "./recent-files.js";
import type { StatReader } from "./stat-reader.js";

/** Of two files with the same time, the scattered one counts: servers move flat files there. */
const layoutsByRank: readonly Layout[] = ["scattered", "flat"];

/** How long we remember whether a scatter folder exists; later passes find what appears in one. */
const folderMemoryMs = 1000;

/** The other locations of a session's file: in the other layout, in other session directories. */
export class OtherLocations {
  readonly #directories: readonly string[];
  readonly #stats: StatReader;
  /**
   * Which scatter folders exist, by session directory and name. A symlink to one does not count: no
   * scan follows it.
   */
  readonly #folders = new Map<string, Map<string, boolean>>();
  #foldersSinceMs = Number.NEGATIVE_INFINITY;
  /** What stands at the other locations of files, if it was looked up ahead. */
  readonly #ahead = new WeakMap<SessionFile, readonly Found[]>();

  constructor(directories: readonly string[], stats: StatReader) {
    this.#directories = directories;
    this.#stats = stats;
  }

  /** Prepares for these files: on a slow file system, stats all their other locations at once. */
  async begin(batch: readonly SessionFile[]): Promise<void> {
    if (!this.#stats.isSlow) return;
    const locations = batch.map((file) => this.#locationsOf(file));
    const stats = (await this.#stats.statAll(locations.flat().map(pathOf))).values();
    for (const [index, file] of batch.entries()) {
      this.#ahead.set(file, locations[index]?.map((location) => [location, stats.next().value]) ?? []);
    }
  }

  /**
   * Another file of this session that was saved later; `undefined` if this one is the latest. Of
   * two with the same time, the earlier directory counts, then the scattered layout.
   */
  laterFile(file: SessionFile, stamp: FileStamp): SessionFile | undefined {
    const found =
      this.#ahead.get(file) ??
      this.#locationsOf(file).map((location): Found => [location, this.#stats.stat(pathOf(location))]);
    return found.find(([location, stats]) => this.#isLater(location, stats, file, stamp))?.[0];
  }

  #isLater(location: SessionFile, stats: Stats | undefined, file: SessionFile, stamp: FileStamp): boolean {
    // An empty file holds no session, and one file under both names is just being moved.
    if (!stats?.isFile() || stats.size === 0 || isSameFile(stats, stamp)) return false;
    return stats.mtimeMs === stamp.mtimeMs
      ? this.#rankOf(location) < this.#rankOf(file)
      : stats.mtimeMs > stamp.mtimeMs;
  }

  #locationsOf(file: SessionFile): SessionFile[] {
    const { sid } = file;
    this.#forgetFolders();
    // Most sessions have none, so nothing is made for a location until its folder is there.
    const locations: SessionFile[] = [];
    for (const directory of this.#directories) {
      for (const layout of layoutsByRank) {
        if (layout === file.layout && directory === file.directory) continue;
        if (layout === "scattered" && !this.#isFolder(directory, sid.slice(0, 2))) continue;
        const name = layouts[layout].nameOf(sid);
        if (name !== undefined) locations.push({ directory, name, layout, sid });
      }
    }
    return locations;
  }

  #forgetFolders(): void {
    const nowMs = performance.now();
    if (nowMs - this.#foldersSinceMs < folderMemoryMs) return;
    this.#folders.clear();
    this.#foldersSinceMs = nowMs;
  }

  #isFolder(directory: string, folder: string): boolean {
    let folders = this.#folders.get(directory);
    if (folders === undefined) {
      folders = new Map();
      this.#folders.set(directory, folders);
    }
    let isThere = folders.get(folder);
    if (isThere === undefined) {
      isThere = folderAt(`${directory}/${folder}`) !== undefined;
      folders.set(folder, isThere);
    }
    return isThere;
  }

  #rankOf({ directory, layout }: SessionFile): number {
    return 2 * this.#directories.indexOf(directory) + layoutsByRank.indexOf(layout);
  }
}

/** A location and what stands there; `undefined` if nothing does. */
type Found = readonly [location: SessionFile, stats: Stats | undefined];
