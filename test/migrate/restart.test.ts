import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { restartIfForgot } from "../../src/migrate/restart.js";
import { RedisError, RedisForgotError, SourceError } from "../../src/model/errors.js";

describe("restart: work starts over if Redis forgot, and ends the third time (Redis that forgot)", () => {
  const running = new AbortController().signal;
  const forgot = () => new RedisForgotError();
  const rows: readonly (readonly [
    name: string,
    errors: readonly Error[],
    attempts: number,
    rejection: object | undefined,
  ])[] = [
    ["never: once", [], 1, undefined],
    ["once: again", [forgot()], 2, undefined],
    ["twice: again", [forgot(), forgot()], 3, undefined],
    [
      "three times: RedisError",
      [forgot(), forgot(), forgot()],
      3,
      { name: "RedisError", kind: "unavailable", message: forgot().message },
    ],
    ["another error is thrown as it is", [new SourceError("gone")], 1, { name: "SourceError" }],
    [
      "another error at the second time",
      [forgot(), new RedisError("refused", "no")],
      2,
      { name: "RedisError", kind: "refused" },
    ],
  ];
  for (const [name, errors, expected, rejection] of rows) {
    it(name, async () => {
      let attempts = 0;
      const events: string[] = [];
      const out = { warn: (message: string) => events.push(message), onRestart: () => events.push("restart") };
      const done = restartIfForgot(
        { out, stop: running },
        async () => {
          const error = errors[attempts++];
          if (error !== undefined) throw error;
        },
        () => events.push("before"),
      );
      if (rejection === undefined) await done;
      else await assert.rejects(done, rejection);
      assert.equal(attempts, expected);
      const restart = [`${forgot().message}. Starting over`, "before", "restart"];
      assert.deepEqual(events, Array.from({ length: expected - 1 }, () => restart).flat());
    });
  }

  const never = () => assert.fail("not to be called");

  it("nothing starts over once the run is to stop", async () => {
    const stopped = { out: { warn: never, onRestart: never }, stop: AbortSignal.abort() };
    const expected = { name: "RedisError", kind: "unavailable" };
    await assert.rejects(
      restartIfForgot(stopped, () => Promise.reject(forgot()), never),
      expected,
    );
  });

  it("nothing starts over if what comes before it throws", async () => {
    const run = { out: { warn: () => undefined, onRestart: never }, stop: running };
    const removed = new RedisError("unavailable", "removed");
    const refuse = () => {
      throw removed;
    };
    await assert.rejects(
      restartIfForgot(run, () => Promise.reject(forgot()), refuse),
      removed,
    );
  });
});
