import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allowRestart } from "../../src/migrate/restart.js";
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
      let restarts = 0;
      const warnings: string[] = [];
      const attempts = () => {
        for (let attempt = 1; ; attempt++) {
          const error = errors[attempt - 1];
          if (error === undefined) return attempt;
          allowRestart(error, attempt, (message) => warnings.push(message), running);
          restarts++;
        }
      };
      if (rejection === undefined) assert.equal(attempts(), expected);
      else assert.throws(attempts, rejection);
      assert.equal(restarts, expected - 1);
      const warning = `${forgot().message}. Starting over`;
      assert.deepEqual(
        warnings,
        Array.from({ length: restarts }, () => warning),
      );
    });
  }

  it("nothing starts over once the run is to stop", () => {
    const never = () => assert.fail("not to be called");
    const expected = { name: "RedisError", kind: "unavailable" };
    assert.throws(() => allowRestart(forgot(), 1, never, AbortSignal.abort()), expected);
  });
});
