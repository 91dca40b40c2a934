const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether Python's `date` accepts these: years 1 to 9999 of the Gregorian calendar. */
export function isDate(year: number, month: number, day: number): boolean {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (daysOfMonth[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0);
}

/** Whether Python's `time` accepts these. */
export function isTime(hour: number, minute: number, second: number): boolean {
  return hour < 24 && minute < 60 && second < 60;
}

const isoText =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)?)?$/;

/** What a text in ISO 8601 says. */
export interface IsoParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
  /** East of Greenwich; absent without a time zone. */
  readonly offsetMinutes?: number;
}

/** Reads a date, or a date and time, as `isoformat()` writes it; `undefined` for any other text. */
export function parseIsoText(text: string): IsoParts | undefined {
  const match = isoText.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (!isDate(year, month, day) || !isTime(hour, minute, second)) return undefined;
  const microsecond = Number((match[7] ?? "").padEnd(6, "0"));
  const parts = { year, month, day, hour, minute, second, microsecond };
  const zone = match[8];
  if (zone === undefined) return parts;
  const minutes = zone === "Z" ? 0 : 60 * Number(zone.slice(1, 3)) + Number(zone.slice(4));
  return { ...parts, offsetMinutes: zone.startsWith("-") ? -minutes : minutes };
}
