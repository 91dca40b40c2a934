import assert from "node:assert/strict";
import { LatencyProbe } from "../../../src/source/latency-probe.js";

/** A probe that has found that calls are slow. */
export function slowProbe(): LatencyProbe {
  let nowMs = 0;
  const probe = new LatencyProbe(() => nowMs++);
  for (let calls = 0; calls < 128; calls++) probe.time(() => undefined);
  assert(probe.isSlow);
  return probe;
}
