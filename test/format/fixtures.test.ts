import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import type { Conversion } from "../../src/convert/convert-session.js";
import { projectRoot, python } from "../support/project.js";
import { convertBytes } from "../support/python/compare-with-python.js";
import { isSameJson } from "../support/python/same-json.js";

/** A row of `fixtures/manifest.json`; `fixtures/generate.py` says what its fields mean. */
interface Fixture {
  readonly file: string;
  readonly parts?: readonly (readonly [string, number])[];
  readonly expected?: string;
  readonly reason?: string;
}

const folder = join(projectRoot, "fixtures");
const fixtures: readonly Fixture[] = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8"));
/** The file that hostile fixtures would make if they ran. */
const marker = "tele-sessions-was-executed";
const maxMs = 10_000;
const maxMemoryBytes = 256 * 1024 * 1024;

function bytesOf(fixture: Fixture): Buffer {
  if (fixture.parts === undefined) return readFileSync(join(folder, fixture.file));
  const parts = fixture.parts.map(([hex, times]) => {
    const part = Buffer.from(hex, "hex");
    return Buffer.alloc(part.length * times, part);
  });
  return Buffer.concat(parts);
}

function writtenFor(conversion: Conversion): string {
  if (conversion.kind === "failed") return `${conversion.reason}: ${conversion.detail}`;
  return conversion.kind === "entry" ? conversion.entry.value : conversion.kind;
}

function check(fixture: Fixture): void {
  const conversion = convertBytes(bytesOf(fixture));
  const value = writtenFor(conversion);
  if (fixture.expected === undefined) {
    assert.equal(conversion.kind === "failed" ? conversion.reason : value.slice(0, 1000), fixture.reason);
    return;
  }
  const expected = readFileSync(join(folder, fixture.expected), "latin1");
  if (!isSameJson(value, expected)) assert.equal(value, expected);
}

test("the fixtures are what fixtures/generate.py makes with this Python", async () => {
  await promisify(execFile)(python, ["-B", join(folder, "generate.py"), "--check"]).catch(
    (error: { code?: unknown; stdout?: string; stderr?: string }) => {
      const missing = error.code === "ENOENT" ? "install Python 3.9 or later, or name one in PYTHON" : "";
      assert.fail(`fixtures/generate.py --check: ${error.stdout ?? ""}${error.stderr ?? ""}${missing}`);
    },
  );
});

const groups = [...new Set(fixtures.map((fixture) => fixture.file.split("/")[0] ?? ""))];
for (const group of groups.filter((name) => name !== "hostile")) {
  describe(`fixtures: ${group}`, () => {
    for (const fixture of fixtures.filter(({ file }) => file.startsWith(`${group}/`))) {
      const { file, expected, reason } = fixture;
      test(`${file} is ${expected === undefined ? reason : "converted byte for byte"}`, () => check(fixture));
    }
  });
}

describe("fixtures: hostile, each in bounded time and memory, and nothing runs", () => {
  for (const fixture of fixtures.filter(({ file }) => file.startsWith("hostile/"))) {
    test(`${fixture.file} is ${fixture.reason ?? "converted byte for byte"}`, () => {
      const startedAt = performance.now();
      const startBytes = process.memoryUsage.rss();
      check(fixture);
      const milliseconds = performance.now() - startedAt;
      const grown = process.memoryUsage.rss() - startBytes;
      assert.ok(milliseconds < maxMs, `it took ${Math.round(milliseconds)} ms`);
      assert.ok(grown < maxMemoryBytes, `memory grew by ${Math.round(grown / 1024 / 1024)} MB`);
    });
  }

  test("no fixture has executed anything", () => {
    for (const directory of [process.cwd(), folder, tmpdir()]) {
      assert.equal(existsSync(join(directory, marker)), false, `${marker} stands in ${directory}`);
    }
  });
});

/** The table of formats.md, section 3: a Python value of `fixtures/generate.py`, and its JSON. */
const table = [
  ["table-floats", '{"a": 1.0, "b": 1e+16, "c": 1e-07, "d": 1000000000000000.0, "e": -0.0, "f": 5e-324}'],
  ["table-keys", '{"k": {"1": "i", "1": "s", "null": 0, "2.0": "t"}}'],
  ["table-texts", '{"a": "\\ud800", "e": "\\ud83d\\ude00", "z": "Z\\u00fcrich", "d": "\\u007f"}'],
  [
    "table-integers",
    '{"n": 9007199254740993, "m": 10000000000000000000000000000000000000000, "t": [1, [2], []], "x": true}',
  ],
  [
    "table-dates",
    '{"d": {"_type": "datetime_isoformat", "value": "2020-05-04T12:30:05.500000+05:30"}, ' +
      '"v": {"_type": "date_isoformat", "value": "2019-09-03"}}',
  ],
] as const;

describe("the table of formats.md, section 3, in every protocol", () => {
  for (const [name, written] of table) {
    for (const protocol of [0, 1, 2, 3, 4, 5]) {
      test(`${name}, protocol ${protocol}`, () => {
        const bytes = readFileSync(join(folder, "values", `${name}.p${protocol}`));
        assert.equal(writtenFor(convertBytes(bytes)), `{"db": null, ${written.slice(1)}`);
      });
    }
  }
});
