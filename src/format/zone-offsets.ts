const secondsOfDay = 86_400;
/** `GMT`, `GMT+05:30` or `GMT-00:01:15`, at the end of a formatted date. */
const offsetText = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;
/** Names as the IANA database has them; others that Node takes, such as `+01:00`, Python does not. */
const zoneName = /^[A-Z][A-Za-z0-9_+/-]*$/;

/**
 * Names that ICU adds: three letters as Java has them, and what the IANA database has dropped.
 * Python's zoneinfo knows none of them.
 */
const addedByIcu =
  /^(?:(?!(?:CET|EET|EST|GMT|HST|MET|MST|PRC|ROC|ROK|UCT|UTC|WET)$)[A-Z]{3}|SystemV\/.+|US\/Pacific-New|Canada\/East-Saskatchewan)$/;

/** Seconds east of Greenwich at a local time in seconds since the epoch. */
export type OffsetAt = (localSeconds: number, fold: boolean) => number;

/** From one session to the next: making a format takes a hundred times as long as using it. */
const known = new Map<string, OffsetAt>();

/** The offsets of a time zone by its IANA name, from Node's own data; `undefined` for a name that Node does not know. */
export function zoneOffsets(name: string): OffsetAt | undefined {
  const made = known.get(name) ?? makeOffsets(name);
  if (made !== undefined) known.set(name, made);
  return made;
}

function makeOffsets(name: string): OffsetAt | undefined {
  if (!zoneName.test(name) || addedByIcu.test(name)) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const { timeZone } = format.resolvedOptions();
  // Node takes a name in any case, Python does not.
  if (timeZone !== name && timeZone.toLowerCase() === name.toLowerCase()) return undefined;
  return (localSeconds, fold) =>
    offsetAtLocal((instant) => offsetAtInstant(format, instant), localSeconds, fold);
}

/**
 * Of a local time that comes twice, the first unless `fold`; of one that is left out, the offset before it unless `fold` [PEP 495].
 */
function offsetAtLocal(offsetAt: (instant: number) => number, localSeconds: number, fold: boolean): number {
  const before = offsetAt(localSeconds - secondsOfDay);
  const after = offsetAt(localSeconds + secondsOfDay);
  if (before === after) return before;
  const beforeHolds = offsetAt(localSeconds - before) === before;
  const afterHolds = offsetAt(localSeconds - after) === after;
  if (beforeHolds === afterHolds) return fold ? after : before;
  return beforeHolds ? before : after;
}

function offsetAtInstant(format: Intl.DateTimeFormat, instant: number): number {
  const match = offsetText.exec(format.format(instant * 1000));
  if (match === null) throw new Error("Intl writes an offset in a form that is not known here");
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = match;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? -size : size;
}
