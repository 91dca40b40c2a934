import assert from "node:assert/strict";
import { WaitGauge } from "../../../src/source/wait-gauge.js";

/** A gauge that has found that calls are slow. */
export function waitingGauge(): WaitGauge {
  let nowMs = 0;
  const gauge = new WaitGauge(() => nowMs++);
  for (let calls = 0; calls < 128; calls++) gauge.time(() => undefined);
  assert(gauge.waits);
  return gauge;
}
