import type { SessionFile } from "../model/session-file.js";
import type { CopyLane, CopyResult } from "./copy-lane.js";
import { joinResults } from "./lane-result.js";

/** Several lanes as one: each batch is shared out among them by sid, so that a session comes to the same one each time. */
export function joinLanes(lanes: readonly CopyLane[]): CopyLane {
  const [only] = lanes;
  if (lanes.length === 1 && only !== undefined) return only;
  const all = async (step: (lane: CopyLane) => Promise<void>) => {
    await settled(lanes.map(step));
  };
  return {
    begin: (main) => all((lane) => lane.begin(main)),
    beginPass: (later) => all((lane) => lane.beginPass(later)),
    changedOf: async (batch) => {
      const changed = await settled(share(lanes, batch).map(([lane, part]) => lane.changedOf(part)));
      return changed.flat();
    },
    work: async (batch) =>
      joinCopyResults(await settled(share(lanes, batch).map(([lane, part]) => lane.work(part)))),
    takeBackEnded: async () => (await settled(lanes.map((lane) => lane.takeBackEnded()))).flat(),
    rest: () => all((lane) => lane.rest()),
    close: () => all((lane) => lane.close()),
  };
}

/** Which lane takes which part of a batch; lanes without a part are left out. */
function share(
  lanes: readonly CopyLane[],
  batch: readonly SessionFile[],
): readonly (readonly [CopyLane, SessionFile[]])[] {
  const parts = lanes.map((lane) => [lane, [] as SessionFile[]] as const);
  for (const file of batch) parts[laneOf(file.sid, lanes.length)]?.[1].push(file);
  return parts.filter(([, files]) => files.length > 0);
}

/** By the end of a sid: its beginning is the same for all of a scatter folder. */
function laneOf(sid: string, count: number): number {
  return (sid.charCodeAt(sid.length - 1) + 7 * sid.charCodeAt(sid.length - 2)) % count;
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
    longestLifetimeMs: Math.max(0, ...results.map(({ longestLifetimeMs }) => longestLifetimeMs)),
    largestLeadMs: Math.max(0, ...results.map(({ largestLeadMs }) => largestLeadMs)),
    inUse: results.some(({ inUse }) => inUse),
  };
}
