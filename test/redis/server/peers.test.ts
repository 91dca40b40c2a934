import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { parseShard } from "../../../src/model/shard.js";
import { announce, type PeerIdentity, PeerRuns } from "../../../src/redis/server/peers.js";
import { redisCommand } from "../../support/servers/redis-command.js";
import { type RedisServer, startRedis } from "../../support/servers/redis-server.js";
import { clientOf } from "../support/client-of.js";

const ownIdentity: PeerIdentity = { places: ["/srv/a", "/srv/b"], shard: null, token: "0123456789abcdef" };
const otherIdentity: PeerIdentity = { ...ownIdentity, token: "fedcba9876543210" };
const own = new PeerRuns(ownIdentity);
const other = new PeerRuns(otherIdentity);

describe("peers: what other runs see of one", () => {
  it("what it is at, and of which directories; not their names", () => {
    assert.match(own.ownName("copying"), /^tele-sessions:copying:[0-9a-f]{16},[0-9a-f]{16}:0123456789abcdef$/);
    assert.match(own.ownName("removing"), /^tele-sessions:removing:/);
  });

  it("each directory has a scope of its own, alone or among others", () => {
    const scopesOf = (...places: string[]) =>
      new PeerRuns({ ...ownIdentity, places }).ownName("copying").split(":")[2]?.split(",");
    const [a] = scopesOf("/srv/a") ?? [];
    const [b] = scopesOf("/srv/b") ?? [];
    assert.notEqual(a, b);
    assert.deepEqual(scopesOf("/srv/b", "/srv/a"), [b, a]);
  });
});

