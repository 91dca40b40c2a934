import assert from "node:assert/strict";
import { linkSync, lstatSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { SessionFile } from "../../src/model/session-file.js";
import { OtherLocations } from "../../src/source/other-locations.js";
import { StatReader } from "../../src/source/stat-reader.js";
import { makeTemporaryDirectory } from "../support/process/temporary-directory.js";
import { slowProbe } from "./support/slow-probe.js";

const sid = "ab".repeat(20);

/** Stats one after the other, and all at once. */
const kindsOfReader = { quick: () => new StatReader(), waiting: () => new StatReader(slowProbe()) };

for (const [kind, makeReader] of Object.entries(kindsOfReader)) {
  describe(`other-locations, ${kind}: of two files, the later one is the session (spec.md section 4)`, () => {
    const early = 1_700_000_000;
    const late = early + 10;
    const flatName = `werkzeug_${sid}.sess`;
    const scatteredName = `ab/${sid}`;
    type Where = readonly [directory: 0 | 1, layout: SessionFile["layout"]];

    /** Makes a file of the sid, modified at that time. */
    function put(directories: readonly string[], [index, layout]: Where, seconds: number, content = "x"): SessionFile {
      const directory = directories[index] ?? "";
      const name = layout === "flat" ? flatName : scatteredName;
      mkdirSync(join(directory, "ab"), { recursive: true });
      writeFileSync(join(directory, name), content);
      utimesSync(join(directory, name), seconds, seconds);
      return { directory, name, layout, sid };
    }

    function supersededIn(directories: readonly string[], file: SessionFile): boolean {
      const stamp = lstatSync(join(file.directory, file.name));
      return new OtherLocations(directories, new StatReader()).laterFile(file, stamp) !== undefined;
    }

    const places: readonly Where[] = [
      [0, "flat"],
      [0, "scattered"],
      [1, "flat"],
      [1, "scattered"],
    ];
    const order: readonly Where[] = [
      [0, "scattered"],
      [0, "flat"],
      [1, "scattered"],
      [1, "flat"],
    ];
    for (const one of places) {
      for (const other of places) {
        if (one === other) continue;
        it(`${one.join(" ")} and ${other.join(" ")}: only the earlier one is superseded`, async () => {
          const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
          const [earlier, later] = [put(directories, one, early), put(directories, other, late)];
          assert(await supersededIn(directories, earlier));
          assert(!(await supersededIn(directories, later)));
        });

        it(`${one.join(" ")} and ${other.join(" ")}, of the same time: exactly one is superseded`, async () => {
          const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
          const files = [put(directories, one, early), put(directories, other, early)];
          const rank = (where: Where) => order.findIndex((place) => String(place) === String(where));
          const expected = [rank(one) > rank(other), rank(other) > rank(one)];
          assert.deepEqual(await Promise.all(files.map((file) => supersededIn(directories, file))), expected);
        });
      }
    }

    it("in all four locations at once, exactly one is not superseded", async () => {
      for (const times of [
        [early, early, early, early],
        [early, late, late, early],
        [late, early, early + 1, early + 2],
      ]) {
        const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
        const files = places.map((place, index) => put(directories, place, times[index] ?? early));
        const superseded = await Promise.all(files.map((file) => supersededIn(directories, file)));
        assert.equal(superseded.filter((one) => !one).length, 1);
      }
    });

    it("a file alone is not superseded", async () => {
      const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
      assert(!(await supersededIn(directories, put(directories, [0, "flat"], early))));
    });

    it("not superseded by another sid or another run's directory", async () => {
      const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
      const file = put(directories, [0, "flat"], early);
      writeFileSync(join(file.directory, `werkzeug_${"cd".repeat(20)}.sess`), "later");
      put(directories, [1, "flat"], late);
      assert(!(await supersededIn(directories.slice(0, 1), file)));
    });

    const noSession: readonly (readonly [name: string, make: (path: string) => void])[] = [
      ["an empty file", (path) => writeFileSync(path, "")],
      ["a directory", (path) => mkdirSync(path)],
      ["a symlink to a later file", (path) => symlinkSync(import.meta.filename, path)],
      ["a symlink to itself", (path) => symlinkSync(path, path)],
    ];
    for (const [name, make] of noSession) {
      it(`not superseded by ${name}`, async () => {
        const directories = [makeTemporaryDirectory()];
        const file = put(directories, [0, "flat"], early);
        make(join(file.directory, scatteredName));
        assert(!(await supersededIn(directories, file)));
      });
    }

    it("not superseded by a later file in a symlinked scatter folder, which no scan lists", async () => {
      const directories = [makeTemporaryDirectory()];
      const elsewhere = put([makeTemporaryDirectory()], [0, "scattered"], late);
      const file: SessionFile = { directory: directories[0] ?? "", name: flatName, layout: "flat", sid };
      writeFileSync(join(file.directory, flatName), "x");
      utimesSync(join(file.directory, flatName), early, early);
      symlinkSync(join(elsewhere.directory, "ab"), join(file.directory, "ab"));
      const places = new OtherLocations(directories, makeReader());
      await places.begin([file]);
      assert.equal(places.laterFile(file, lstatSync(join(file.directory, flatName))), undefined);
    });

    it("not superseded by itself under its other name: it is being moved", async () => {
      const directories = [makeTemporaryDirectory()];
      const file = put(directories, [0, "flat"], early);
      linkSync(join(file.directory, flatName), join(file.directory, scatteredName));
      assert(!(await supersededIn(directories, file)));
      assert(!(await supersededIn(directories, { ...file, layout: "scattered", name: scatteredName })));
    });

    it("a long sid has one location in each directory", async () => {
      const long = "ab".padEnd(84, "_");
      const directories = [makeTemporaryDirectory(), makeTemporaryDirectory()];
      const files = directories.map((directory, index): SessionFile => {
        mkdirSync(join(directory, "ab"));
        writeFileSync(join(directory, "ab", long), "x");
        utimesSync(join(directory, "ab", long), early + index, early + index);
        writeFileSync(join(directory, `werkzeug_${long}.sess`), "no session's name");
        return { directory, name: `ab/${long}`, layout: "scattered", sid: long };
      });
      assert.deepEqual(await Promise.all(files.map((file) => supersededIn(directories, file))), [true, false]);
    });

    for (const begins of [true, false]) {
      it(`superseded by a file in a new folder after a second, ${begins ? "" : "not "}prepared for`, async (t) => {
        const directories = [makeTemporaryDirectory()];
        const [directory] = directories;
        const file: SessionFile = { directory: directory ?? "", name: flatName, layout: "flat", sid };
        writeFileSync(join(file.directory, flatName), "x");
        utimesSync(join(file.directory, flatName), early, early);
        const places = new OtherLocations(directories, makeReader());
        const isSupersededNow = async () => {
          if (begins) await places.begin([file]);
          return places.laterFile(file, lstatSync(join(file.directory, flatName))) !== undefined;
        };
        assert(!(await isSupersededNow()));
        put(directories, [0, "scattered"], late);
        const nowMs = performance.now();
        t.mock.method(performance, "now", () => nowMs + 1001);
        assert(await isSupersededNow());
      });
    }
  });
}
