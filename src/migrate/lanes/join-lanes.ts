import type { SessionFile } from "../../model/session-file.js";
import type { CopyLane, CopyResult, Lane } from "./copy-lane.js";
import { joinResults } from "./lane-result.js";

/** What the thread of the run does besides a lane, the scan and the ledger foremost, as a part of what one lane does. */
const besides = 0.1;

/**
 * Several lanes as one: each batch is shared out among them by sid, so that a session comes to the same one each time. The last of them is on
 * the thread of the run, and gets less.
 */
export function joinLanes(lanes: readonly Lane[]): Lane {
  const all = allOf(lanes);
  const places = sharesOf(lanes.length);
  return {
    begin: (main) => all((lane) => lane.begin(main)),
    learn: (survey) => all((lane) => lane.learn(survey)),
    work: async (batch) => joinResults(await shared(lanes, places, batch, (lane, part) => lane.work(part))),
    close: () => all((lane) => lane.close()),
  };
}

/** The same for lanes of a copy. */
export function joinCopyLanes(lanes: readonly CopyLane[]): CopyLane {
  const all = allOf(lanes);
  const places = sharesOf(lanes.length);
  return {
    ...joinLanes(lanes),
    beginPass: (later) => all((lane) => lane.beginPass(later)),
    changedOf: async (batch) =>
      (await shared(lanes, places, batch, (lane, part) => lane.changedOf(part))).flat(),
    work: async (batch) =>
      joinCopyResults(await shared(lanes, places, batch, (lane, part) => lane.work(part))),
    takeBackEnded: async () => (await settled(lanes.map((lane) => lane.takeBackEnded()))).flat(),
    countMissing: async () => {
      const counts = await settled(lanes.map((lane) => lane.countMissing()));
      return counts.reduce(
        (sum, count) => (sum === undefined || count === undefined ? undefined : sum + count),
        0,
      );
    },
    rest: () => all((lane) => lane.rest()),
  };
}

function allOf<L extends Lane>(lanes: readonly L[]) {
  return async (step: (lane: L) => Promise<void>): Promise<void> => {
    await settled(lanes.map(step));
  };
}

/** Has each lane do its part of a batch; lanes without a part are left out. */
function shared<L extends Lane, T>(
  lanes: readonly L[],
  places: Uint8Array,
  batch: readonly SessionFile[],
  work: (lane: L, part: readonly SessionFile[]) => Promise<T>,
): Promise<T[]> {
  const parts = partsOf(batch, lanes.length, places);
  return settled(
    lanes.flatMap((lane, at) => {
      const part = parts[at] ?? [];
      return part.length > 0 ? [work(lane, part)] : [];
    }),
  );
}

function partsOf(batch: readonly SessionFile[], count: number, places: Uint8Array): SessionFile[][] {
  const parts = Array.from({ length: count }, (): SessionFile[] => []);
  for (const file of batch) parts[places[placeOf(file.sid)] ?? 0]?.push(file);
  return parts;
}

const placeCount = 256;

/** Which lane has which place. */
function sharesOf(count: number): Uint8Array {
  const last = Math.max(0, (1 - besides * (count - 1)) / count);
  const places = new Uint8Array(placeCount);
  for (let place = 0; place < placeCount; place++) {
    const part = place / placeCount;
    places[place] = part < last ? count - 1 : Math.floor(((part - last) / (1 - last)) * (count - 1));
  }
  return places;
}

/** By the end of a sid: its beginning is the same for all of a scatter folder. */
function placeOf(sid: string): number {
  let hash = 0;
  for (let index = sid.length - 4; index < sid.length; index++) hash = hash * 31 + sid.charCodeAt(index);
  return Math.imul(hash, 0x9e3779b1) >>> 24;
}

/** Waits for all, also where one fails, so that nothing goes on behind the error that is then thrown. */
async function settled<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(promises);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

function joinCopyResults(results: readonly CopyResult[]): CopyResult {
  return {
    ...joinResults(results),
    largestLeadMs: Math.max(0, ...results.map(({ largestLeadMs }) => largestLeadMs)),
    inUse: results.some(({ inUse }) => inUse),
  };
}