describe("peers: a purge waits for copies of its directories, which would take its removals for logouts", () => {
  let server: RedisServer;
  before(async () => {
    server = await startRedis();
  });
  after(() => server.stop());

  const rows: readonly (readonly [name: string, others: readonly string[], count: number])[] = [
    ["nobody else", [], 0],
    ["another copy of the same directories", [other.ownName("copying")], 1],
    [
      "another copy of one of them, and of others",
      [new PeerRuns({ ...otherIdentity, places: ["/srv/x", "/srv/b"] }).ownName("copying")],
      1,
    ],
    [
      "two other copies",
      [other.ownName("copying"), new PeerRuns({ ...otherIdentity, token: "1" }).ownName("copying")],
      2,
    ],
    ["a copy of another directory", [new PeerRuns({ ...otherIdentity, places: ["/srv/x"] }).ownName("copying")], 0],
    [
      "copies of other shards, of parts of this one, and of a shard that shares some of its sids",
      [
        ...["1/2", "1/4", "2/4", "2/3"].map((text, token) =>
          new PeerRuns({ ...otherIdentity, shard: parseShard(text) ?? null, token: `${token}` }).ownName("copying"),
        ),
      ],
      4,
    ],
    ["a copy that removes by now", [other.ownName("removing")], 0],
    ["an earlier connection of this run", [own.ownName("copying")], 0],
    ["strangers", ["tele-sessions", "tele-sessions:copying:", "copying", "x=tele-sessions:copying:"], 0],
  ];
  for (const [name, others, count] of rows) {
    it(`${name}: ${count}`, async (t) => {
      // The clients of the row before may be seen a moment longer.
      await redisCommand(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      const client = await clientOf(t, server, own.ownName("copying"));
      for (const each of others) await clientOf(t, server, each);
      assert.equal(await own.countCopying(client), count);
    });
  }

  describe("shards: a run waits for copies that may hold the same sids", () => {
    const shardRows: readonly (readonly [own: string, other: string | null, count: number])[] = [
      ["1/4", "2/4", 0],
      ["1/4", "1/4", 1],
      ["1/4", "1/2", 1],
      ["1/4", "2/2", 0],
      ["1/4", "3/3", 1],
      ["999999999/999999999", "1/999999999", 0],
      ["1/1", "2/4", 1],
      ["1/4", null, 1],
    ];
    for (const [ours, theirs, count] of shardRows) {
      it(`${ours} beside ${theirs ?? "a copy of everything"}: ${count}`, async (t) => {
        await redisCommand(server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        const runs = new PeerRuns({ ...ownIdentity, shard: parseShard(ours) ?? null });
        const client = await clientOf(t, server, runs.ownName("copying"));
        const shard = theirs === null ? null : (parseShard(theirs) ?? null);
        await clientOf(t, server, new PeerRuns({ ...otherIdentity, shard }).ownName("copying"));
        assert.equal(await runs.countCopying(client), count);
      });
    }

    it("a version without shards sees a copy of a shard as one of its directory", () => {
      const shard = parseShard("2/4") ?? null;
      const name = new PeerRuns({ ...ownIdentity, shard }).ownName("copying");
      const [, scopes = ""] = / name=tele-sessions:copying:([0-9a-f,]+):([0-9a-f]+) /.exec(` name=${name} `) ?? [];
      const [a, b] = own.ownName("copying").split(":")[2]?.split(",") ?? [];
      assert.deepEqual(scopes.split(",").slice(0, 2), [a, b]);
    });
  });

  it("a copy that ended is not seen any more", async (t) => {
    const client = await clientOf(t, server, own.ownName("removing"));
    const copying = await clientOf(t, server, other.ownName("copying"));
    assert.equal(await own.countCopying(client), 1);
    await copying.quit();
    assert.equal(await own.countCopying(client), 0);
  });

  it("a run of no directory at all", async (t) => {
    const none = { ...ownIdentity, places: [] };
    await clientOf(t, server, new PeerRuns(none).ownName("copying"));
    const client = await clientOf(t, server, new PeerRuns({ ...none, token: "2" }).ownName("copying"));
    assert.equal(await new PeerRuns({ ...none, token: "2" }).countCopying(client), 0);
  });

  it("without the right to CLIENT LIST nothing is known; without that to CLIENT SETNAME none is seen", async (t) => {
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@all", "-client|list", "-client|setname");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    assert.equal(await own.countCopying(client), undefined);
    assert.equal(await announce(client, own.ownName("copying")), false);
    const allowed = await clientOf(t, server);
    assert.equal(await announce(allowed, own.ownName("copying")), true);
    assert.equal(await allowed.client("GETNAME"), own.ownName("copying"));
  });

  it("a list without our own connection tells nothing", async (t) => {
    // As behind a proxy: the list is that of somebody else's connections.
    const client = await clientOf(t, server, "proxy");
    assert.equal(await own.countCopying(client), undefined);
    assert.equal(await own.areThere(client), undefined);
  });

  it("a connection without a name finds itself by its id; without the right to ask for it, it does not", async (t) => {
    const client = await clientOf(t, server);
    assert.equal(await own.countCopying(client), 0);
    await redisCommand(server, "ACL", "SETUSER", "v", "on", ">pw", "~*", "+@all", "-client|id");
    const nameless = await clientOf(t, { ...server, username: "v", password: "pw" });
    assert.equal(await own.countCopying(nameless), undefined);
  });

  it("a run that is over is not seen, and still sees others", async (t) => {
    const client = await clientOf(t, server, own.ownName("copying"));
    const another = await clientOf(t, server, other.ownName("copying"));
    await own.withdraw(client);
    assert.equal(await own.areThere(client), true);
    assert.equal(await other.areThere(another), false);
  });

  it("a connection that does not list itself, as through some proxies: nothing is known", async (t) => {
    const client = await clientOf(t, server);
    const call = client.client.bind(client);
    Object.assign(client, {
      client: async (subcommand: "LIST" | "ID") =>
        subcommand === "LIST" ? "id=999999 addr=10.0.0.1:1 name=other db=0\n" : call("ID"),
    });
    assert.equal(await own.countCopying(client), undefined);
  });

  it("a lost connection is thrown", async (t) => {
    const client = await clientOf(t, server);
    client.disconnect();
    await assert.rejects(announce(client, own.ownName("copying")), /writeable/);
  });
});
