import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { parseAst } from "rolldown/parseAst";
import { projectRoot } from "./support/project.js";

/** Limits of the source text. */
const maxFunctionMembers = 8;
const maxParameters = 4;
const maxFiles = 20;
const maxColumns = 120;

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
  for (const [node, name] of nodesIn(parseAst(text, { lang: "ts" }, path)).flatMap((tree) => [...walk(tree)])) {
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
  const files = ["src", "assembly", "test", "bench"].flatMap((folder) =>
    readdirSync(join(projectRoot, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => `${folder}/${path}`),
  );
  const breaches = files.flatMap((path) => findBreaches(path, readFileSync(join(projectRoot, path), "utf8")));
  const folders = files.map((path) => dirname(path));
  for (const folder of new Set(folders)) {
    const count = folders.filter((one) => one === folder).length;
    if (count > maxFiles) breaches.push(`${folder}: ${count} files`);
  }
  assert.ok(files.length > 0);
  assert.deepEqual(breaches, []);
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
