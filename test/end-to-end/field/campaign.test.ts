import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { applets } from "./campaign/applets.js";
import { commands } from "./campaign/commands.js";
import { contents } from "./campaign/contents.js";
import { limits } from "./campaign/limits.js";
import { permissions } from "./campaign/permissions.js";
import { places } from "./campaign/places.js";
import { playSituation } from "./campaign/play-situation.js";
import { settings } from "./campaign/settings.js";
import type { Situation } from "./campaign/situation.js";

const kinds: Readonly<Record<string, readonly Situation[]>> = {
  "misspelt and contradictory settings": settings,
  "wrong level, wrong port, wrong server": places,
  "hidden and denied commands": commands,
  "limits of Redis and of the machine": limits,
  "mounts, owners and permissions": permissions,
  "odd names and contents": contents,
  "applets and what they left in Redis": applets,
};
/** Every sixth one otherwise, and none that is slow. */
const playsAll = process.env["TELE_SESSIONS_CAMPAIGN"] === "all";
const isRoot = process.getuid?.() === 0;

test("the campaign has at least 8 situations of each kind, 60 in all, 25 with a real fault", () => {
  const all = Object.values(kinds).flat();
  for (const [kind, situations] of Object.entries(kinds)) assert.ok(situations.length >= 8, kind);
  assert.ok(all.length >= 60, String(all.length));
  assert.ok(all.filter(({ fault }) => fault === true).length >= 25);
});

describe("campaign", { concurrency: 3 }, () => {
  for (const [kind, situations] of Object.entries(kinds)) {
    describe(kind, { concurrency: 1 }, () => {
      let shared: RedisServer;
      before(async () => {
        shared = await startRedis();
      });
      after(() => shared.stop());

      for (const [index, situation] of situations.entries()) {
        if (!playsAll && (situation.slow === true || index % 6 > 0)) continue;
        const skip = situation.root === true && !isRoot ? "only root can bring this about" : false;
        test(situation.name, { skip }, (t) => playSituation(t, situation, shared));
      }
    });
  }
});
