import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parseAst } from "rolldown/parseAst";
import { projectRoot } from "./support/project.js";

/** Limits of the source text. What breaks one stands in `notYet`, or the test fails. */
const maxFunctionMembers = 8;
const maxParameters = 4;
const maxFiles = 20;
const maxColumns = 120;

/** What breaks a limit today. An entry that is no longer true fails the test too. */
const notYet: readonly string[] = [
  "src/cli/conduct-run.ts: askBeforePurge has 5 parameters",
  "src/cli/conduct-run.ts: closeBooks has 5 parameters",
  "src/convert/convert-session.ts: convertDecoded has 5 parameters",
  "src/format/pickle/read-plain.ts: fill has 5 parameters",
  "src/migrate/compose-copy.ts: checkRoom has 5 parameters",
  "src/migrate/compose-copy.ts: composeCopy has 6 parameters",
  "src/migrate/compose-purge.ts: composePurge has 7 parameters",
  "src/migrate/compose-purge.ts: makeConfirm has 5 parameters",
  "src/migrate/compose-verify.ts: composeVerify has 5 parameters",
  "src/migrate/copy-sessions.ts: Copy has 9 function members",
  "src/migrate/lanes/copy-lane.ts: CopyLaneParts has 14 function members",
  "src/migrate/lanes/lane.ts: LaneParts has 10 function members",
  "src/migrate/lanes/verify-lane.ts: VerifyParts has 10 function members",
  "src/migrate/purge-lane.ts: ProofParts has 9 function members",
  "src/migrate/purge-sessions.ts: Purge has 10 function members",
  "src/migrate/run-task.ts: copy has 6 parameters",
  "src/migrate/run-task.ts: purge has 6 parameters",
  "src/migrate/run-task.ts: purgeCopied has 6 parameters",
  "src/migrate/run-task.ts: shown has 5 parameters",
  "src/migrate/run-task.ts: verify has 5 parameters",
  "src/report/summary.ts: summaryText has 5 parameters",
  "src/settings/read-settings.ts: findGiven has 5 parameters",
  "src/cli/conduct-run.ts: 1 lines over 120 columns",
  "src/cli/confirm-purge.ts: 1 lines over 120 columns",
  "src/cli/confirm-removal.ts: 2 lines over 120 columns",
  "src/cli/invoke.ts: 1 lines over 120 columns",
  "src/cli/main.ts: 2 lines over 120 columns",
  "src/cli/program.ts: 4 lines over 120 columns",
  "src/cli/stop-signals.ts: 1 lines over 120 columns",
  "src/convert/compare-held.ts: 1 lines over 120 columns",
  "src/convert/convert-session.ts: 1 lines over 120 columns",
  "src/convert/decide-conflict.ts: 2 lines over 120 columns",
  "src/convert/lifetime.ts: 2 lines over 120 columns",
  "src/convert/missing-key.ts: 1 lines over 120 columns",
  "src/convert/session-key.ts: 1 lines over 120 columns",
  "src/convert/sign.ts: 2 lines over 120 columns",
  "src/format/decode-error.ts: 1 lines over 120 columns",
  "src/format/float-repr.ts: 2 lines over 120 columns",
  "src/format/json.ts: 1 lines over 120 columns",
  "src/format/limits.ts: 2 lines over 120 columns",
  "src/format/pickle/byte-reader.ts: 1 lines over 120 columns",
  "src/format/pickle/memo.ts: 1 lines over 120 columns",
  "src/format/pickle/multi-dict.ts: 1 lines over 120 columns",
  "src/format/pickle/plain-json.ts: 3 lines over 120 columns",
  "src/format/pickle/plain-tape.ts: 2 lines over 120 columns",
  "src/format/pickle/python-datetime.ts: 2 lines over 120 columns",
  "src/format/pickle/read-plain.ts: 1 lines over 120 columns",
  "src/format/pickle/recurring-texts.ts: 1 lines over 120 columns",
  "src/format/pickle/text-escapes.ts: 2 lines over 120 columns",
  "src/format/pickle/unpickle.ts: 2 lines over 120 columns",
  "src/format/python-int.ts: 2 lines over 120 columns",
  "src/format/python-json.ts: 3 lines over 120 columns",
  "src/format/python-value.ts: 5 lines over 120 columns",
  "src/format/tagged-dict.ts: 2 lines over 120 columns",
  "src/format/text-units.ts: 1 lines over 120 columns",
  "src/format/utf8.ts: 1 lines over 120 columns",
  "src/format/zone-offsets.ts: 3 lines over 120 columns",
  "src/migrate/check-memory.ts: 3 lines over 120 columns",
  "src/migrate/choose-key-layout.ts: 4 lines over 120 columns",
  "src/migrate/compose-copy.ts: 3 lines over 120 columns",
  "src/migrate/compose-purge.ts: 4 lines over 120 columns",
  "src/migrate/compose-verify.ts: 1 lines over 120 columns",
  "src/migrate/copy-sessions.ts: 8 lines over 120 columns",
  "src/migrate/earlier-runs/delete-copy-written.ts: 1 lines over 120 columns",
  "src/migrate/earlier-runs/marks.ts: 3 lines over 120 columns",
  "src/migrate/earlier-runs/retract.ts: 2 lines over 120 columns",
  "src/migrate/earlier-runs/survey.ts: 2 lines over 120 columns",
  "src/migrate/eviction.ts: 2 lines over 120 columns",
  "src/migrate/for-each-batch.ts: 1 lines over 120 columns",
  "src/migrate/lanes/copy-lane.ts: 4 lines over 120 columns",
  "src/migrate/lanes/join-lanes.ts: 2 lines over 120 columns",
  "src/migrate/lanes/lane-result.ts: 1 lines over 120 columns",
  "src/migrate/lanes/lane-thread.ts: 2 lines over 120 columns",
  "src/migrate/lanes/lane.ts: 3 lines over 120 columns",
  "src/migrate/lanes/settle-entries.ts: 1 lines over 120 columns",
  "src/migrate/lanes/start-lane-threads.ts: 1 lines over 120 columns",
  "src/migrate/lanes/verify-lane.ts: 1 lines over 120 columns",
  "src/migrate/lanes/young-writes.ts: 2 lines over 120 columns",
  "src/migrate/main-pass.ts: 1 lines over 120 columns",
  "src/migrate/open-run.ts: 2 lines over 120 columns",
  "src/migrate/pace.ts: 1 lines over 120 columns",
  "src/migrate/purge-lane.ts: 3 lines over 120 columns",
  "src/migrate/purge-sessions.ts: 5 lines over 120 columns",
  "src/migrate/redis-watch.ts: 2 lines over 120 columns",
  "src/migrate/run-pass.ts: 1 lines over 120 columns",
  "src/migrate/run-task.ts: 5 lines over 120 columns",
  "src/migrate/session-scan.ts: 1 lines over 120 columns",
  "src/migrate/witness.ts: 2 lines over 120 columns",
  "src/model/entry.ts: 1 lines over 120 columns",
  "src/model/errors.ts: 3 lines over 120 columns",
  "src/model/finish-within.ts: 1 lines over 120 columns",
  "src/model/ledger.ts: 1 lines over 120 columns",
  "src/model/mark.ts: 1 lines over 120 columns",
  "src/model/outcome.ts: 1 lines over 120 columns",
  "src/model/report.ts: 1 lines over 120 columns",
  "src/model/showable.ts: 1 lines over 120 columns",
  "src/redis/create-entries.ts: 1 lines over 120 columns",
  "src/redis/key-layouts-seen.ts: 1 lines over 120 columns",
  "src/redis/look-at-keys.ts: 2 lines over 120 columns",
  "src/redis/marks.ts: 3 lines over 120 columns",
  "src/redis/mend-texts.ts: 2 lines over 120 columns",
  "src/redis/open-connection.ts: 3 lines over 120 columns",
  "src/redis/redis-fault.ts: 7 lines over 120 columns",
  "src/redis/replace-held.ts: 2 lines over 120 columns",
  "src/redis/resilient-connection.ts: 11 lines over 120 columns",
  "src/redis/send-batch.ts: 3 lines over 120 columns",
  "src/redis/server/command-needs.ts: 1 lines over 120 columns",
  "src/redis/server/diagnose-port.ts: 3 lines over 120 columns",
  "src/redis/server/memory-guard.ts: 5 lines over 120 columns",
  "src/redis/server/presence.ts: 4 lines over 120 columns",
  "src/redis/server/server-facts.ts: 4 lines over 120 columns",
  "src/redis/server/server-info.ts: 1 lines over 120 columns",
  "src/redis/server/server-role.ts: 1 lines over 120 columns",
  "src/redis/server/server-state.ts: 5 lines over 120 columns",
  "src/redis/sha1.ts: 1 lines over 120 columns",
  "src/redis/survey-keys.ts: 2 lines over 120 columns",
  "src/redis/take-back.ts: 1 lines over 120 columns",
  "src/redis/time-limit.ts: 1 lines over 120 columns",
  "src/redis/unaccepted.ts: 1 lines over 120 columns",
  "src/redis/witness.ts: 2 lines over 120 columns",
  "src/redis/write-entries.ts: 2 lines over 120 columns",
  "src/report/exit-code.ts: 1 lines over 120 columns",
  "src/report/report-file.ts: 1 lines over 120 columns",
  "src/report/summary.ts: 3 lines over 120 columns",
  "src/settings/connection.ts: 3 lines over 120 columns",
  "src/settings/data-directory.ts: 3 lines over 120 columns",
  "src/settings/definitions.ts: 1 lines over 120 columns",
  "src/settings/read-settings.ts: 3 lines over 120 columns",
  "src/settings/resolve-options.ts: 2 lines over 120 columns",
  "src/settings/unbuilt.ts: 1 lines over 120 columns",
  "src/settings/unknown-variables.ts: 1 lines over 120 columns",
  "src/source/directories/glob-directories.ts: 1 lines over 120 columns",
  "src/source/directories/look-for-sessions.ts: 1 lines over 120 columns",
  "src/source/directories/resolve-directories.ts: 5 lines over 120 columns",
  "src/source/directory-places.ts: 4 lines over 120 columns",
  "src/source/folder-at.ts: 1 lines over 120 columns",
  "src/source/local-file-system.ts: 1 lines over 120 columns",
  "src/source/open-directory.ts: 3 lines over 120 columns",
  "src/source/other-places.ts: 2 lines over 120 columns",
  "src/source/read-ahead.ts: 1 lines over 120 columns",
  "src/source/read-session-file.ts: 3 lines over 120 columns",
  "src/source/recent-files.ts: 4 lines over 120 columns",
  "src/source/removal/put-back.ts: 5 lines over 120 columns",
  "src/source/removal/removal-denial.ts: 4 lines over 120 columns",
  "src/source/removal/remove-session-file.ts: 3 lines over 120 columns",
  "src/source/removal/restore-set-aside.ts: 1 lines over 120 columns",
  "src/source/removal/set-aside-name.ts: 2 lines over 120 columns",
  "src/source/retry-while-short.ts: 1 lines over 120 columns",
  "src/source/scan-sessions.ts: 6 lines over 120 columns",
  "src/source/scattered-place.ts: 1 lines over 120 columns",
  "src/source/session-folders.ts: 6 lines over 120 columns",
  "src/source/session-name.ts: 2 lines over 120 columns",
  "src/source/session-places.ts: 1 lines over 120 columns",
  "src/source/wait-gauge.ts: 2 lines over 120 columns",
  "src/source/written-sessions.ts: 1 lines over 120 columns",
];

