import { isDate, isTime } from "../calendar.js";
import { DecodeError } from "../decode-error.js";
import type { PythonDateTime, PythonDuration, PythonTimeZone } from "../python-value.js";
import { zoneOffsets } from "../zone-offsets.js";

const microsecondsOfSecond = 1_000_000;
const secondsOfDay = 86_400;
const microsecondsOfDay = secondsOfDay * microsecondsOfSecond;
const maxDays = 999_999_999;
/** 2000 years, added before `Date.UTC`, which takes years below 100 for 19xx, then subtracted. */
const secondsOfShift = 5 * 146_097 * secondsOfDay;

/** Returns the same object for the same text, so that equal dates share an identity. */
export type Intern = (text: string) => object;

/** `datetime.date(state)`. Throws `DecodeError` for a state that no pickler writes. */
export function dateOfState(state: Buffer, intern: Intern): PythonDateTime {
  if (state.length !== 4) throw new DecodeError("corrupt", "a date with a state of the wrong length");
  const [year, month, day] = [state.readUInt16BE(0), state.readUInt8(2), state.readUInt8(3)];
  if (!isDate(year, month, day)) throw new DecodeError("corrupt", "a date out of range");
  const iso = isoDate(year, month, day);
  return { kind: "date-time", type: "date_isoformat", iso, unreadable: undefined, identity: intern(`date ${iso}`) };
}

/**
 * `datetime.datetime(state, zone)`, with a state of ten bytes; the month's highest bit is `fold`
 * [CPython, datetime.py, `_getstate`]. Throws `DecodeError` for a state that no pickler writes.
 */
export function dateTimeOfState(state: Buffer, zone: PythonTimeZone | undefined, intern: Intern): PythonDateTime {
  if (state.length !== 10) throw new DecodeError("corrupt", "a date-time with a state of the wrong length");
  const [year, month, day] = [state.readUInt16BE(0), state.readUInt8(2) & 0x7f, state.readUInt8(3)];
  const [hour, minute, second] = [state.readUInt8(4), state.readUInt8(5), state.readUInt8(6)];
  const microsecond = state.readUIntBE(7, 3);
  const fold = state.readUInt8(2) >= 0x80;
  if (!isDate(year, month, day) || !isTime(hour, minute, second) || microsecond >= microsecondsOfSecond) {
    throw new DecodeError("corrupt", "a date-time out of range");
  }
  const fraction = microsecond === 0 ? "" : `.${pad(microsecond, 6)}`;
  const local = `${isoDate(year, month, day)}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}${fraction}`;
  if (zone === undefined) {
    const identity = intern(`naive ${local}`);
    return { kind: "date-time", type: "datetime_isoformat", iso: local, unreadable: undefined, identity };
  }
  const seconds = Date.UTC(2000 + year, month - 1, day, hour, minute, second) / 1000 - secondsOfShift;
  const offset = zone.offsetAt(seconds, fold);
  // Python ignores `fold` when it compares two times.
  const unfolded = fold ? zone.offsetAt(seconds, false) : offset;
  const instant = BigInt(seconds) * BigInt(microsecondsOfSecond) + BigInt(microsecond - unfolded);
  const unreadable = offset % (60 * microsecondsOfSecond) === 0 ? undefined : "a time zone offset with seconds";
  const identity = intern(`aware ${instant}`);
  return { kind: "date-time", type: "datetime_isoformat", iso: local + isoOffset(offset), unreadable, identity };
}

/** `datetime.timedelta(days, seconds, microseconds)`, normalised: only days may be negative. */
export function duration(days: number, seconds: number, microseconds: number): PythonDuration {
  const normalised = seconds >= 0 && seconds < secondsOfDay && microseconds >= 0 && microseconds < microsecondsOfSecond;
  if (!normalised || Math.abs(days) > maxDays) throw new DecodeError("corrupt", "a duration out of range");
  return { kind: "duration", microseconds: (days * secondsOfDay + seconds) * microsecondsOfSecond + microseconds };
}

/** A fixed offset from UTC. Python allows less than a day either way. */
export function timeZone(offsetMicroseconds: number): PythonTimeZone {
  if (!(Math.abs(offsetMicroseconds) < microsecondsOfDay)) {
    throw new DecodeError("corrupt", "a time zone offset of a day or more");
  }
  return { kind: "time-zone", offsetAt: () => offsetMicroseconds };
}

/** A zone of the IANA database. Throws `DecodeError` for a name that Node does not know. */
export function timeZoneOfName(name: string): PythonTimeZone {
  const offsetSecondsAt = zoneOffsets(name);
  if (offsetSecondsAt === undefined) throw new DecodeError("unsupported-type", "a time zone that Node does not know");
  return {
    kind: "time-zone",
    offsetAt: (localSeconds, fold) => offsetSecondsAt(localSeconds, fold) * microsecondsOfSecond,
  };
}

export function timeZoneOfSeconds(seconds: number): PythonTimeZone {
  return timeZone(seconds * microsecondsOfSecond);
}

function isoOffset(microseconds: number): string {
  const minutes = Math.floor(Math.abs(microseconds) / (60 * microsecondsOfSecond));
  return `${microseconds < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60), 2)}:${pad(minutes % 60, 2)}`;
}

function isoDate(year: number, month: number, day: number): string {
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
