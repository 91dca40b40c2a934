import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ConflictPolicy } from "../../src/convert/decide-conflict.js";
import { decideExport, writtenFormatOf } from "../../src/convert/decide-export.js";
import { exportSession } from "../../src/convert/export-session.js";
import { signedInstant } from "../../src/convert/sign.js";
import type { FileFormat } from "../../src/model/session-file.js";

const hourMs = 3_600_000;
const fullMs = 604_800_000;
const conversion = {
  keyPrefix: "session:",
  clockLeadMs: 0,
  ttl: "full",
  expiration: fullMs / 1000,
  expirationAnonymous: 10_800,
  maxSessionSize: 1024,
} as const;
const json: FileFormat = { name: "json" };
const pickle2: FileFormat = { name: "pickle", protocol: 2 };
const pickle4: FileFormat = { name: "pickle", protocol: 4 };
const [value, other] = ['{"db": "x", "uid": 2, "v": 1}', '{"db": "x", "uid": 2, "v": 2}'];
const sid = "00aa".repeat(10);

/** `value` as a pickle of that protocol. */
function pickled(text: string, format: FileFormat): Buffer {
  const stored = { kind: "text", value: Buffer.from(text), expiresAtMs: Date.now() + hourMs } as const;
  const exported = exportSession(stored, sid, format, conversion);
  assert(exported.kind === "file");
  return exported.bytes;
}

interface Row {
  readonly name: string;
  readonly file: Buffer | string;
  /** How long before the save in Redis the file was modified; less than 0: after it. */
  readonly olderMs: number;
  readonly format?: FileFormat;
  readonly policy?: ConflictPolicy;
  /** Who saved the key: a server by default. */
  readonly by?: "copy" | "server";
  /** Whether a complete copy read the file as it is. */
  readonly copied?: true;
  /** Whether the key has no lifetime. */
  readonly endless?: true;
  readonly is: string;
}

const rows: readonly Row[] = [
  { name: "equal", file: value, olderMs: 0, is: "identical" },
  { name: "equal, and the file is later", file: value, olderMs: -hourMs, is: "identical" },
  { name: "equal, as exact as file times are", file: value, olderMs: 1500, is: "identical" },
  { name: "equal, saved again since", file: value, olderMs: hourMs, is: "touch" },
  { name: "equal, saved again since, keep", file: value, olderMs: hourMs, policy: "keep", is: "identical" },
  { name: "equal, other spaces", file: '{"db":"x","uid":2,"v":1}', olderMs: 0, is: "identical" },
  { name: "equal, a pickle for JSON", file: pickled(value, pickle4), olderMs: 0, is: "rewrite" },
  { name: "equal, JSON for pickles", file: value, olderMs: 0, format: pickle4, is: "rewrite" },
  {
    name: "equal, protocol 4 for Python 2",
    file: pickled(value, pickle4),
    olderMs: 0,
    format: pickle2,
    is: "rewrite",
  },
  {
    name: "equal, protocol 2 for Python 3",
    file: pickled(value, pickle2),
    olderMs: 0,
    format: pickle4,
    is: "identical",
  },
  { name: "older", file: other, olderMs: hourMs, is: "write" },
  {
    name: "a save that renewed no lifetime, to the precision of file times",
    file: other,
    olderMs: -0.0002,
    is: "write",
  },
  { name: "newer than the save of a server", file: other, olderMs: -hourMs, is: "kept in doubt" },
  { name: "newer, keep", file: other, olderMs: -hourMs, policy: "keep", is: "kept" },
  { name: "older, keep", file: other, olderMs: hourMs, policy: "keep", is: "kept" },
  { name: "newer, overwrite", file: other, olderMs: -hourMs, policy: "overwrite", is: "write" },
  { name: "older than the read of a copy", file: other, olderMs: hourMs, by: "copy", is: "write" },
  { name: "newer than the read of a copy", file: other, olderMs: -hourMs, by: "copy", is: "kept" },
  {
    name: "later than a short lifetime tells, but copied before",
    file: other,
    olderMs: -hourMs,
    copied: true,
    is: "write",
  },
  {
    name: "a key just saved, its lifetime still missing",
    file: other,
    olderMs: 60_000,
    endless: true,
    is: "write",
  },
  { name: "older, and damaged", file: "{", olderMs: hourMs, is: "write" },
  { name: "newer, and damaged", file: "{", olderMs: -hourMs, is: "kept in doubt" },
  { name: "newer, damaged, overwrite", file: "{", olderMs: -hourMs, policy: "overwrite", is: "write" },
  {
    name: "equal, the key tells of no save, and the file is young",
    file: value,
    olderMs: 60_000,
    endless: true,
    is: "identical",
  },
  {
    name: "equal, the key tells of no save, and the file is old",
    file: value,
    olderMs: 2 * hourMs,
    endless: true,
    is: "touch",
  },
  { name: "newer, and no session", file: '{"a": 1}', olderMs: -hourMs, is: "kept in doubt" },
];