/** A node of the syntax tree (ESTree with TypeScript's types). */
type Node = { readonly type: string } & Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function nodesIn(value: unknown): Node[] {
  return [value].flat().filter(isNode);
}

/** Every node, with the name that it or the closest of those around it has. */
function* walk(node: Node, around = ""): Generator<readonly [node: Node, name: string]> {
  const name = nameOf(node) ?? around;
  yield [node, name];
  for (const child of Object.values(node).flatMap(nodesIn)) yield* walk(child, name);
}

/** Of a declaration, a variable, a member or a property. */
function nameOf({ id, key }: Node): string | undefined {
  const [named] = nodesIn([id, key]);
  return typeof named?.["name"] === "string" ? named["name"] : undefined;
}

/** Whether a member of an interface is a method, or a property whose type is a function's. */
function isFunctionMember({ type, typeAnnotation }: Node): boolean {
  if (type === "TSMethodSignature") return true;
  const [annotation] = nodesIn(typeAnnotation);
  const [written] = nodesIn(annotation?.["typeAnnotation"]);
  return [written, ...nodesIn(written?.["types"])].some((one) => one?.type === "TSFunctionType");
}

function isProcessPart({ type, object, property }: Node): boolean {
  if (type !== "MemberExpression") return false;
  const [owner] = nodesIn(object);
  const [part] = nodesIn(property);
  const name = part?.["name"] ?? part?.["value"];
  return owner?.["name"] === "process" && (name === "argv" || name === "env");
}

