import { type Conversion, type ConversionOptions, convertSession } from "../../convert/convert-session.js";
import { expiryInstant } from "../../convert/lifetime.js";
import { increase, placeBelow } from "../../model/counts.js";
import {
  countDatabase,
  countUnsupported,
  type Inspection,
  inspectedAges,
  inspectedSizes,
  maxInspectedFailures,
  newInspection,
} from "../../model/inspection.js";
import type { SessionFile } from "../../model/session-file.js";
import type { OtherLocations } from "../../source/other-locations.js";
import type { ReadAhead } from "../../source/read-ahead.js";
import type { Reading } from "../../source/read-session-file.js";
import { pathOf } from "../../source/recent-files.js";
import { ownMemory } from "../memory-need.js";

/** Why a file fails. */
type Refusal = Omit<Extract<Conversion, { readonly kind: "failed" }>, "kind" | "format">;

/** Byte with which pickles since protocol 2 begin; the next byte is the protocol. */
const protoOpcode = 0x80;
/** The opcode for an empty dict, with which protocol 1 writes a session; 0 writes it as text. */
const emptyDictOpcode = 0x7d;

/** Counts what is in session files. It keeps none of them. */
export class BatchInspector {
  readonly inspection: Inspection = newInspection();
  readonly #files: ReadAhead;
  readonly #locations: OtherLocations;
  readonly #conversion: ConversionOptions;
  readonly #runStartedMs: number;

  /** `runStartedMs`: what ages count to, milliseconds since the epoch. */
  constructor(files: ReadAhead, locations: OtherLocations, conversion: ConversionOptions, runStartedMs: number) {
    this.#files = files;
    this.#locations = locations;
    this.#conversion = conversion;
    this.#runStartedMs = runStartedMs;
  }

  /** Reads a file and counts what is in it. */
  inspect(file: SessionFile): void {
    const { counts, layouts } = this.inspection;
    const reading = this.#files.read(file);
    if (reading.kind === "empty" || reading.kind === "ignored") {
      counts[reading.kind]++;
      return;
    }
    counts.found++;
    layouts[file.layout]++;
    if (reading.kind === "vanished") counts.vanished++;
    else if (reading.kind === "failed") this.#countFailure(file, reading);
    else this.#countSession(file, reading);
  }

  #countSession(file: SessionFile, { read, stamp }: Extract<Reading, { readonly kind: "read" }>): void {
    const { inspection } = this;
    const { counts, ages, sizes } = inspection;
    const { length } = read.bytes;
    counts.bytesRead += length;
    inspection.largestBytes = Math.max(inspection.largestBytes, length);
    countAt(sizes, placeBelow(inspectedSizes, length));
    countAt(ages, placeBelow(inspectedAges, this.#runStartedMs - read.mtimeMs));
    if (this.#locations.laterFile(file, stamp) !== undefined) {
      counts.superseded++;
      return;
    }
    const nowMs = Date.now();
    const conversion = convertSession(read, file.sid, this.#conversion, nowMs);
    if (conversion.kind === "failed") {
      this.#countFailure(file, conversion);
      return;
    }
    const { facts, format, warning } = conversion;
    counts[facts.authenticated ? "authenticated" : "anonymous"]++;
    if (facts.lossy) counts.lossy++;
    if (format === "json") counts.json++;
    else countAt(inspection.pickles, protocolOf(read.bytes));
    if (facts.database === undefined || facts.database === "") counts.withoutDatabase++;
    else countDatabase(inspection, facts.database);
    if (warning !== undefined) increase(inspection.warnings, warning);
    if (conversion.kind === "expired") {
      counts.expired++;
      counts.expiredRemaining++;
      return;
    }
    const { key, value } = conversion.entry;
    counts.keys++;
    counts.ownMemory += ownMemory(key, value);
    const { fullLifetimeMs, lifetimeOrigin } = conversion;
    const lifetime = { seconds: fullLifetimeMs / 1000, origin: lifetimeOrigin, odd: false };
    if (expiryInstant(read, lifetime, "remaining") <= nowMs) counts.expiredRemaining++;
  }

  #countFailure(file: SessionFile, refusal: Refusal): void {
    const { counts, reasons, suspicious, failures } = this.inspection;
    const { reason, detail, foreignName } = refusal;
    const found = { sid: file.sid, path: pathOf(file), reason, detail };
    counts.failed++;
    increase(reasons, reason);
    if (refusal.suspicious === true && foreignName !== undefined) {
      counts.suspicious++;
      if (suspicious.length < maxInspectedFailures) suspicious.push({ ...found, suspicious: true, foreignName });
      return;
    }
    if (reason === "unsupported-type") {
      countUnsupported(this.inspection, foreignName ?? detail.replace(/ at byte \d+$/, ""));
    }
    if (failures.length < maxInspectedFailures) failures.push(found);
  }
}

/** The protocol of a pickle. Those before 2 do not say: 1 begins with a binary opcode. */
function protocolOf(bytes: Buffer): number {
  if (bytes[0] === protoOpcode) return bytes[1] ?? 0;
  return bytes[0] === emptyDictOpcode ? 1 : 0;
}

function countAt(counts: number[], place: number): void {
  counts[place] = (counts[place] ?? 0) + 1;
}
