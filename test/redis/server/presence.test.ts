import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  announce,
  countOthersCopying,
  othersArePresent,
  type Presence,
  presenceName,
  withdraw,
} from "../../../src/redis/server/presence.js";
import { redisCommand } from "../../support/redis-command.js";
import { type RedisServer, startRedis } from "../../support/redis-server.js";
import { clientOf } from "../support/client-of.js";

const own: Presence = { places: ["/srv/a", "/srv/b"], token: "0123456789abcdef" };
const other: Presence = { ...own, token: "fedcba9876543210" };

describe("presence: what other runs see of one", () => {
  it("what it is at, and of which directories; not their names", () => {
    assert.match(
      presenceName("copying", own),
      /^tele-sessions:copying:[0-9a-f]{16},[0-9a-f]{16}:0123456789abcdef$/,
    );
    assert.match(presenceName("removing", own), /^tele-sessions:removing:/);
  });

  it("each directory has a scope of its own, alone or among others", () => {
    const scopesOf = (...places: string[]) =>
      presenceName("copying", { ...own, places })
        .split(":")[2]
        ?.split(",");
    const [a] = scopesOf("/srv/a") ?? [];
    const [b] = scopesOf("/srv/b") ?? [];
    assert.notEqual(a, b);
    assert.deepEqual(scopesOf("/srv/b", "/srv/a"), [b, a]);
  });
});

describe("presence: a purge waits for copies of its directories, which would take its removals for logouts", () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const rows: readonly (readonly [name: string, others: readonly string[], count: number])[] = [
    ["nobody else", [], 0],
    ["another copy of the same directories", [presenceName("copying", other)], 1],
    [
      "another copy of one of them, and of others",
      [presenceName("copying", { ...other, places: ["/srv/x", "/srv/b"] })],
      1,
    ],
    [
      "two other copies",
      [presenceName("copying", other), presenceName("copying", { ...other, token: "1" })],
      2,
    ],
    ["a copy of another directory", [presenceName("copying", { ...other, places: ["/srv/x"] })], 0],
    ["a copy that removes by now", [presenceName("removing", other)], 0],
    ["an earlier connection of this run", [presenceName("copying", own)], 0],
    ["strangers", ["tele-sessions", "tele-sessions:copying:", "copying", "x=tele-sessions:copying:"], 0],
  ];
  for (const [name, others, count] of rows) {
    it(`${name}: ${count}`, async (t) => {
      // The clients of the row before may be seen a moment longer.
      await redisCommand(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      const client = await clientOf(t, server, presenceName("copying", own));
      for (const each of others) await clientOf(t, server, each);
      assert.equal(await countOthersCopying(client, own), count);
    });
  }

  it("a copy that ended is not seen any more", async (t) => {
    const client = await clientOf(t, server, presenceName("removing", own));
    const copying = await clientOf(t, server, presenceName("copying", other));
    assert.equal(await countOthersCopying(client, own), 1);
    await copying.quit();
    assert.equal(await countOthersCopying(client, own), 0);
  });

  it("a run of no directory at all", async (t) => {
    const none = { ...own, places: [] };
    await clientOf(t, server, presenceName("copying", none));
    const client = await clientOf(t, server, presenceName("copying", { ...none, token: "2" }));
    assert.equal(await countOthersCopying(client, { ...none, token: "2" }), 0);
  });

  it("without the right to CLIENT LIST nothing is known; without that to CLIENT SETNAME none is seen", async (t) => {
    await redisCommand(
      server,
      "ACL",
      "SETUSER",
      "u",
      "on",
      ">pw",
      "~*",
      "+@all",
      "-client|list",
      "-client|setname",
    );
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    assert.equal(await countOthersCopying(client, own), undefined);
    assert.equal(await announce(client, presenceName("copying", own)), false);
    const allowed = await clientOf(t, server);
    assert.equal(await announce(allowed, presenceName("copying", own)), true);
    assert.equal(await allowed.client("GETNAME"), presenceName("copying", own));
  });

  it("a list without our own connection tells nothing", async (t) => {
    // As behind a proxy: the list is that of somebody else's connections.
    const client = await clientOf(t, server, "proxy");
    assert.equal(await countOthersCopying(client, own), undefined);
    assert.equal(await othersArePresent(client, own), undefined);
  });

  it("a connection without a name finds itself by its id; without the right to ask for it, it does not", async (t) => {
    const client = await clientOf(t, server);
    assert.equal(await countOthersCopying(client, own), 0);
    await redisCommand(server, "ACL", "SETUSER", "v", "on", ">pw", "~*", "+@all", "-client|id");
    const nameless = await clientOf(t, { ...server, username: "v", password: "pw" });
    assert.equal(await countOthersCopying(nameless, own), undefined);
  });

  it("a run that is over is not seen, and still sees others", async (t) => {
    const client = await clientOf(t, server, presenceName("copying", own));
    const another = await clientOf(t, server, presenceName("copying", other));
    await withdraw(client, own);
    assert.equal(await othersArePresent(client, own), true);
    assert.equal(await othersArePresent(another, other), false);
  });

  it("a connection that does not list itself, as through some proxies: nothing is known", async (t) => {
    const client = await clientOf(t, server);
    const call = client.client.bind(client);
    Object.assign(client, {
      client: async (subcommand: "LIST" | "ID") =>
        subcommand === "LIST" ? "id=999999 addr=10.0.0.1:1 name=other db=0\n" : call("ID"),
    });
    assert.equal(await countOthersCopying(client, own), undefined);
  });

  it("a lost connection is thrown", async (t) => {
    const client = await clientOf(t, server);
    client.disconnect();
    await assert.rejects(announce(client, presenceName("copying", own)), /writeable/);
  });
});
