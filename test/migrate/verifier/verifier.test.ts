import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RedisError } from "../../../src/model/errors.js";
import { pathOf } from "../../../src/source/recent-files.js";
import { dayMs, hourMs, sessionOfLength, sessionText } from "../../support/sessions/session-directory.js";
import { conversion, copiedAgo, marked } from "../copy-writer/writer-ground.js";
import {
  differences,
  different,
  equal,
  missing,
  noLifetime,
  old,
  other,
  type State,
  states,
  VerifierGround,
  vanished,
  withFile,
} from "./verifier-ground.js";

describe("verifier: each file ends as one of the outcomes (spec.md section 4, Verify)", () => {
  for (const [name, state, expected] of states) {
    it(`${name}: ${expected}`, async () => {
      const ground = new VerifierGround();
      assert.deepEqual(await ground.verify(ground.place(1, state)), [expected]);
      assert.equal(ground.waits, differences.includes(expected) ? 1 : 0, "only differences are compared twice");
    });
  }

  it("no reply", async () => {
    const ground = new VerifierGround();
    Object.assign(ground.store, { read: async () => [] });
    assert.deepEqual(await ground.verify(ground.place(1, equal)), ["failed: no reply"]);
  });

  it("a key that ran out while the file was compared: expired", async (t) => {
    const nowMs = Date.now();
    t.mock.timers.enable({ apis: ["Date"], now: nowMs });
    const ground = new VerifierGround({ conversion: { ...conversion, ttl: "remaining" } });
    const lifetimeMs = 1000 * conversion.expiration;
    const file = ground.directory.save(1, sessionText(), { mtimeMs: nowMs - lifetimeMs + 2000 });
    Object.assign(ground.store, {
      read: async () => {
        t.mock.timers.setTime(nowMs + 3000);
        return [{ kind: "nothing" }];
      },
    });
    assert.deepEqual(await ground.verify(file), ["expired"]);
  });

  for (const [name, mtimeMs] of [
    ["sent as it is", Date.now() - hourMs],
    ["just modified", Date.now()],
  ] as const) {
    it(`what is known of a session is told, and nothing was written (${name})`, async () => {
      const ground = new VerifierGround();
      const file = ground.directory.save(1, sessionText(), { mtimeMs });
      ground.hold(1);
      const { outcomes, page } = await ground.verifier.workOn([file]);
      const facts = { authenticated: true, lossy: false };
      const bytesRead = sessionText().length;
      const known = { format: "json", facts, bytesRead, bytesWritten: 0 };
      assert.deepEqual(
        outcomes.map(({ mtimeMs: _, expiresAtMs: __, ...outcome }) => outcome),
        [{ sid: file.sid, kind: "equal", ...known }],
      );
      assert.deepEqual([page.bytesRead, page.bytesWritten], [bytesRead, 0]);
    });
  }

  const details: readonly (readonly [kind: string, state: State, detail: RegExp])[] = [
    ["missing", missing, /no key/],
    ["different", different, /older value/],
    ["different", withFile((ground, number) => ground.hold(number, "{")), /in doubt/],
    ["wrong-lifetime", noLifetime, /lifetime/],
  ];
  for (const [kind, state, detail] of details) {
    it(`${kind}: the report says which file, and ${detail}`, async () => {
      const ground = new VerifierGround({ collectsOutcomes: false });
      const file = ground.place(1, state);
      const { outcomes, page } = await ground.verifier.workOn([file]);
      const [{ detail: told, ...others } = assert.fail("no difference")] = page.differences;
      assert.match(told, detail);
      assert.deepEqual(others, { sid: file.sid, path: pathOf(file), kind });
      assert.deepEqual(outcomes, [], "nobody asked for them one by one");
    });
  }

  it("a failure says which file", async () => {
    const ground = new VerifierGround();
    Object.assign(ground.store, { read: async () => [{ kind: "unreadable", detail: "too long" }] });
    const file = ground.place(1, equal);
    const { outcomes } = await ground.verifier.workOn([file]);
    const { sid } = file;
    assert.deepEqual(outcomes[0]?.failure, {
      sid,
      path: pathOf(file),
      reason: "redis-error",
      detail: "too long",
    });
  });

  for (const [name, facts, expected] of [
    ["a file as the last complete run read it: Redis's value is the later one", marked(), "newer"],
    ["any other", {}, "different"],
  ] as const) {
    it(`compared with what is known of it: ${name}`, async () => {
      const ground = new VerifierGround({ facts });
      const file = ground.directory.save(1, sessionText(), old());
      ground.hold(1, other, copiedAgo(other, 3 * dayMs));
      assert.deepEqual(await ground.verify(file), [expected]);
    });
  }

  it("more than is read together: all of it is compared", async () => {
    const ground = new VerifierGround({ maxFileSize: 8 * 1024 * 1024 });
    const big = sessionOfLength(4 * 1024 * 1024);
    const files = [1, 2, 3].map((number) => ground.directory.save(number, big));
    assert.deepEqual(await ground.verify(...files), ["missing", "missing", "missing"]);
    assert.deepEqual(
      ground.asked.map((keys) => keys.length),
      [1, 1, 1, 1, 1, 1],
    );
  });

  it("Redis is not asked if there is nothing to ask for", async () => {
    const ground = new VerifierGround();
    await ground.verify(ground.place(1, vanished));
    assert.deepEqual(await ground.verify(), []);
    assert.deepEqual([ground.asked, ground.waits], [[], 0]);
  });

  for (const at of [1, 2]) {
    it(`a Redis that cannot be asked at comparison ${at} ends the run`, async () => {
      const ground = new VerifierGround();
      const { read } = ground.store;
      Object.assign(ground.store, {
        read: async (keys: readonly string[]) => {
          if (ground.asked.length === at) throw new RedisError("unavailable", "lost");
          return read.call(ground.store, keys);
        },
      });
      await assert.rejects(ground.verify(ground.place(1, missing)), RedisError);
    });
  }
});
