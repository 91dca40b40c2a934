import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keysText, redisText, serverText } from "../../src/migrate/tell.js";
import type { Survey } from "../../src/model/mark.js";
import type { RedisFacts } from "../../src/model/redis-facts.js";

const silent: RedisFacts = {
  version: null,
  runId: null,
  role: null,
  persistence: null,
  memoryBefore: null,
  memoryAfter: null,
  memoryLimit: null,
  evicted: null,
};

describe("what --verbose says of Redis", () => {
  const rows: readonly (readonly [
    version: string | undefined,
    leadMs: number,
    facts: RedisFacts | null,
    text: string,
  ])[] = [
    ["7.0.15", 0, null, "Redis 7.0.15, its clock agrees with ours"],
    [undefined, 120, silent, "Redis of a version that it does not tell, its clock is 0.1 s ahead of ours"],
    [
      "8.0.1",
      49,
      { ...silent, role: "master", persistence: false, memoryBefore: 2 ** 30, memoryLimit: 1.5 * 2 ** 30 },
      "Redis 8.0.1, master, no persistence, its clock agrees with ours, uses 1.0 GiB of 1.5 GiB",
    ],
    [
      "8.0.1",
      0,
      { ...silent, role: "master", persistence: true, memoryBefore: 2 ** 20, memoryLimit: 0 },
      "Redis 8.0.1, master, saves to disk, its clock agrees with ours, uses 1.0 MiB of no limit",
    ],
  ];
  for (const [version, clockLeadMs, facts, text] of rows) {
    it(text, () => assert.equal(redisText({ version, clockLeadMs }, facts), text));
  }
});

describe("what --verbose says of the keys and of the server", () => {
  it("keys, and the evidence for their layout", () => {
    assert.equal(keysText("session:", "none"), "keys: session:<sid>, because nothing in Redis says otherwise");
    assert.equal(
      keysText("session::shop:", "found"),
      "keys: session::shop:<sid>, because a server saved keys of this layout",
    );
  });

  it("where the server works, and by what that is known", () => {
    const facts = {
      directory: "/srv/s",
      serverWorks: "redis",
      endedCounts: true,
      changeTimesCount: true,
      latestMtimeMs: 0,
      whole: false,
    } as const;
    const expirations = { expiration: 1, expirationAnonymous: 1 };
    const survey: Survey = {
      keys: "server-saved",
      directories: [facts, { ...facts, directory: "/srv/t", mark: { startedMs: 1000, renewedMs: 1000 } }],
      signsCount: true,
      serverWorks: "redis",
      longest: expirations,
    };
    assert.equal(
      serverText(survey, 61_000),
      "the server works on Redis: Redis holds a key that a server saved, no earlier complete run over /srv/s, " +
        "a complete run 1 min 0 s ago over /srv/t",
    );
  });
});
