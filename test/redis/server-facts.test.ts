import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisError } from "../../src/model/errors.js";
import { openConnection } from "../../src/redis/open-connection.js";
import { askServerFacts, refuseUnfitServer, type ServerFacts } from "../../src/redis/server-facts.js";
import { redisCommand } from "../support/redis-command.js";
import { type RedisServer, startRedis } from "../support/redis-server.js";

async function factsOf(
  server: RedisServer,
  credentials: { username?: string; password?: string } = {},
): Promise<ServerFacts> {
  const address = { host: server.host, port: server.port };
  const { client } = await openConnection({ address, db: 0, ...credentials });
  try {
    return await askServerFacts(client);
  } finally {
    client.disconnect();
  }
}

describe("server-facts: what a server says of itself", () => {
  it("a master: version, role, and a clock that is ours", async () => {
    const server = await startRedis();
    const facts = await factsOf(server);
    assert.match(facts.version ?? "", /^\d+\.\d+\.\d+$/);
    assert.deepEqual({ ...facts, version: "" }, { version: "", role: "master", clockLeadMs: 0 });
    refuseUnfitServer(facts);
    await server.stop();
  });

  it("a right that is missing leaves a fact absent, and the server is taken", async () => {
    const server = await startRedis();
    for (const [rules, absent] of [
      [["-info"], ["version", "role"]],
      [["-time"], []],
      [
        ["-info", "-time"],
        ["version", "role"],
      ],
      [
        ["-@all", "+set"],
        ["version", "role"],
      ],
    ] as const) {
      await redisCommand(server, "ACL", "SETUSER", "u", "reset", "on", ">pw", "~*", "+@all", ...rules);
      const facts = await factsOf(server, { username: "u", password: "pw" });
      const missing = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [name] : []));
      assert.deepEqual(missing.sort(), [...absent].sort());
      assert.equal(facts.clockLeadMs, 0);
      refuseUnfitServer(facts);
    }
    await server.stop();
  });

  it("any other refusal is thrown", async () => {
    const server = await startRedis({ args: ["--requirepass", "pw"] });
    await assert.rejects(factsOf(server), /NOAUTH/);
    await server.stop();
  });

  it("a replica is refused", async () => {
    const master = await startRedis();
    const replica = await startRedis({ args: ["--replicaof", `${master.host} ${master.port}`] });
    const facts = await factsOf(replica);
    assert.equal(facts.role, "slave");
    assert.throws(() => refuseUnfitServer(facts), {
      name: "RedisError",
      kind: "refused",
      message: /replica/,
    });
    await replica.stop();
    await master.stop();
  });

  for (const [version, fits] of [
    ["7.2.4", true],
    ["7.0.0", true],
    ["6.2.14", false],
    ["10.0.0", true],
    [undefined, true],
    ["6.0.16", false],
    ["5.0.7", false],
    ["255.255.255", true],
  ] as const) {
    it(`version ${version}: ${fits ? "taken" : "refused"}`, () => {
      const judge = () => refuseUnfitServer({ version, role: "master", clockLeadMs: 0 });
      if (fits) judge();
      else
        assert.throws(
          judge,
          (error) =>
            error instanceof RedisError &&
            error.kind === "refused" &&
            error.message.includes(String(version)),
        );
    });
  }
});
