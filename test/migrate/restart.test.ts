import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { restartIfRedisForgot } from "../../src/migrate/restart.js";
import { RedisError, RedisForgotError, SourceError } from "../../src/model/errors.js";

describe("restart: work starts over if Redis forgot, and ends the third time (Redis that forgot)", () => {
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
      let restarts = 0;
      const warnings: string[] = [];
      const out = { warn: (message: string) => warnings.push(message), onRestart: () => restarts++ };
      const working = restartIfRedisForgot(out, new AbortController().signal, async () => {
        const error = errors[attempts++];
        if (error !== undefined) throw error;
      });
      if (rejection === undefined) await working;
      else await assert.rejects(working, rejection);
      const warning = `${forgot().message}: it begins again`;
      assert.deepEqual([attempts, restarts], [expected, expected - 1]);
      assert.deepEqual(
        warnings,
        Array.from({ length: expected - 1 }, () => warning),
      );
    });
  }

  it("nothing starts over once the run is to stop", async () => {
    const controller = new AbortController();
    let attempts = 0;
    const out = { warn: () => undefined, onRestart: () => assert.fail("not to be called") };
    const working = restartIfRedisForgot(out, controller.signal, async () => {
      attempts++;
      controller.abort();
      throw new RedisForgotError();
    });
    await assert.rejects(working, { name: "RedisError", kind: "unavailable" });
    assert.equal(attempts, 1);
  });
});