describe("decide-export: a copy's rules with the roles reversed (spec.md section 4, Conflicts)", () => {
  for (const { name, file, olderMs, format = json, policy = "newest", by, copied, endless, is } of rows) {
    it(name, () => {
      const savedMs = Date.now() - 3 * hourMs;
      // A server's save bears no sign.
      const signed = signedInstant(savedMs + fullMs, value, 0);
      const expiresAtMs = endless === true ? null : by === "copy" ? signed : signed + 1;
      const stored = { kind: "text", value: Buffer.from(value), expiresAtMs } as const;
      const exported = exportSession(stored, sid, format, conversion);
      assert(exported.kind === "file");
      const bytes = Buffer.from(file);
      const mtimeMs = exported.savedMs - olderMs;
      const read = { bytes, mtimeMs, openedAtMs: Date.now() };
      const decision = decideExport({ read, sid, unmodifiedSinceMark: copied === true }, { stored, exported }, format, {
        ...{ policy, lifetimes: conversion, longest: conversion, clockLeadMs: 0, signsCount: true },
        ...{ renews: false, provesCopies: false, conversion },
      });
      const doubt = decision.kind === "kept" && decision.inDoubt === true ? " in doubt" : "";
      assert.equal(decision.kind + doubt, is);
    });
  }

  it("recognises how a file was written", () => {
    for (const format of [json, pickle2, pickle4]) {
      assert.deepEqual(writtenFormatOf(pickled(value, format)), format);
    }
    assert.deepEqual(writtenFormatOf(Buffer.from("(dp0\n.")), pickle2);
  });
});

describe("export-session: when a session was saved", () => {
  const savedOf = (text: string, expiresAtMs: number | null): number => {
    const exported = exportSession({ kind: "text", value: Buffer.from(text), expiresAtMs }, sid, json, conversion);
    assert(exported.kind === "file");
    return exported.savedMs;
  };
  const nowMs = Date.now();
  it("logged in", () => assert.equal(savedOf(value, nowMs + hourMs), nowMs + hourMs - fullMs));
  it("anonymous", () => assert.equal(savedOf('{"uid": null}', nowMs + hourMs), nowMs + hourMs - 10_800_000));
  it("by its own expiration", () =>
    assert.equal(savedOf('{"uid": 2, "expiration": 7200}', nowMs + hourMs), nowMs - hourMs));
  it("never in the future", () => {
    const saved = savedOf(value, nowMs + 2 * fullMs);
    assert.ok(saved >= nowMs && saved <= Date.now());
  });
  it("a key that lives longer is a warning", () => {
    const stored = { kind: "text", value: Buffer.from(value), expiresAtMs: nowMs + 2 * fullMs } as const;
    const exported = exportSession(stored, sid, json, conversion);
    assert(exported.kind === "file");
    assert.match(exported.warning ?? "", /lives longer than --expiration/);
  });
  it("a key without a lifetime: now", () => assert.ok(savedOf(value, null) >= nowMs));
});
