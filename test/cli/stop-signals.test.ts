import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { listenForStop } from "../../src/cli/stop-signals.js";
import type { StopReason } from "../../src/report/exit-code.js";

const signals = ["SIGHUP", "SIGINT", "SIGTERM"] as const;
const listeners = (): number => signals.reduce((sum, name) => sum + process.listenerCount(name), 0);

/** What a run hears. Catches every exit of the process. */
function listen(t: TestContext, maxDurationMs: number | null) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const exits: (number | string | null | undefined)[] = [];
  t.mock.method(process, "exit", (code: number) => exits.push(code));
  const heard: StopReason[] = [];
  const request = listenForStop(maxDurationMs, (reason) => heard.push(reason));
  t.after(() => request.release());
  return { request, heard, exits, pass: (milliseconds: number) => t.mock.timers.tick(milliseconds) };
}

describe("stop-signals: --max-duration asks the run to stop when its time is up (spec.md section 5, exit 6)", () => {
  it("not a millisecond earlier", (t) => {
    const { request, heard, pass } = listen(t, 5000);
    pass(4999);
    assert.deepEqual([request.signal.aborted, request.reason(), heard], [false, undefined, []]);
    pass(1);
    assert.deepEqual([request.signal.aborted, request.reason(), heard], [true, "time", ["time"]]);
  });

  it("without a limit: never", (t) => {
    const { request, heard, pass } = listen(t, null);
    pass(2 ** 31 - 1);
    assert.deepEqual([request.signal.aborted, request.reason(), heard], [false, undefined, []]);
  });

  it("longer than a Node timer can run: not at once", (t) => {
    const { request, pass } = listen(t, 2 ** 40);
    pass(2 ** 31 - 2);
    assert.equal(request.signal.aborted, false);
  });

  it("after release: never, and no listener is left", (t) => {
    const before = listeners();
    const { request, heard, pass } = listen(t, 5000);
    assert.equal(listeners(), before + signals.length);
    request.release();
    pass(10_000);
    assert.deepEqual([request.signal.aborted, heard, listeners()], [false, [], before]);
  });

  for (const name of signals) {
    it(`${name} after it: the run is stopping already, so the signal is noted and the process goes on`, (t) => {
      const { request, heard, exits, pass } = listen(t, 5000);
      pass(5000);
      process.emit(name);
      assert.deepEqual([request.reason(), heard], [name, ["time", name]]);
      assert.deepEqual(exits, []);
    });

    it(`${name} before it: running out of time no longer counts`, (t) => {
      const { request, heard, exits, pass } = listen(t, 5000);
      process.emit(name);
      assert.deepEqual([request.signal.aborted, request.reason()], [true, name]);
      pass(10_000);
      assert.deepEqual([request.reason(), heard, exits], [name, [name], []]);
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
      assert.deepEqual([exits, heard, request.reason(), request.signal.aborted], [[], [first], first, true]);
      process.emit(second);
      assert.deepEqual(exits, [code]);
    });
  }
});
