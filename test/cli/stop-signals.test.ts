import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { listenForStop } from "../../src/cli/stop-signals.js";
import type { StopSignal } from "../../src/report/exit-code.js";

const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const listeners = (): number => signals.reduce((sum, name) => sum + process.listenerCount(name), 0);

/** What a run hears; every exit of the process is caught. */
function listen(t: TestContext, maxDurationMs: number | null) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const exits: (number | string | null | undefined)[] = [];
  t.mock.method(process, "exit", (code: number) => exits.push(code));
  const heard: (StopSignal | "time")[] = [];
  const request = listenForStop(maxDurationMs, (reason) => heard.push(reason));
  t.after(() => request.release());
  return { request, heard, exits, pass: (milliseconds: number) => t.mock.timers.tick(milliseconds) };
}

describe("stop-signals: --max-duration asks the run to stop when its time is up (spec.md section 5, exit 6)", () => {
  it("not a moment earlier", (t) => {
    const { request, heard, pass } = listen(t, 5000);
    pass(4999);
    assert.deepEqual([request.signal.aborted, request.outOfTime(), heard], [false, false, []]);
    pass(1);
    assert.deepEqual([request.signal.aborted, request.outOfTime(), heard], [true, true, ["time"]]);
    assert.equal(request.received(), undefined);
  });

  it("none: never", (t) => {
    const { request, heard, pass } = listen(t, null);
    pass(2 ** 31 - 1);
    assert.deepEqual([request.signal.aborted, request.outOfTime(), heard], [false, false, []]);
  });

  it("longer than a timer of Node can be: not at once", (t) => {
    const { request, pass } = listen(t, 2 ** 40);
    pass(2 ** 31 - 2);
    assert.equal(request.signal.aborted, false);
  });

  it("once it is released: never, and nobody listens any more", (t) => {
    const before = listeners();
    const { request, heard, pass } = listen(t, 5000);
    assert.equal(listeners(), before + signals.length);
    request.release();
    pass(10_000);
    assert.deepEqual([request.signal.aborted, heard, listeners()], [false, [], before]);
  });

  for (const name of signals) {
    it(`${name} behind it: the run stops already, the signal is kept, and the process goes on`, (t) => {
      const { request, heard, exits, pass } = listen(t, 5000);
      pass(5000);
      process.emit(name);
      assert.deepEqual([request.received(), request.outOfTime(), heard], [name, true, ["time", name]]);
      assert.deepEqual(exits, []);
    });

    it(`${name} before it: the time says nothing more`, (t) => {
      const { request, heard, exits, pass } = listen(t, 5000);
      process.emit(name);
      assert.deepEqual([request.signal.aborted, request.received()], [true, name]);
      pass(10_000);
      assert.deepEqual([request.outOfTime(), heard, exits], [false, [name], []]);
    });
  }
});

describe("stop-signals: the first signal asks, a second ends the process at once (spec.md section 5)", () => {
  for (const [first, second, code] of [
    ["SIGINT", "SIGINT", 130],
    ["SIGINT", "SIGTERM", 143],
    ["SIGTERM", "SIGHUP", 129],
  ] as const) {
    it(`${first}, then ${second}: ${code}`, (t) => {
      const { request, heard, exits } = listen(t, null);
      process.emit(first);
      assert.deepEqual(
        [exits, heard, request.received(), request.signal.aborted],
        [[], [first], first, true],
      );
      process.emit(second);
      assert.deepEqual(exits, [code]);
    });
  }
});
