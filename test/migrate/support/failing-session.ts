import { appendFileSync } from "node:fs";
import type { TestContext } from "node:test";
import type { FailureReason } from "../../../src/model/outcome.js";
import { keyOf, pathOf, saveSession } from "../../end-to-end/support/made-session.js";
import { interceptCalls, systemError } from "../../support/kills/intercept-calls.js";
import type { RunOfTest } from "./run-of-test.js";

const uid = "S'uid'\nI2\ns";
/** What the session file holds that fails for a reason; for others it is a session. */
const contents: { readonly [Reason in FailureReason]?: string } = {
  corrupt: '{"uid": 2',
  "not-a-session": "[1]",
  circular: `(d${uid}S'v'\n(lp1\ng1\nas.`,
  "too-deep": `{"uid": 2, "v": ${"[".repeat(600)}${"]".repeat(600)}}`,
  "unsupported-type": `(d${uid}S'v'\ncdecimal\nDecimal\n(S'1.5'\ntRs.`,
  "too-large": `{"uid": 2, "v": "${"x".repeat(20_000)}"}`,
};

/** What else makes a session fail from now on. */
const events: {
  readonly [Reason in FailureReason]?: (t: TestContext, made: RunOfTest, number: number) => unknown;
} = {
  unreadable: (t, { directory }, number) =>
    t.after(
      interceptCalls(({ name, paths: [path], proceed }) => {
        if (name === "openSync" && path === pathOf(directory, number)) throw systemError("EIO");
        return proceed();
      }),
    ),
  "changed-repeatedly": (t, { directory }, number) =>
    t.after(
      interceptCalls(({ name, proceed }) => {
        const result = proceed();
        if (name === "readSync") appendFileSync(pathOf(directory, number), " ");
        return result;
      }),
    ),
  "wrong-redis-type": (_, { run }, number) =>
    run.redis.servers.serverOf("").connection.run((client) => client.rpush(keyOf(number), "x")),
  "redis-error": (t, { run }) =>
    t.mock.method(run.redis.store, "create", async (entries: readonly unknown[]) =>
      entries.map(() => ({ kind: "failed", detail: "why" })),
    ),
};

/**
 * Has a server save a session that fails, for a copy with `--max-session-size 4000`. Its key must
 * not exist.
 */
export async function saveFailing(
  reason: FailureReason,
  t: TestContext,
  made: RunOfTest,
  number: number,
): Promise<void> {
  const content = contents[reason] ?? '{"uid": 2, "v": "new"}';
  saveSession(made.directory, number, content, { mtimeMs: Date.now() });
  await events[reason]?.(t, made, number);
}
