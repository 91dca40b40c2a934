import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { existingKeys } from "../../src/redis/existing-keys.js";
import { redisOf } from "../end-to-end/support/redis-of-test.js";
import { redisCommand } from "../support/redis-command.js";
import { clientOf } from "./support/client-of.js";

describe("existing-keys", () => {
  it("each key's own answer, in their order, whatever its type; by read commands only", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "SET", "session:a", "{}");
    await redisCommand(server, "RPUSH", "session:list", "x");
    await redisCommand(server, "SET", "session:over", "{}", "PXAT", Date.now() - 1);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~*", "+@read", "+info");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    const keys = ["session:none", "session:a", "session:list", "session:over", "session:a"];
    assert.deepEqual(await existingKeys(client, keys), [false, true, true, false, true]);
    assert.deepEqual(await existingKeys(client, []), []);
  });

  it("a right that is missing is thrown", async (t) => {
    const server = await redisOf(t);
    await redisCommand(server, "ACL", "SETUSER", "u", "on", ">pw", "~session:*", "+@all");
    const client = await clientOf(t, { ...server, username: "u", password: "pw" });
    await assert.rejects(existingKeys(client, ["session:a", "other:a"]), /NOPERM/);
  });

  it("a connection that is gone is thrown", async (t) => {
    const client = await clientOf(t, await redisOf(t));
    client.disconnect();
    await assert.rejects(existingKeys(client, ["session:a"]));
  });
});
