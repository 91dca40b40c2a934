import { compareHeld } from "../convert/compare-held.js";
import { convertSession } from "../convert/convert-session.js";
import { explainMissing, isCoveredByMark } from "../convert/missing-key.js";
import type { Lane } from "../migrate/copy-lane.js";
import { laneResult } from "../migrate/lane-result.js";
import { type VerifyParts, verifyBatch } from "../migrate/verify-lane.js";
import { lookAtEach } from "../redis/look-at-keys.js";
import { pause } from "../redis/pause.js";
import { Looks } from "../source/looks.js";
import { OtherPlaces } from "../source/other-places.js";
import { ReadAhead } from "../source/read-ahead.js";
import type { LaneSurroundings } from "./compose-copy-lane.js";
import type { LaneOrder } from "./lane-order.js";

/** A live server's save is whole within this time. */
const changeMs = 250;
/** Where very much is amiss it is no passing change, and waiting again and again would take for ever. */
const mostWaits = 20;

/** Names the concrete parts of a lane of a verification and joins them. */
export function composeVerifyLane(
  { directories, conversion, keyPrefix, clockLeadMs, maxFileSize, tells }: LaneOrder,
  { connection, stop }: Pick<LaneSurroundings, "connection" | "stop">,
): Lane {
  const settings = { ...conversion, keyPrefix };
  let marks: ReadonlyMap<string, number> = new Map();
  let waits = 0;
  const files = new ReadAhead(maxFileSize);
  const otherPlaces = new OtherPlaces(directories, new Looks());
  const parts: VerifyParts = {
    ahead: async (batch) => {
      await Promise.all([files.begin(batch), otherPlaces.begin(batch)]);
    },
    read: (file) => files.read(file),
    isSuperseded: (file, stamp) => otherPlaces.isSuperseded(file, stamp),
    convert: (read, sid) => convertSession(read, sid, settings, Date.now()),
    look: (sids) =>
      connection.runEach(
        sids.map((sid) => keyPrefix + sid),
        lookAtEach(clockLeadMs),
      ),
    compare: (candidate, held) => compareHeld(candidate, held, conversion, Date.now()),
    explainMissing: ({ directory }, stamp, fullLifetimeMs) => {
      const nowMs = Date.now();
      const markMs = marks.get(directory);
      if (markMs !== undefined && isCoveredByMark(stamp, markMs)) {
        return explainMissing(markMs, fullLifetimeMs, nowMs);
      }
      return stamp.mtimeMs + fullLifetimeMs <= nowMs ? "expired" : undefined;
    },
    waitForChanges: async () => {
      waits++;
      if (waits <= mostWaits) await pause(changeMs, stop);
    },
  };
  return {
    begin: async (main) => {
      marks = new Map(main.marks);
    },
    work: async (batch) => laneResult(batch.length, { outcomes: await verifyBatch(batch, parts) }, tells),
    close: async () => undefined,
  };
}
