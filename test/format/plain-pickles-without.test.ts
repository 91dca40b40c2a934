import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";

const pickle = "80047d288c03756964944b018c0264626800752e";
const module = new URL("../../src/convert/convert-session.js", import.meta.url).href;
const settings = {
  keyPrefix: "",
  clockLeadMs: 0,
  ttl: "full",
  expiration: 1000,
  expirationAnonymous: 1000,
  maxSessionSize: 1000,
};
const script = `
  const { convertSession } = await import(${JSON.stringify(module)});
  const read = { bytes: Buffer.from("${pickle}", "hex"), mtimeMs: 0, openedAtMs: 0 };
  console.log(convertSession(read, "aa", ${JSON.stringify(settings)}, 0).entry.value);
`;

describe("plain pickles: where WebAssembly cannot be had, the pickle machine converts them", () => {
  const rows = [
    ["V8 without compilers", "exec", ["--jitless"]],
    ["a limit of addresses", "ulimit -v 4000000; exec", []],
  ] as const;
  for (const [name, shell, flags] of rows) {
    it(name, () => {
      const node = [process.execPath, ...flags, "--input-type=module", "-e", script];
      const { stdout, stderr } = spawnSync("sh", ["-c", `${shell} "$@"`, "sh", ...node], {
        encoding: "utf8",
      });
      assert.equal(stdout, '{"uid": 1, "db": "uid"}\n', stderr);
    });
  }
});