/** A sentence for everything in a file that breaks a limit; paths are relative to the checkout. */
function findBreaches(path: string, text: string): string[] {
  const long = text.split("\n").filter((line) => line.length > maxColumns).length;
  const breaches = long === 0 ? [] : [`${path}: ${long} lines over ${maxColumns} columns`];
  if (!path.startsWith("src/")) return breaches;
  for (const [node, name] of nodesIn(parseAst(text, { lang: "ts" }, path)).flatMap((tree) => [
    ...walk(tree),
  ])) {
    const members = /^TS(?:InterfaceBody|TypeLiteral)$/.test(node.type)
      ? nodesIn(node["body"] ?? node["members"]).filter(isFunctionMember).length
      : 0;
    if (members > maxFunctionMembers) breaches.push(`${path}: ${name} has ${members} function members`);
    const parameters = nodesIn(node["params"]).filter((one) => one["name"] !== "this").length;
    if (parameters > maxParameters && !node.type.startsWith("TSTypeParameter"))
      breaches.push(`${path}: ${name} has ${parameters} parameters`);
    if (isProcessPart(node) && !/^src\/(?:cli|settings)\//.test(path))
      breaches.push(`${path}: reads process.argv or process.env`);
  }
  return breaches;
}

test("files, functions and interfaces keep to the limits", () => {
  const files = ["src", "test", "bench"].flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => `${folder}/${path}`),
  );
  const breaches = files.flatMap((path) => findBreaches(path, readFileSync(join(projectRoot, path), "utf8")));
  const folders = files.filter((path) => path.startsWith("src/")).map((path) => dirname(path));
  for (const folder of new Set(folders)) {
    const count = folders.filter((one) => one === folder).length;
    if (count > maxFiles) breaches.push(`${folder}: ${count} files`);
  }
  assert.ok(files.length > 0);
  assert.deepEqual(breaches.sort(), [...notYet].sort());
});

