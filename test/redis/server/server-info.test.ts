import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { allowed, fieldOf } from "../../../src/redis/server/server-info.js";

function reply(message: string, name = "ReplyError"): Error {
  return Object.assign(new Error(message), { name });
}

describe("server-info: a right or a command that is missing is no error, anything else is", () => {
  it("what is allowed comes back, also where it is nothing", async () => {
    assert.equal(await allowed(async () => "text"), "text");
    assert.equal(await allowed(async () => null), null);
  });

  for (const message of [
    "NOPERM this user has no permissions to run 'info'",
    "ERR unknown command 'CONFIG', with args beginning with: 'GET' 'save' ",
    "ERR unknown command `CONFIG`",
    "ERR The user executing the script can't run this command or subcommand script: a7f3, on @user_script:1.",
    "ERR ACL failure in script: User u has no permissions to run the 'set' command script: a7f3, on @user_script:1.",
    "ERR Unknown subcommand or wrong number of arguments for 'LIST'",
  ]) {
    it(`${message}: undefined`, async () =>
      assert.equal(await allowed(() => Promise.reject(reply(message))), undefined));
  }

  for (const [name, error] of [
    ["NOAUTH", reply("NOAUTH Authentication required.")],
    ["LOADING", reply("LOADING Redis is loading the dataset in memory")],
    ["an error that only quotes it", reply("ERR NOPERM")],
    ["an error that Redis did not reply", reply("NOPERM", "Error")],
    ["what is no error", "NOPERM"],
  ] as const) {
    it(`${name} is thrown as it is`, async () => {
      await assert.rejects(
        allowed(() => Promise.reject(error)),
        (thrown) => thrown === error,
      );
    });
  }
});

describe("server-info: a field of what INFO answers", () => {
  const info = "# Memory\r\nused_memory:1024\r\nused_memory_human:1.00K\r\nempty:\r\nrole:a:b\r\nlast:7";
  for (const [name, value] of [
    ["used_memory", "1024"],
    ["used_memory_human", "1.00K"],
    ["empty", ""],
    ["role", "a:b"],
    ["last", "7"],
    ["memory", undefined],
    ["absent", undefined],
  ] as const) {
    it(`${name}: ${value}`, () => assert.equal(fieldOf(info, name), value));
  }

  it("an INFO that some server ends by line feeds alone", () => assert.equal(fieldOf("a:1\nb:2\n", "a"), "1"));
});
