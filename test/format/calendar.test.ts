import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDate, isTime, parseIsoText } from "../../src/format/calendar.js";
import { askPython } from "../support/python/ask-python.js";

describe("calendar: the dates and times that Python accepts", () => {
  it("agrees with Python's date() at every edge", async () => {
    const years = [-1, 0, 1, 4, 100, 400, 1582, 1900, 2000, 2023, 2024, 9999, 10000];
    const dates = years.flatMap((year) =>
      [0, 1, 2, 4, 12, 13].flatMap((month) => [0, 1, 28, 29, 30, 31, 32].map((day) => [year, month, day] as const)),
    );
    const expected = await askPython<boolean>("bool(datetime.date(*item))", dates, "import datetime");
    for (const [index, [year, month, day]] of dates.entries())
      assert.equal(isDate(year, month, day), expected[index] === true, `${year}-${month}-${day}`);
  });

  it("a time ends at 23:59:59", () => {
    assert(isTime(23, 59, 59) && isTime(0, 0, 0));
    assert(!isTime(24, 0, 0) && !isTime(0, 60, 0) && !isTime(0, 0, 60));
  });

  it("accepts what isoformat() writes", async () => {
    const made = [
      ...["datetime.date(1, 1, 1)", "datetime.date(2024, 2, 29)", "datetime.datetime(2020, 5, 4)"],
      ...["datetime.datetime(2020, 5, 4, 12, 30, 5, 500000)", "datetime.datetime(2020, 5, 4, 23, 59, 59, 1)"],
      "datetime.datetime(2020, 5, 4, 1, tzinfo=datetime.timezone.utc)",
      "datetime.datetime(2020, 5, 4, 1, 2, 3, 4, datetime.timezone(datetime.timedelta(hours=-23, minutes=-59)))",
    ];
    for (const text of await askPython<string>("eval(item).isoformat()", made, "import datetime"))
      assert(parseIsoText(text ?? ""), String(text));
  });

  const noDates = [
    ...["", "2020", "2020-02-30", "2023-02-29", "2020-13-01", "0000-01-01", "20-01-01", "2020-1-1", "2020-05-04T"],
    ...["2020-05-04T24:00:00", "2020-05-04T12:60", "2020-05-04T12:00:60", "2020-05-04T12:00:00.", "2020-05-04 x"],
    ...["2020-05-04T12:00:00.1234567", "2020-05-04T12:00+24:00", "2020-05-04T12:00+00:60", "2020-05-04\n"],
    ...["2020-05-04T12:00\n", " 2020-05-04", "２０２０-05-04"],
  ];
  for (const text of noDates) it(`no date: ${JSON.stringify(text)}`, () => assert.equal(parseIsoText(text), undefined));
});