const members = Array.from({ length: 9 }, (_, index) => `m${index}(): void`);
const rows: readonly (readonly [path: string, text: string, breach: string | null])[] = [
  ["src/a.ts", `interface A { ${members.join("\n")} }`, "A has 9 function members"],
  ["src/a.ts", `interface A { ${members.slice(1).join("\n")}\n p: number }`, null],
  [
    "src/a.ts",
    `interface A { ${members.slice(1).join("\n")}\n p?: undefined | (() => void) }`,
    "A has 9 function members",
  ],
  ["src/a.ts", `type A = { ${members.join("\n")} };`, "A has 9 function members"],
  ["src/a.ts", "function f(a, b, c, d) {}", null],
  ["src/a.ts", "function f(this: A, a, b, c, d) {}", null],
  ["src/a.ts", "function f(a, { b }, [c], d = 1, e?: string) {}", "f has 5 parameters"],
  ["src/a.ts", "class A { m(a, b, c, d, e) {} }", "m has 5 parameters"],
  ["src/a.ts", "const f = (a, b, c, d, ...e) => 1;", "f has 5 parameters"],
  ["src/a.ts", "interface A { f(a, b, c, d, e): void }", "f has 5 parameters"],
  ["src/a.ts", "type A = Map<1, 2, 3, 4, 5>; function f<A, B, C, D, E>() {}", null],
  ["src/redis/a.ts", "const path = process.env['PATH'];", "reads process.argv or process.env"],
  ["src/redis/a.ts", "const path = process['argv'];", "reads process.argv or process.env"],
  ["src/redis/a.ts", "// process.env\nconst pid = process.pid;", null],
  ["src/cli/a.ts", "const path = process.env['PATH'];", null],
  ["test/a.ts", `// ${"a".repeat(118)}`, "1 lines over 120 columns"],
  ["test/a.ts", `// ${"a".repeat(117)}`, null],
];
for (const [path, text, breach] of rows) {
  test(`${path}: ${JSON.stringify(text)} is ${breach === null ? "allowed" : "found out"}`, () => {
    assert.deepEqual(findBreaches(path, text), breach === null ? [] : [`${path}: ${breach}`]);
  });
}
