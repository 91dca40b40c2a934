import { factsAt, jsonAt, maxSourceLength, sourceAt } from "./memory-layout";
import { Container, isNamed, isText, isTruthy, Kind, Text, Value } from "./plain-values";
import { readJson } from "./read-json";
import { readPickle } from "./read-pickle";
import { isLossy, writeJson } from "./write-json";

export { factsAt, jsonAt, sourceAt };

/** What JavaScript reads after a conversion, in this order. */
@unmanaged
class Facts {
  /** Whether the JSON has lists for tuples. */
  lossy: u32;
  /** Whether the uid is truthy. */
  authenticated: u32;
  /** How many of the session keys the dict holds, counted up to two. */
  keys: u32;
  /** Where the name of the database begins and ends in the session file; 0 if there is none. */
  databaseStart: u32;
  databaseEnd: u32;
  databaseIsLatin1: u32;
}

const facts = changetype<Facts>(factsAt);
/** Two keys prove as much as six that a dict is a session. */
const maxKeysCounted: u32 = 2;

/**
 * Converts a pickle of that many bytes, copied to `sourceAt`, to JSON at `jsonAt`, and returns the
 * length of the JSON. 0 leaves the pickle to the pickle machine.
 */
export function convertPickle(length: usize): usize {
  if (length > maxSourceLength) return 0;
  const session = readPickle(length);
  if (session === null || !takeFacts(session)) return 0;
  const jsonLength = writeJson(session);
  facts.lossy = isLossy();
  return jsonLength;
}

/**
 * Whether JSON of that many bytes, copied to `sourceAt`, is a session just as Python writes it.
 * `false` leaves it to the machine, which reads and writes any JSON.
 */
export function isPlainJson(length: usize): bool {
  if (length > maxSourceLength) return false;
  const session = readJson(length);
  facts.lossy = 0;
  return session !== null && takeFacts(session);
}

/** Notes what is in the dict; returns `false` to leave it to the machine. */
function takeFacts(session: Container): bool {
  facts.authenticated = 0;
  facts.keys = 0;
  facts.databaseStart = facts.databaseEnd = facts.databaseIsLatin1 = 0;
  for (let key = session.first; key !== null; ) {
    const name = changetype<Text>(key);
    const value = key.next;
    // A lifetime of its own, which the machine reads.
    if (value === null || isNamed(name, "expiration") || isNamed(name, "deletion_time")) return false;
    if (isNamed(name, "uid")) facts.authenticated = isTruthy(value);
    if (isNamed(name, "db")) noteDatabase(value);
    if (isSessionKey(name) && facts.keys < maxKeysCounted) facts.keys++;
    key = value.next;
  }
  // A dict without session keys may be damaged: the machine decides.
  return facts.keys > 0;
}

/** Every server saves these in every session. */
function isSessionKey(name: Text): bool {
  return (
    isNamed(name, "db") ||
    isNamed(name, "uid") ||
    isNamed(name, "login") ||
    isNamed(name, "session_token") ||
    isNamed(name, "context") ||
    isNamed(name, "debug")
  );
}

function noteDatabase(value: Value): void {
  if (!isText(value)) return;
  const name = changetype<Text>(value);
  facts.databaseStart = <u32>(name.start - sourceAt);
  facts.databaseEnd = <u32>(name.end - sourceAt);
  facts.databaseIsLatin1 = value.kind === Kind.latinText;
}
