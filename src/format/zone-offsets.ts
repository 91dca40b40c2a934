const secondsOfDay = 86_400;
/** `GMT`, `GMT+05:30` or `GMT-00:01:15` at the end of a formatted date. */
const offsetText = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/;
/** Names of the IANA database. Node also takes others, such as `+01:00`, that Python refuses. */
const zoneName = /^[A-Z][A-Za-z0-9_+/-]*$/;

/** The names of three letters that Python's zoneinfo knows. ICU adds others, from Java. */
const shortNames: ReadonlySet<string> = new Set("CET EET EST GMT HST MET MST PRC ROC ROK UCT UTC WET".split(" "));
/** Names that ICU keeps and the IANA database has dropped. */
const droppedName = /^(?:SystemV\/.+|US\/Pacific-New|Canada\/East-Saskatchewan)$/;

/** Seconds east of Greenwich at a local time in seconds since the epoch. */
export type OffsetAt = (localSeconds: number, fold: boolean) => number;

/** Kept between sessions: making a format takes a hundred times as long as using it. */
const known = new Map<string, OffsetAt>();

/** The offsets of an IANA time zone, from Node's data; `undefined` for a name that Node lacks. */
export function zoneOffsets(name: string): OffsetAt | undefined {
  const made = known.get(name) ?? makeOffsets(name);
  if (made !== undefined) known.set(name, made);
  return made;
}

function makeOffsets(name: string): OffsetAt | undefined {
  const isShortFromIcu = /^[A-Z]{3}$/.test(name) && !shortNames.has(name);
  if (!zoneName.test(name) || droppedName.test(name) || isShortFromIcu) return undefined;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  const { timeZone } = format.resolvedOptions();
  // Node ignores the case of a name; Python does not.
  if (timeZone !== name && timeZone.toLowerCase() === name.toLowerCase()) return undefined;
  return (localSeconds, fold) => offsetAtLocal((instant) => offsetAtInstant(format, instant), localSeconds, fold);
}

/**
 * The offset at a local time. If clocks show it twice, the first one counts unless `fold`; if they
 * skip it, the offset before the gap counts unless `fold` [PEP 495].
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
  if (match === null) throw new Error("Intl writes an offset in an unknown form");
  const [, sign, hours = "0", minutes = "0", seconds = "0"] = match;
  const size = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? -size : size;
}
