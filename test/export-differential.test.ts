import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { exportSession } from "../src/convert/export-session.js";
import type { FileFormat } from "../src/model/session-file.js";
import { projectRoot, python } from "./support/project.js";
import { judgedFiles } from "./support/python/judged-files.js";

/** `npm run test:export` sets it. */
const wanted = Number(process.env["TELE_SESSIONS_EXPORT"] ?? 2_000);
/** How often each kind of value must occur. */
const leastOften = wanted >= 100_000 ? 1000 : 10;

const conversion = {
  keyPrefix: "session:",
  clockLeadMs: 0,
  ttl: "full",
  expiration: 604_800,
  expirationAnonymous: 10_800,
  maxSessionSize: 16 * 1024 * 1024,
} as const;
const formats: readonly FileFormat[] = [
  { name: "pickle", protocol: 2 },
  { name: "pickle", protocol: 4 },
  { name: "json" },
];

interface Answer {
  readonly sessions: number;
  readonly wrong: readonly string[];
  readonly counts: Readonly<Record<string, number>>;
}

/** The session files of a value in Redis, in each format; a text says why there is none. */
function filesOf(value: Buffer): readonly Buffer[] | string {
  const files: Buffer[] = [];
  for (const format of formats) {
    const stored = { kind: "text", value, expiresAtMs: Date.now() + 3_600_000 } as const;
    const exported = exportSession(stored, "00aa".repeat(10), format, conversion);
    if (exported.kind !== "file") return exported.kind === "failed" ? exported.detail : exported.kind;
    files.push(exported.bytes);
  }
  return files;
}

test("Python reads every exported file as what Redis holds", async (t) => {
  const script = join(projectRoot, "test", "python", "exported_judge.py");
  const judge = spawn(python, ["-B", script], { stdio: ["pipe", "pipe", "inherit"] });
  const output = (async () => Buffer.concat(await judge.stdout.toArray()).toString())();
  const refused: string[] = [];
  const length = (bytes: Buffer) => {
    const head = Buffer.alloc(4);
    head.writeUInt32LE(bytes.length);
    return head;
  };
  let sent = 0;
  for await (const { judgement, label } of judgedFiles("random_sessions.py", [
    ...["--seed", "5", "--start", "0"],
    ...["--count", String(Math.ceil(wanted * 1.6))],
  ])) {
    if (judgement.kind !== "accepted" || sent === wanted) continue;
    const value = Buffer.from(judgement.json, "latin1");
    const files = filesOf(value);
    if (typeof files === "string") {
      refused.push(`${label}: ${files}`);
      continue;
    }
    sent++;
    const parts = [value, ...files].flatMap((part) => [length(part), part]);
    if (!judge.stdin.write(Buffer.concat(parts))) await once(judge.stdin, "drain");
  }
  judge.stdin.end();
  const answer: Answer = JSON.parse(await output);
  t.diagnostic(`${answer.sessions} sessions: ${JSON.stringify(answer.counts)}`);
  assert.deepEqual(refused.slice(0, 10), []);
  assert.deepEqual(answer.wrong, []);
  assert.equal(answer.sessions, wanted);
  const kinds = ["dict", "list", "set", "float", "datetime", "date", "str", "int", "bool", "NoneType"];
  assert.deepEqual(
    kinds.filter((kind) => (answer.counts[kind] ?? 0) < leastOften),
    [],
    `these must occur ${leastOften} times`,
  );
});
