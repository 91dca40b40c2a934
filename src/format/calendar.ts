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
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,6})?)?(?:Z|[+-]([01]\d|2[0-3]):([0-5]\d))?)?$/;

/** Whether a text is a date, or a date and time, as `isoformat()` writes it. */
export function isIsoText(text: string): boolean {
  const match = isoText.exec(text);
  if (match === null) return false;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  return isDate(year ?? 0, month ?? 0, day ?? 0) && isTime(hour ?? 0, minute ?? 0, second ?? 0);
}
