import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { zoneOffsets } from "../../src/format/zone-offsets.js";
import { askPython } from "../support/python/ask-python.js";
import { makeRandom } from "../support/random.js";

const zones = [
  ...["UTC", "Etc/GMT+5", "Europe/Zurich", "Europe/London", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran"],
  ...["America/New_York", "America/St_Johns", "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Apia"],
  ...["Australia/Lord_Howe", "Pacific/Chatham", "Antarctica/Troll"],
];
const preamble = `from datetime import datetime, timedelta
from zoneinfo import ZoneInfo
def offset(item):
    name, seconds, fold = item
    moment = datetime(1970, 1, 1) + timedelta(seconds=seconds)
    return int(moment.replace(tzinfo=ZoneInfo(name), fold=fold).utcoffset().total_seconds())`;

const secondsOf = (text: string) => Date.parse(`${text}Z`) / 1000;

describe("zone-offsets: the offset that Python's zoneinfo gives", () => {
  it("at 6,000 local times from 1950 to 2100, first and second", async () => {
    const random = makeRandom(1);
    const [from, to] = [secondsOf("1950-01-01T00:00"), secondsOf("2100-01-01T00:00")];
    const items = Array.from({ length: 6000 }, (_, index) => {
      const zone = zones[index % zones.length] ?? "";
      // Releases of the time zone data differ about Morocco's future, and Node has another than Python.
      const end = zone === "Africa/Casablanca" ? secondsOf("2026-01-01T00:00") : to;
      return [zone, Math.floor(from + random() * (end - from)), index % 2] as const;
    });
    const answers = await askPython<number>("offset(item)", items, preamble);
    const wrong = items.filter(
      ([zone, seconds, fold], index) => zoneOffsets(zone)?.(seconds, fold === 1) !== answers[index],
    );
    assert.deepEqual(wrong.slice(0, 5), []);
  });

  const rows: readonly (readonly [name: string, zone: string, local: string, first: number, second: number])[] = [
    ["a local time that comes twice", "Europe/Zurich", "2024-10-27T02:30", 7200, 3600],
    ["the last second before one that does", "Europe/Zurich", "2024-10-27T01:59:59", 7200, 7200],
    ["the first second after one that does", "Europe/Zurich", "2024-10-27T03:00", 3600, 3600],
    ["a local time that is left out", "Europe/Zurich", "2024-03-31T02:30", 3600, 7200],
    ["half an hour that comes twice", "Australia/Lord_Howe", "2024-04-07T01:45", 39_600, 37_800],
    ["a day that is left out", "Pacific/Apia", "2011-12-30T12:00", -36_000, 50_400],
    ["an offset with seconds", "Europe/Zurich", "1850-01-01T00:00", 2048, 2048],
    ["the first year", "Asia/Kolkata", "0001-01-01T00:00", 21_208, 21_208],
    ["the last year", "Europe/Zurich", "9999-12-31T23:59:59", 3600, 3600],
  ];
  for (const [name, zone, local, first, second] of rows) {
    it(`${name}: ${zone} ${local}`, async () => {
      const seconds = secondsOf(local);
      const items = [
        [zone, seconds, 0],
        [zone, seconds, 1],
      ];
      assert.deepEqual(await askPython<number>("offset(item)", items, preamble), [first, second]);
      const offsetAt = zoneOffsets(zone);
      assert.deepEqual([offsetAt?.(seconds, false), offsetAt?.(seconds, true)], [first, second]);
    });
  }

  for (const name of ["", "Nowhere/At_All", "../UTC", "+01:00", "europe/zurich", "Europe/Zurich\n", "UTC\0"])
    it(`${JSON.stringify(name)} is no zone`, () => assert.equal(zoneOffsets(name), undefined));

  it("knows exactly the three-letter and ICU names that Python knows", async () => {
    const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
    const three = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
    const added = ["SystemV/AST4", "SystemV/PST8PDT", "US/Pacific-New", "Canada/East-Saskatchewan"];
    const names = [...three, ...added, "GMT0", "Zulu", "EST5EDT", "GB-Eire", "W-SU", "Etc/GMT-14"];
    const known = await askPython<boolean>(
      "item in names",
      names,
      "from zoneinfo import available_timezones\nnames = available_timezones()",
    );
    const wrong = names.filter((name, index) => (zoneOffsets(name) !== undefined) !== known[index]);
    assert.deepEqual(wrong, []);
  });
});
