import { failureReasons, outcomeKinds } from "../../../src/model/outcome.js";
import { reportJsonSchema } from "../../../src/report/schema/report-schema.js";

/** A part of a JSON Schema, as far as the table reads it. */
interface Node {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly additionalProperties?: Node;
  readonly format?: string;
}

/** The table of the report's keys in docs/report.md, as Markdown. */
export function reportTable(): string {
  const rows = Object.entries((reportJsonSchema() as Node).properties ?? {}).flatMap(([name, node]) =>
    rowsOf(name, node),
  );
  return ["| key | holds | meaning |", "|---|---|---|", ...rows].join("\n");
}

/** Keys that outcomes.md explains, and names that explain themselves. */
const explained: ReadonlySet<string> = new Set([
  ...[...outcomeKinds, ...failureReasons],
  ...["flat", "scattered", "pickle", "json"],
]);

/** A row for a key, then one for each key inside. Throws if one has no description. */
function rowsOf(name: string, node: Node): readonly string[] {
  if (node.description === undefined) throw new Error(`the report's key ${name} has no description`);
  const { inner, mark } = unwrapped(node);
  const row = `| \`${name}\` | ${typeText(node)} | ${node.description} |`;
  const inside = Object.entries(inner.properties ?? {}).filter(([key]) => !explained.has(key));
  return [row, ...inside.flatMap(([key, part]) => rowsOf(`${name}${mark}.${key}`, part))];
}

/** What a list or a nullable value holds; `mark` is how its name shows that it is a list. */
function unwrapped(node: Node): { readonly inner: Node; readonly mark: string } {
  if (node.items !== undefined) return { inner: node.items, mark: "[]" };
  return { inner: node.anyOf?.find(({ type }) => type !== "null") ?? node, mark: "" };
}

function typeText(node: Node): string {
  if (node.anyOf !== undefined) return node.anyOf.map(typeText).join(" or ");
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.enum !== undefined) return node.enum.map((one) => `\`${one}\``).join(", ");
  if (node.items !== undefined) return `list of ${typeText(node.items)}`;
  if (node.format === "date-time") return "instant";
  if (node.properties !== undefined) {
    return "object";
  }
  if (node.additionalProperties !== undefined) return `${typeText(node.additionalProperties)} by name`;
  const names: Readonly<Record<string, string>> = { integer: "count", string: "text", boolean: "yes or no" };
  return [node.type ?? []]
    .flat()
    .map((type) => names[type] ?? type)
    .join(" or ");
}
